"""The state of a simulation before each selection of labels."""

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
    """The labels so far, and what a model learned from them.

    Attributes:
        pool: All N texts; only the answers of `answered` rows are used.
        answered: Rows with a label, in the order of labelling.
        audit: (N,) True for audit tasks: their labels judge and never train.
        beliefs: Beliefs of the model on all N texts; None before the first model.
        task: Task of the answers.
        committee: Computes (M, N, C) probabilities of M models fitted on bootstrap samples.
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
        """Returns the answers of some rows; all of them must have a label."""
        return [self.pool.answers[row] for row in rows]

    @property
    def probabilities(self) -> NDArray[np.floating] | None:
        """Returns class probabilities (N, C); None before the first model.

        Raises:
            ConfigError: If the answers are not classes of one distribution.
        """
        if self.task.classes([]) is None:
            raise ConfigError(
                f"this measure needs class probabilities, which {self.task.kind} does not have: "
                "use another strategy"
            )
        return None if self.beliefs is None else self.beliefs.values

    @property
    def open_rows(self) -> NDArray[np.intp]:
        """Returns the rows without a label, ascending."""
        left = np.ones(len(self.pool), dtype=bool)
        left[self.answered] = False
        return np.flatnonzero(left)

    @property
    def trained(self) -> NDArray[np.intp]:
        """Returns the rows whose labels train the model."""
        return self.answered[~self.audit[self.answered]]

    @property
    def judging(self) -> NDArray[np.intp]:
        """Returns the rows whose labels judge the model."""
        return self.answered[self.audit[self.answered]]
