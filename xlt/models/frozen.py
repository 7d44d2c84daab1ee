"""Frozen models as folders, written and read without torch: the encoder's files are copied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from xlt.config import TrainConfig
from xlt.disk.tensors import copy_tensors
from xlt.errors import EncoderError, XltError
from xlt.frozen.several import Frozen, frozen_from
from xlt.models.folder import (
    HEAD,
    SETTINGS,
    WEIGHTS,
    make_folder,
    read_task,
    read_texts,
    write_settings,
)
from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask

#: Its file with the digest of the base encoder, and the names of the encoder's other files.
ENCODER = "encoder.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenFolder:
    """The content of a frozen model's folder.

    Attributes:
        model: The model.
        task: Its task.
        config: The settings it was trained with.
        texts: Number of texts of an example.
        encoder: Digest of the files of the encoder that it reads texts by.
    """

    model: Frozen
    task: AnyTask
    config: TrainConfig
    texts: int
    encoder: str


def write_origin(folder: Path, encoder: str) -> None:
    """Writes which encoder a frozen model has into a folder with the encoder's files alone.

    Args:
        folder: The folder, still without weights.
        encoder: Digest of the base encoder's files.
    """
    files = sorted(path.name for path in folder.iterdir())
    value = json.dumps({"digest": encoder, "files": files}, indent=1)
    (folder / ENCODER).write_text(value, "utf-8")


def encoder_of(folder: Path) -> str:
    """Returns the digest of the encoder that a model reads texts by.

    Empty if it is not known: fine-tuned models and those of former versions name none.
    """
    try:
        return str(_origin(folder)["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def save_frozen(
    out: Path,
    sibling: Path,
    model: Frozen,
    *,
    task: AnyTask,
    config: TrainConfig,
    texts: int,
    finish: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Writes a frozen model's folder with the encoder's files of another one.

    Args:
        out: The folder.
        sibling: Folder of a model with the same encoder, see `encoder_of`.
        model: The model.
        task: Task of the model.
        config: The settings it was trained with.
        texts: Number of texts of an example.
        finish: Called with the written folder before it appears; may add files.

    Raises:
        StoreError: See `xlt.models.folder.make_folder`.
    """

    def fill(folder: Path) -> None:
        for name in (*_origin(sibling)["files"], ENCODER):
            shutil.copyfile(sibling / name, folder / name)
        tensors = {HEAD + name: value for name, value in stored(model).items()}
        copy_tensors(sibling / WEIGHTS, folder / WEIGHTS, without=HEAD, added=tensors)
        write_settings(folder, task, config, texts=texts, losses=())
        finish(folder)

    make_folder(out, fill)


def read_frozen(folder: Path) -> FrozenFolder:
    """Reads a frozen model, without the encoder in its folder.

    Raises:
        EncoderError: If the folder does not hold a complete frozen model that names its encoder.
    """
    task, texts = read_task(folder), read_texts(folder)
    try:
        config = TrainConfig.from_toml(folder / SETTINGS)
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            names = [name for name in file.keys() if name.startswith(HEAD)]  # noqa: SIM118
            tensors = {name.removeprefix(HEAD): file.get_tensor(name) for name in names}
        encoder = encoder_of(folder)
        if not encoder or not has_probe(task):
            raise EncoderError("it does not say which encoder it has")
        model = frozen_from(tensors, task)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, XltError) as error:
        raise EncoderError(f"no complete frozen model in {folder}: {error}") from error
    return FrozenFolder(model=model, task=task, config=config, texts=texts, encoder=encoder)


def stored(model: Frozen) -> dict[str, NDArray[np.floating]]:
    """Returns a model's values by name, in 16 bits where these hold them exactly."""
    return {name: _narrowest(value) for name, value in model.tensors().items()}


def _narrowest(values: NDArray[np.float32]) -> NDArray[np.floating]:
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float16)
    return narrow if (narrow.astype(np.float32) == values).all() else values


def _origin(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / ENCODER).read_text("utf-8")))
