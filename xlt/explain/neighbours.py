"""Labelled texts in any language that are like a text, by vectors about their language's centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.frozen.centres import Centres, fit_centres
from xlt.models.model import Model, Progress, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A labelled example that is like another one.

    Attributes:
        example: The labelled example.
        similarity: Cosine of their centred vectors, in [-1, 1].
    """

    example: Example
    similarity: float


class Neighbours:
    """Labelled examples, to find those that are like others.

    A model's folder holds vectors of the texts that it compares with, but not the texts: they are
    read again.

    Args:
        model: The model whose encoder reads them.
        labelled: Examples with an answer, at least one.
        progress: Called with the number of examples read and of all.
    """

    def __init__(
        self, model: Model, labelled: Sequence[Example], progress: Progress = silent
    ) -> None:
        self._model = model
        self._labelled = list(labelled)
        vectors = model.score(self._labelled, progress=progress).vectors
        langs = [example.lang for example in self._labelled]
        self._centres: Centres = fit_centres(vectors, langs)
        self._units: NDArray[np.float32] = self._centres.units(vectors, langs)

    def nearest(self, example: Example, count: int) -> list[Neighbour]:
        """Returns the labelled examples most like an example, the nearest first.

        The example itself is left out: labelled examples with the same texts.

        Args:
            example: The example.
            count: Their number; fewer if there are not that many.
        """
        vectors = self._model.score([example]).vectors
        similarity = self._units @ self._centres.units(vectors, [example.lang])[0]
        found: list[Neighbour] = []
        for row in np.argsort(-similarity, kind="stable").tolist():
            if len(found) >= count:
                break
            other = self._labelled[row]
            if other.texts != example.texts:
                near = min(max(float(similarity[row]), -1.0), 1.0)
                found.append(Neighbour(example=other, similarity=near))
        return found
