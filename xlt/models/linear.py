"""A trained linear layer on the vectors of texts, as numpy runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.logistic import Linear
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Composed
from xlt.tasks.swaps import Swap, swap_of
from xlt.tasks.task import AnyTask

#: The values of `xlt.tasks.linear_head.LinearHead`.
_NAMES = ("linear.weight", "linear.bias", "center", "scale")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearModels:
    """The linear layers of several controls, in the order of the parts."""

    models: tuple[LinearModel, ...]

    def outputs(self, vectors: NDArray[np.float32]) -> Outputs:
        """Returns logits (N, W) in float32."""
        values = [model.outputs(vectors).values for model in self.models]
        return Outputs(np.concatenate(values, axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearModel:
    """Logits from the vectors (N, D) of a fine-tuned encoder.

    Attributes:
        linear: The layer.
        swap: Exchanges the two texts of examples, for tasks whose two outputs are exchanged with
            them; None for all others.
    """

    linear: Linear
    swap: Swap | None = None

    def outputs(self, vectors: NDArray[np.float32]) -> Outputs:
        """Returns logits (N, W) in float32."""
        logits = self.linear.outputs(vectors).values
        if self.swap is not None:
            there = self.linear.outputs(self.swap(vectors)).values
            logits = (logits + there[:, ::-1]) / 2
        return Outputs(logits.astype(np.float32))

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[np.float32]], *, width: int, swap: Swap | None
    ) -> LinearModel:
        """Reads the values of a linear head, of any kind of task.

        Args:
            tensors: The values by name.
            width: D, the length of a vector.
            swap: See `LinearModel`.

        Raises:
            DataError: If there are others, or their shapes do not fit together.
        """
        if set(tensors) != set(_NAMES):
            raise DataError(f"expected the values {', '.join(_NAMES)}, got {sorted(tensors)}")
        weight, bias, center, scale = (tensors[name].astype(np.float64) for name in _NAMES)
        shapes = (weight.shape, center.shape, scale.shape)
        if shapes != ((len(bias), width), (width,), ()):
            raise DataError(f"the values of a linear head do not fit together: {shapes}")
        weights = weight / scale
        return cls(linear=Linear(weights=weights, biases=bias - weights @ center), swap=swap)


def linear_from(
    tensors: Mapping[str, NDArray[np.float32]], task: AnyTask, *, width: int
) -> LinearModel | LinearModels:
    """Reads the values of the head of a task, of one control or of several.

    Args:
        tensors: The values by name.
        task: The task.
        width: D, the length of a vector.

    Raises:
        DataError: See `LinearModel.from_tensors`.
    """
    if not isinstance(task, Composed):
        return LinearModel.from_tensors(tensors, width=width, swap=swap_of(task))
    models = []
    for number, part in enumerate(task.parts):
        start = f"heads.{number}."
        own = {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
        models.append(LinearModel.from_tensors(own, width=width, swap=swap_of(part.task)))
    return LinearModels(models=tuple(models))
