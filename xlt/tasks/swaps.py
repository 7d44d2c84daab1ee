"""Tasks of which exchanged texts exchange the answer, whatever model learns them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

#: Vectors (N, ..., D) of examples -> those of the same examples with their two texts exchanged.
Swap = Callable[[NDArray[Any]], NDArray[Any]]


@runtime_checkable
class Swaps(Protocol):
    """A task with two outputs, one for each of two texts."""

    def swap(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Returns vectors (N, ..., D) of the examples with their two texts exchanged."""


def swap_of(task: object) -> Swap | None:
    """Returns how a task exchanges the texts of examples; None if their order means something."""
    return task.swap if isinstance(task, Swaps) else None
