"""Checkpoints, with which a killed distillation continues as if it had not been interrupted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from xlt.disk.durable import empty_beside, former, replace_folder
from xlt.pretrain.distil.batches import DistilState
from xlt.pretrain.distil.loop import Optimizers


def save_checkpoint(
    folder: Path,
    model: torch.nn.Module,
    optimizers: Optimizers,
    state: DistilState,
    rng: np.random.Generator,
) -> None:
    """Writes weights, optimizers and state; the folder is replaced in one step."""
    part = empty_beside(folder)
    save_file(_parameters(model), part / "model.safetensors")
    for name, optimizer in _named(optimizers).items():
        moments: dict[str, Tensor] = {}
        for row, values in optimizer.state_dict()["state"].items():
            moments.update({f"{row}.{key}": torch.as_tensor(v) for key, v in values.items()})
        save_file(moments, part / name)
    position = {
        "step": state.step,
        "seconds": state.seconds,
        "batches": None if state.batches is None else [b.tolist() for b in state.batches],
        "rng": rng.bit_generator.state,
    }
    (part / "state.json").write_text(json.dumps(position), encoding="utf-8")
    replace_folder(part, folder)


def load_checkpoint(
    folder: Path,
    model: torch.nn.Module,
    optimizers: Optimizers,
    rng: np.random.Generator,
) -> DistilState:
    """Restores the model, the optimizers and the generator from a checkpoint.

    Returns:
        The state to continue from: the start if there is no checkpoint.
    """
    if not folder.exists():
        folder = former(folder)  # killed between the two renames
    if not folder.exists():
        return DistilState()
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    for file, optimizer in _named(optimizers).items():
        whole = optimizer.state_dict()
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in load_file(folder / file).items():
            row, _, key = name.partition(".")
            moments.setdefault(int(row), {})[key] = tensor
        optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
    position = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    rng.bit_generator.state = position["rng"]
    batches = position["batches"]
    return DistilState(
        step=position["step"],
        seconds=position["seconds"],
        batches=None if batches is None else [np.array(b, dtype=np.int64) for b in batches],
    )


def _parameters(model: torch.nn.Module) -> dict[str, Tensor]:
    """Returns each weight once: tied weights have a single name among the parameters."""
    return {name: p.detach().cpu().contiguous() for name, p in model.named_parameters()}


def _named(optimizers: Optimizers) -> Mapping[str, torch.optim.Optimizer]:
    """Returns the optimizers by their file names."""
    return {"body.safetensors": optimizers.body, "rows.safetensors": optimizers.rows}
