"""Checkpoints, from which a killed training resumes: one safetensors file, replaced atomically."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from xlt.disk.durable import drop_unfinished, replacement
from xlt.errors import StoreError
from xlt.training.averaging import WeightAverage

_log = logging.getLogger(__name__)

_FILE = "training.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """The objects of a training whose values a checkpoint holds.

    Attributes:
        parameters: Trainable parameters by name.
        buffers: Other tensors that training sets, by name.
        optimizer: AdamW over `parameters`.
        average: Running mean of `parameters`.
    """

    parameters: Mapping[str, nn.Parameter]
    buffers: Mapping[str, Tensor]
    optimizer: torch.optim.Optimizer
    average: WeightAverage

    def tensors(self) -> dict[str, Tensor]:
        """Returns all values by name."""
        named: dict[str, Tensor] = {f"model/{k}": v.detach() for k, v in self.parameters.items()}
        named |= {f"buffer/{k}": v for k, v in self.buffers.items()}
        named |= {f"average/{k}": v for k, v in self.average.mean.items()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                named[f"optimizer/{key}/{name}"] = value
        return {key: value.cpu().contiguous() for key, value in named.items()}

    @torch.no_grad()
    def restore(self, named: Mapping[str, Tensor], n_averaged: int) -> None:
        """Restores the values that `tensors` returned."""
        self.average.n_averaged = n_averaged
        for key, value in named.items():
            kind, _, name = key.partition("/")
            if kind == "model":
                self.parameters[name].copy_(value)
            elif kind == "buffer":
                self.buffers[name].copy_(value)
            elif kind == "average":
                self.average.mean[name] = value.to(self.parameters[name].device)
            else:
                part, _, name = name.partition("/")
                self.optimizer.state[self.parameters[name]][part] = (
                    value if part == "step" else value.to(self.parameters[name].device)
                )


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    history: Sequence[Mapping[str, float]],
    *,
    step: int,
    identity: str,
) -> None:
    """Writes the state after `step` steps; the previous checkpoint stays until this is complete.

    Raises:
        StoreError: If it cannot be written.
    """
    meta = {
        "step": step,
        "identity": identity,
        "n_averaged": state.average.n_averaged,
        "history": list(history),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drop_unfinished(folder / _FILE)
        with replacement(folder / _FILE) as beside:
            save_file(state.tensors(), beside, metadata={"xlt": json.dumps(meta)})
    except (OSError, SafetensorError) as error:
        raise StoreError(f"cannot write a checkpoint to {folder}: {error}") from error


def load_checkpoint(
    folder: Path, state: TrainingState, history: list[dict[str, float]], identity: str
) -> int:
    """Restores the last checkpoint of the same training, and its history of losses.

    Returns:
        Steps done; 0 if there is no checkpoint, or if it is damaged or of another training.
    """
    path = folder / _FILE
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads(file.metadata()["xlt"])
            if meta["identity"] != identity:
                _log.info("the checkpoint in %s is of another training: start again", folder)
                return 0
            named = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            history[:] = meta["history"]
            state.restore(named, meta["n_averaged"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        _log.warning("the checkpoint in %s is damaged (%s): start again", folder, error)
        return 0
    return int(meta["step"])


def drop_checkpoint(folder: Path) -> None:
    """Removes the checkpoint of a finished training."""
    drop_unfinished(folder / _FILE)
    (folder / _FILE).unlink(missing_ok=True)
