"""Trained models, whatever runs them: from examples to scores and predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.frozen.features import Features
from xlt.frozen.ngrams import count_ngrams
from xlt.frozen.several import Frozen
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.task import AnyTask, Suggestion

#: Called with the number of examples done and of all, after every batch.
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Reports nothing."""


class Model(ABC):
    """A trained model in memory; several threads may use it at the same time.

    Attributes:
        task: Task of the model.
        texts: Number of texts of an example.
        calibration: Calibration of the model's outputs.
    """

    def __init__(self, task: AnyTask, calibration: Calibration, *, texts: int) -> None:
        self.task = task
        self.calibration = calibration
        self.texts = texts

    def predict(
        self,
        examples: Sequence[Example],
        *,
        measure: str | None = None,
        progress: Progress = silent,
    ) -> Predictions:
        """Predicts examples, in their order; answers are ignored.

        Args:
            examples: N examples; may be empty.
            measure: Uncertainty measure; None for the task's default.
            progress: Called with the number of examples done and N, after every batch.
        """
        scores = self.score(examples, progress=progress)
        langs = [example.lang for example in examples]
        return interpret(self.task, scores, langs, self.calibration, measure=measure)

    def suggestions(self, examples: Sequence[Example]) -> list[Suggestion]:
        """Suggests an answer for each of N examples, in their order."""
        return self.predict(examples).suggestions

    @abstractmethod
    def score(self, examples: Sequence[Example], *, progress: Progress = silent) -> Scores:
        """Scores examples in one pass, in their order.

        Args:
            examples: N examples; may be empty.
            progress: Called with the number of examples done and N, after every batch.

        Raises:
            DataError: If an example has another number of texts than the model reads.
        """

    def check(self, examples: Sequence[Example]) -> None:
        """Refuses examples with another number of texts than the model reads.

        Raises:
            DataError: If there is one.
        """
        for example in examples:
            if len(example.texts) != self.texts:
                raise DataError(
                    f"example {example.id!r} has {len(example.texts)} texts; the model reads "
                    f"{self.texts}"
                )


def frozen_outputs(
    model: Frozen, vectors: NDArray[np.float32], examples: Sequence[Example]
) -> Outputs:
    """Returns the outputs of a frozen model for examples with vectors (B, L, D)."""
    counts = count_ngrams([example.input for example in examples])
    features = Features(vectors=vectors, ngrams=counts)
    return model.outputs(features, [example.lang for example in examples])
