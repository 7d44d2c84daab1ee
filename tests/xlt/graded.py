"""A task whose answers can be nearly right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlt.tasks.single_label.task import SingleLabel


@dataclass(frozen=True, kw_only=True)
class Stars(SingleLabel):
    """Labels in order: an answer earns the more, the nearer it is; it is no class of a kind."""

    def credit(self, truth: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
        """1 for the label itself, 0 for the one at the other end."""
        places = [super(Stars, self).classes(answers) for answers in (truth, predicted)]
        return 1.0 - np.abs(places[0] - places[1]) / (len(self.labels) - 1)

    def classes(self, given: Sequence[str]) -> None:
        """Answers that are nearly right are not classes."""
