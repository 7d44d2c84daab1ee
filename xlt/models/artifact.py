"""A trained model as a folder: safetensors, JSON and TOML; nothing is ever unpickled.

    model.safetensors   body under Hugging Face's names, the tensors of the head or of the frozen
                        model under `xlt_head.`, each in the fewest bits that hold it exactly
    config.json         the encoder's architecture; tokenizer.json ...: its tokenizer
    task.json           kind of task, and its labels in order; number of texts if there are several
    calibration.json    temperatures per language, if it was calibrated
    config.toml         the settings it was trained with
    losses.json         the parts of the loss along the training
    README.md           the model card, if it was trained and not only saved

`AutoModel.from_pretrained` and `AutoTokenizer.from_pretrained` load the folder too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from xlt.config import TrainConfig
from xlt.data.examples import MOST_TEXTS
from xlt.disk.outputs import beside, put_in_place
from xlt.encoder.dtypes import narrowest
from xlt.encoder.encoder import Encoder, embed, load_encoder
from xlt.encoder.together import combined_width
from xlt.encoder.tokens import Input
from xlt.errors import DataError, EncoderError, StoreError, XltError
from xlt.frozen.model import FrozenModel
from xlt.tasks.heads import Head, build_head
from xlt.tasks.kinds import task_from_json
from xlt.tasks.probes import has_probe
from xlt.tasks.swaps import swap_of
from xlt.tasks.task import AnyTask

_HEAD = "xlt_head."
#: Key of task.json with the number of texts of an example.
_TEXTS = "texts"


def save_model(
    out: Path,
    encoder: Encoder,
    head: nn.Module | FrozenModel,
    *,
    task: AnyTask,
    config: TrainConfig,
    losses: Sequence[Mapping[str, float]],
    texts: int = 1,
    finish: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Writes a model's folder; it appears whole or not at all.

    Args:
        out: The folder.
        encoder: The encoder, trained unless the model is a frozen one.
        head: The trained head, or the frozen model.
        task: Task of the model.
        config: The settings it was trained with.
        losses: The parts of the loss along the training.
        texts: Number of texts of an example.
        finish: Called with the written folder before it appears; may add files.

    Raises:
        StoreError: If it cannot be written, or `out` exists and is not empty. A model that is
            complete is kept beside `out` then.
    """
    out = out.resolve()
    temporary = beside(out)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        _write(temporary, encoder, head, task=task, config=config, losses=losses, texts=texts)
        finish(temporary)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError | SafetensorError):
            raise StoreError(f"cannot write the model to {out}: {error}") from error
        raise
    put_in_place(temporary, out)


def _write(
    folder: Path,
    encoder: Encoder,
    head: nn.Module | FrozenModel,
    *,
    task: AnyTask,
    config: TrainConfig,
    losses: Sequence[Mapping[str, float]],
    texts: int,
) -> None:
    tensors = dict(encoder.model.state_dict())
    tensors |= {_HEAD + name: value for name, value in _tensors(head).items()}
    save_file(
        {name: narrowest(value.cpu()).contiguous() for name, value in tensors.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    encoder.model.config.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)
    value = json.dumps(
        task.to_json() | ({_TEXTS: texts} if texts > 1 else {}), ensure_ascii=False, indent=1
    )
    (folder / "task.json").write_text(value, "utf-8")
    (folder / "config.toml").write_text(config.to_toml(), "utf-8")
    (folder / "losses.json").write_text(json.dumps(list(losses)), "utf-8")


def _tensors(head: nn.Module | FrozenModel) -> dict[str, torch.Tensor]:
    if isinstance(head, FrozenModel):
        return {name: torch.from_numpy(value) for name, value in head.tensors().items()}
    return dict(head.state_dict())


def is_model(folder: Path) -> bool:
    """Returns whether a folder holds a model, complete or not, and not an encoder alone."""
    return any((folder / name).exists() for name in ("task.json", "config.toml"))


def read_task(folder: Path) -> AnyTask:
    """Reads only the task of a model that `save_model` wrote.

    Raises:
        EncoderError: If the folder does not hold a model's task.
    """
    if not is_model(folder):
        what = "it has no task.json" if folder.is_dir() else "there is no such folder"
        raise EncoderError(f"no model in {folder}: {what}; `xlt train` writes models")
    try:
        return task_from_json(json.loads((folder / "task.json").read_text("utf-8")))
    except (OSError, ValueError, KeyError, XltError) as error:
        raise EncoderError(f"no complete model in {folder}: {error}") from error


def read_texts(folder: Path) -> int:
    """Reads the number of texts of an example of a model; older models read one.

    Raises:
        EncoderError: If the folder does not hold a model's task.
    """
    try:
        count = json.loads((folder / "task.json").read_text("utf-8")).get(_TEXTS, 1)
        if type(count) is not int or not 1 <= count <= MOST_TEXTS:
            raise DataError(f"expected 1 to {MOST_TEXTS} texts, got {count!r}")
    except (OSError, ValueError, AttributeError, XltError) as error:
        raise EncoderError(f"no complete model in {folder}: {error}") from error
    return count


def load_model(folder: Path) -> tuple[Encoder, Head | FrozenModel, AnyTask, TrainConfig]:
    """Reads a model that `save_model` wrote, in evaluation mode.

    Raises:
        EncoderError: If the folder does not hold a complete model.
    """
    task, texts = read_task(folder), read_texts(folder)
    try:
        config = TrainConfig.from_toml(folder / "config.toml")
        encoder = load_encoder(str(folder.resolve()), to_read=True)
        with safe_open(folder / "model.safetensors", framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(_HEAD)]  # noqa: SIM118
            state = {name.removeprefix(_HEAD): file.get_tensor(name) for name in names}
        head = _head(state, task, encoder, texts, frozen=config.learner == "frozen")
    except EncoderError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, XltError) as error:
        raise EncoderError(f"no complete model in {folder}: {error}") from error
    return encoder, head, task, config


def _head(
    state: Mapping[str, torch.Tensor], task: AnyTask, encoder: Encoder, texts: int, *, frozen: bool
) -> Head | FrozenModel:
    if frozen and has_probe(task):
        model = FrozenModel.from_tensors({k: v.float().numpy() for k, v in state.items()})
        model = replace(model, swap=swap_of(task))
        width = combined_width(encoder.width, texts)
        shape = (model.layers, *model.centres.overall.shape[1:], len(model.biases))
        every = len(encoder.upper_layers) + 1
        expected = [(layers, width, task.width) for layers in (1, every)]
        if shape not in expected:
            raise DataError(f"the frozen model has shape {shape}, expected one of {expected}")
        return model
    head = build_head(task, encoder.width, texts=texts, embedding_width=encoder.embedding_width)
    head.load_state_dict(state)
    return head.eval()


def base_vectors(model: str, texts: Sequence[Input]) -> NDArray[np.float32]:
    """Returns sentence vectors (N, D) of a model's base encoder.

    Args:
        model: A model's folder, or an encoder, see `xlt.encoder.encoder.embed`.
        texts: N texts, or N times texts that belong together.

    Raises:
        EncoderError: If the encoder cannot be loaded.
    """
    settings = Path(model) / "config.toml"
    encoder = TrainConfig.from_toml(settings).encoder if settings.is_file() else model
    return embed(texts, encoder=encoder)
