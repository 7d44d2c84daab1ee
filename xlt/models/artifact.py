"""Writes and reads trained models with torch; the folder is that of `xlt.models.folder`.

Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from xlt.config import TrainConfig
from xlt.encoder.dtypes import narrowest
from xlt.encoder.encoder import Encoder, embed, load_encoder
from xlt.encoder.locations import encoder_fingerprint
from xlt.encoder.together import combined_width
from xlt.encoder.tokens import Input
from xlt.errors import EncoderError, XltError
from xlt.frozen.several import Frozen, check_fit, frozen_from
from xlt.models.folder import (
    HEAD,
    SETTINGS,
    WEIGHTS,
    make_folder,
    read_task,
    read_texts,
    write_settings,
)
from xlt.models.frozen import stored, write_origin
from xlt.tasks.heads import Head, build_head
from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask


def save_model(
    out: Path,
    encoder: Encoder,
    head: nn.Module | Frozen,
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

    def fill(folder: Path) -> None:
        encoder.model.config.save_pretrained(folder)
        encoder.tokenizer.save_pretrained(folder)
        if isinstance(head, Frozen):
            write_origin(folder, encoder_fingerprint(encoder.name))
        _write_weights(folder, encoder, head)
        write_settings(folder, task, config, texts=texts, losses=losses)
        finish(folder)

    make_folder(out, fill)


def _write_weights(folder: Path, encoder: Encoder, head: nn.Module | Frozen) -> None:
    tensors = {name: narrowest(value.cpu()) for name, value in encoder.model.state_dict().items()}
    if isinstance(head, Frozen):
        tensors |= {HEAD + name: torch.from_numpy(value) for name, value in stored(head).items()}
    else:
        tensors |= {HEAD + name: narrowest(v.cpu()) for name, v in head.state_dict().items()}
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    save_file(contiguous, folder / WEIGHTS, metadata={"format": "pt"})


def load_model(folder: Path) -> tuple[Encoder, Head | Frozen, AnyTask, TrainConfig]:
    """Reads a model that `save_model` wrote, in evaluation mode.

    Raises:
        EncoderError: If the folder does not hold a complete model.
    """
    task, texts = read_task(folder), read_texts(folder)
    try:
        config = TrainConfig.from_toml(folder / SETTINGS)
        encoder = load_encoder(str(folder.resolve()), to_read=True)
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(HEAD)]  # noqa: SIM118
            state = {name.removeprefix(HEAD): file.get_tensor(name) for name in names}
        head = _head(state, task, encoder, texts, frozen=config.learner == "frozen")
    except EncoderError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, XltError) as error:
        raise EncoderError(f"no complete model in {folder}: {error}") from error
    return encoder, head, task, config


def _head(
    state: Mapping[str, torch.Tensor], task: AnyTask, encoder: Encoder, texts: int, *, frozen: bool
) -> Head | Frozen:
    if frozen and has_probe(task):
        values = {name: value.float().numpy() for name, value in state.items()}
        model = frozen_from(values, task)
        width = combined_width(encoder.width, texts)
        check_fit(model, task, width=width, layers=len(encoder.upper_layers) + 1)
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
    return embed(texts, encoder=base_encoder(model))


def base_encoder(model: str) -> str:
    """Returns the name of the encoder that a model was trained from; of an encoder its own."""
    settings = Path(model) / SETTINGS
    return TrainConfig.from_toml(settings).encoder if settings.is_file() else model
