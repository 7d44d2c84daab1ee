"""What is known when the next labels of a simulation are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt.simulate.replay import Texts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What is known when the next labels are chosen.

    Attributes:
        pool: All N texts; their labels are looked up only where `answered`.
        answered: Rows that have a label, in the order of answering.
        audit: (N,) which texts are audit tasks: their labels judge and never train.
        probabilities: (N, C) of the model so far; None before the first.
        committee: Gives (M, N, C) probabilities of M models fitted on bootstrap samples.
        accuracies: Language -> lower bound of the accuracy on audit labels.
        source: The source languages.
    """

    pool: Texts
    answered: NDArray[np.intp]
    audit: NDArray[np.bool_]
    probabilities: NDArray[np.float64] | None = None
    committee: Callable[[], NDArray[np.float64]] | None = None
    accuracies: Mapping[str, float] = field(default_factory=dict)
    source: tuple[str, ...] = ()

    @property
    def open_rows(self) -> NDArray[np.intp]:
        """Rows without a label, ascending."""
        left = np.ones(len(self.pool), dtype=bool)
        left[self.answered] = False
        return np.flatnonzero(left)

    @property
    def trained(self) -> NDArray[np.intp]:
        """Rows whose labels train the model."""
        return self.answered[~self.audit[self.answered]]

    @property
    def judging(self) -> NDArray[np.intp]:
        """Rows whose labels judge the model."""
        return self.answered[self.audit[self.answered]]
