"""What is known when the next labels of a simulation are chosen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.simulate.replay import Texts
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import AnyTask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What is known when the next labels are chosen.

    Attributes:
        pool: All N texts; their answers are looked up only where `answered`.
        answered: Rows that have a label, in the order of answering.
        audit: (N,) which texts are audit tasks: their labels judge and never train.
        beliefs: Of the model so far, for all N texts; None before the first.
        task: What the answers belong to.
        committee: Gives (M, N, C) probabilities of M models fitted on bootstrap samples.
        accuracies: Language -> lower bound of the accuracy on audit labels.
        source: The source languages.
    """

    pool: Texts
    answered: NDArray[np.intp]
    audit: NDArray[np.bool_]
    task: AnyTask
    beliefs: Outputs | None = None
    committee: Callable[[], NDArray[np.float64]] | None = None
    accuracies: Mapping[str, float] = field(default_factory=dict)
    source: tuple[str, ...] = ()

    def answers(self, rows: NDArray[np.intp]) -> list[Hashable]:
        """Returns the answers of some rows, all of them answered."""
        return [self.pool.answers[row] for row in rows]

    @property
    def probabilities(self) -> NDArray[np.floating] | None:
        """Class probabilities (N, C); None before the first model.

        Raises:
            ConfigError: If the answers are not classes of one distribution.
        """
        if self.task.classes([]) is None:
            raise ConfigError(
                f"this way of choosing needs class probabilities, which {self.task.kind} has not"
            )
        return None if self.beliefs is None else self.beliefs.values

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
