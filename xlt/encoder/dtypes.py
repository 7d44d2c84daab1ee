"""Data types of weights: the narrowest that holds them exactly, in files and in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

#: From the narrowest on. All of their values are values of float32.
_NARROW = (torch.float8_e4m3fn, torch.float16, torch.bfloat16)
_FILE = "model.safetensors"
_SAMPLE = 4096  # values that rule out most tensors

#: Types by their names in safetensors.
_NAMES = {
    "F8_E4M3": torch.float8_e4m3fn,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
}

#: Rows are looked up as integers of the same width, which every device has a kernel for.
_BITS = {1: torch.uint8, 2: torch.int16}


def narrowest(tensor: Tensor) -> Tensor:
    """Returns the same float32 values in the narrowest type that holds each of them exactly.

    Weights that a training did not change get the type of the encoder's file back; trained ones
    stay float32. `from_pretrained(..., dtype=torch.float32)` restores them.
    """
    if tensor.dtype != torch.float32:
        return tensor
    for dtype in _NARROW:
        if _exact(tensor.flatten()[:_SAMPLE], dtype) and _exact(tensor, dtype):
            return tensor.to(dtype)
    return tensor


def _exact(tensor: Tensor, dtype: torch.dtype) -> bool:
    return torch.equal(tensor.to(dtype).float(), tensor)


class StoredEmbedding(nn.Embedding):
    """Embeddings for inference: stored in a narrow type, returned as float32.

    The rows are a buffer, because Hugging Face takes a model's type from its first parameter.
    """

    weight: Tensor

    def __init__(self, table: nn.Embedding, dtype: torch.dtype) -> None:
        size = (table.num_embeddings, table.embedding_dim)
        super().__init__(*size, padding_idx=table.padding_idx, device="meta")
        del self.weight
        self.register_buffer("weight", table.weight.detach().to(dtype))

    def forward(self, input: Tensor) -> Tensor:
        """Returns the rows (..., H) of ids (...)."""
        stored = self.weight
        bits = stored.view(_BITS.get(stored.element_size(), stored.dtype))
        return functional.embedding(input, bits).view(stored.dtype).float()


def keep_table_as_stored(body: PreTrainedModel, place: Path | str) -> None:
    """Converts the input embeddings, in place, to the eight or sixteen bits of their file.

    They are most of a small multilingual encoder's memory. Vectors stay the same, bit for bit, but
    the embeddings can no longer be trained. Embeddings that are stored in more bits, or do more
    than look up rows, are not converted.

    Args:
        body: An encoder in float32, loaded from `place`.
        place: Its folder or Hub name.
    """
    table = body.get_input_embeddings()
    if type(table) is not nn.Embedding:  # a subclass may scale the rows
        return
    name = next(name for name, module in body.named_modules() if module is table)
    dtype = type_of(f"{name}.weight", stored_types(place), default=torch.float32)
    if dtype in _NARROW:
        body.set_input_embeddings(StoredEmbedding(table, dtype))


def stored_types(place: Path | str) -> dict[str, torch.dtype]:
    """Returns the types of the tensors in an encoder's file, by name.

    Empty if its weights are several files, or in a format that needs unpickling.

    Args:
        place: Its folder or Hub name.
    """
    path = weights_file(place)
    if path is None:
        return {}
    with safe_open(path, framework="pt") as file:
        names = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    return {name: _NAMES[dtype] for name, dtype in names.items() if dtype in _NAMES}


def weights_file(place: Path | str) -> str | None:
    """Returns the file of an encoder's weights on this machine.

    The Hub is not contacted: an encoder that is loaded has been downloaded already.

    Args:
        place: Its folder or Hub name.

    Returns:
        None if the weights are several files or in another format.
    """
    if os.path.isdir(place):
        path = os.path.join(place, _FILE)
        return path if os.path.isfile(path) else None
    cached = try_to_load_from_cache(str(place), _FILE)
    return cached if isinstance(cached, str) else None


def type_of(name: str, types: Mapping[str, torch.dtype], *, default: torch.dtype) -> torch.dtype:
    """Returns the type of a body's tensor in its file, which may have the whole model's prefix.

    Returns the default if none, or more than one, of the names ends in that name.
    """
    if name in types:
        return types[name]
    matches = [dtype for known, dtype in types.items() if known.endswith(f".{name}")]
    return matches[0] if len(matches) == 1 else default
