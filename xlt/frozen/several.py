"""Frozen models of several controls: one reading of the features, one model per control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.frozen.features import Features, Labelled
from xlt.frozen.fit import fit_frozen
from xlt.frozen.model import Array, FrozenModel
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Composed, controls_of
from xlt.tasks.swaps import swap_of
from xlt.tasks.task import AnyTask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenModels:
    """The frozen models of the controls of a task.

    Attributes:
        models: Model of each control, in the order of the parts; None for one that nothing was
            learned of: its outputs are zero.
        widths: Number of outputs of each control.
    """

    models: tuple[FrozenModel | None, ...]
    widths: tuple[int, ...]

    @property
    def layers(self) -> int:
        """Returns the largest number of layers that one of the models reads."""
        return max(model.layers for model in self.models if model is not None)

    @property
    def size(self) -> int:
        """Returns D, the length of the vectors that they read."""
        return next(model.size for model in self.models if model is not None)

    def outputs(self, features: Features, langs: Sequence[str]) -> Outputs:
        """Returns logits (N, W) of texts by their features and languages (N)."""
        values = [
            np.zeros((len(features), width), dtype=np.float32)
            if model is None
            else model.outputs(features, langs).values
            for model, width in zip(self.models, self.widths, strict=True)
        ]
        return Outputs(np.concatenate(values, axis=1))

    def tensors(self) -> dict[str, Array]:
        """Returns all values by name, for a file."""
        return {
            f"{number}.{name}": value
            for number, model in enumerate(self.models)
            if model is not None
            for name, value in model.tensors().items()
        }

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[np.floating]], task: Composed
    ) -> FrozenModels:
        """Reads values that `tensors` returned, for the task of the model.

        Raises:
            DataError: If one is missing or not finite, or if their shapes do not fit together.
        """
        models: list[FrozenModel | None] = []
        for number, part in enumerate(task.parts):
            start = f"{number}."
            own = {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
            model = FrozenModel.from_tensors(own) if own else None
            models.append(None if model is None else replace(model, swap=swap_of(part.task)))
        if not any(models):
            raise DataError("the frozen model has no control that it learned")
        return cls(models=tuple(models), widths=tuple(part.task.width for part in task.parts))


#: A frozen model, of one control or of several.
Frozen = FrozenModel | FrozenModels


def frozen_from(tensors: Mapping[str, NDArray[np.floating]], task: AnyTask) -> Frozen:
    """Reads values that `tensors` of a frozen model of the task returned.

    Raises:
        DataError: If one is missing or not finite, or if their shapes do not fit together.
    """
    if isinstance(task, Composed):
        return FrozenModels.from_tensors(tensors, task)
    return replace(FrozenModel.from_tensors(tensors), swap=swap_of(task))


def check_fit(model: Frozen, task: AnyTask, *, width: int, layers: int) -> None:
    """Refuses a frozen model that does not fit its task or its encoder.

    Args:
        model: The model.
        task: Its task.
        width: Length of the vectors that the encoder gives.
        layers: Number of layers of which it gives one.

    Raises:
        DataError: If one of its controls does not.
    """
    models = model.models if isinstance(model, FrozenModels) else (model,)
    for own, part in zip(models, controls_of(task), strict=True):
        if own is None:
            continue
        shape = own.layers, own.size, len(own.biases)
        expected = [(read, width, part.task.width) for read in (1, layers)]
        if shape not in expected:
            raise DataError(f"the frozen model has shape {shape}, expected one of {expected}")


def fit_task(
    labelled: Labelled,
    pool: Features,
    pool_langs: Sequence[str],
    task: AnyTask,
    rng: np.random.Generator,
) -> Frozen:
    """Fits a frozen model of a task, see `fit_frozen`.

    Of several controls, each learns from the texts with an answer to it; the others are texts
    without a label for it.

    Args:
        labelled: The labelled texts; targets of controls without an answer are NaN.
        pool: Features of texts without a label.
        pool_langs: Their language codes.
        task: Task of the labels.
        rng: Draws the rows of the kernel machines if there are too many.
    """
    if not isinstance(task, Composed):
        assert task.link is not None, "see xlt.tasks.probes.has_probe"
        return fit_frozen(labelled, pool, pool_langs, task.link, rng, swap=swap_of(task)).model
    models: list[FrozenModel | None] = []
    widths = tuple(part.task.width for part in task.parts)
    for part, end in zip(task.parts, np.cumsum(widths).tolist(), strict=True):
        targets = labelled.targets[:, end - part.task.width : end]
        has = ~np.isnan(targets[:, 0])
        if not has.any():
            models.append(None)
            continue
        known, others = np.flatnonzero(has), np.flatnonzero(~has)
        own = replace(labelled.take(known), targets=targets[known])
        rest = labelled.features.take(others).concat(pool) if len(others) else pool
        langs = [*(labelled.langs[row] for row in others), *pool_langs]
        assert part.task.link is not None, "see xlt.tasks.probes.has_probe"
        swap = swap_of(part.task)
        models.append(fit_frozen(own, rest, langs, part.task.link, rng, swap=swap).model)
    return FrozenModels(models=tuple(models), widths=widths)
