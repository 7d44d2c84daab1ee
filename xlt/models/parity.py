"""Parity: the agreement of an exported model with the model that was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.tasks.predictions import Predictions
from xlt.tasks.task import AnyTask

#: Share of answers that may change, in each language and in all of them.
MOST_CHANGED = 0.05
#: Answers that may change beyond that share: one text tells nothing.
_SLACK = 1.0
#: Least mean cosine of the vectors.
LEAST_COSINE = 0.95

_LEAST_LENGTH = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Agreement of a model with another one.

    Attributes:
        texts: Number of examples that both answered.
        changed: Share of answers that changed; where answers are partly right, of the credit that
            the new ones lose against the old ones.
        failing: Languages in which more changed than may.
        cosine: Mean cosine of the vectors.
        least_cosine: That of the example whose vectors differ most.
    """

    texts: int
    changed: float
    failing: tuple[str, ...]
    cosine: float
    least_cosine: float

    @property
    def accepted(self) -> bool:
        """Returns True if the model may be used instead of the other."""
        most = MOST_CHANGED * self.texts + _SLACK
        few = self.changed * self.texts <= most and not self.failing
        return self.texts > 0 and few and self.cosine >= LEAST_COSINE

    def words(self) -> str:
        """Returns the measurements in a line."""
        if not self.texts:
            return "no text to compare on"
        line = (
            f"{1 - self.changed:.1%} the same answers on {self.texts} texts, "
            f"cosine {self.cosine:.3f}, at least {self.least_cosine:.3f}"
        )
        return f"{line}; other answers in {', '.join(self.failing)}" if self.failing else line


def compare(
    task: AnyTask, examples: Sequence[Example], expected: Predictions, found: Predictions
) -> Parity:
    """Compares predictions of N examples with those that are expected."""
    before, after = (
        [suggestion.answer for suggestion in each.suggestions] for each in (expected, found)
    )
    lost = 1.0 - task.credit(before, after)
    keys = np.array([normalise(example.lang) for example in examples], dtype=object)
    failing = [
        str(key)
        for key in dict.fromkeys(keys.tolist())
        if lost[keys == key].sum() > MOST_CHANGED * (keys == key).sum() + _SLACK
    ]
    u, v = expected.scores.vectors, found.scores.vectors
    lengths = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
    cosines = (u * v).sum(axis=1) / np.maximum(lengths, _LEAST_LENGTH)
    return Parity(
        texts=len(examples),
        changed=float(lost.mean()) if len(examples) else 0.0,
        failing=tuple(failing),
        cosine=float(cosines.mean()) if len(examples) else 0.0,
        least_cosine=float(cosines.min(initial=1.0)),
    )
