"""Tensors in the fewest bits that hold their values exactly: in files, and while only read."""

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

#: From few bits to many. Each type's values are values of float32.
_NARROW = (torch.float8_e4m3fn, torch.float16, torch.bfloat16)
_FILE = "model.safetensors"
_GLANCE = 4096  # values that most tensors are ruled out by

#: By their names in safetensors.
_NAMES = {
    "F8_E4M3": torch.float8_e4m3fn,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
}

#: Rows of any numbers are looked up as rows of whole ones, which every device has a kernel for.
_BITS = {1: torch.uint8, 2: torch.int16}


def narrowest(tensor: Tensor) -> Tensor:
    """The same float32 values in the fewest bits that hold each of them exactly.

    Weights that a training left as they were in an encoder's file get that file's type back;
    trained ones stay as they are. `from_pretrained(..., dtype=torch.float32)` gives them again.
    """
    if tensor.dtype != torch.float32:
        return tensor
    for dtype in _NARROW:
        if _exact(tensor.flatten()[:_GLANCE], dtype) and _exact(tensor, dtype):
            return tensor.to(dtype)
    return tensor


def _exact(tensor: Tensor, dtype: torch.dtype) -> bool:
    return torch.equal(tensor.to(dtype).float(), tensor)


class StoredEmbedding(nn.Embedding):
    """Embeddings that are only read: kept in few bits, given as float32.

    The rows are a buffer: a model is taken to compute in the type of its first parameter.
    """

    weight: Tensor

    def __init__(self, table: nn.Embedding, dtype: torch.dtype) -> None:
        size = (table.num_embeddings, table.embedding_dim)
        super().__init__(*size, padding_idx=table.padding_idx, device="meta")
        del self.weight
        self.register_buffer("weight", table.weight.detach().to(dtype))

    def forward(self, input: Tensor) -> Tensor:
        """Rows (..., H) of ids (...)."""
        kept = self.weight
        bits = kept.view(_BITS.get(kept.element_size(), kept.dtype))
        return functional.embedding(input, bits).view(kept.dtype).float()


def keep_table_as_stored(body: PreTrainedModel, place: Path | str) -> None:
    """Keep the table of input embeddings in the eight or sixteen bits that its file has, in place.

    It is most of a small multilingual encoder's memory. What is read stays the same, bit by bit;
    the table can no longer be trained. One that is stored in more bits, or that does more than
    look rows up, stays as it is.

    Args:
        body: An encoder in float32, as loaded from `place`.
        place: Its folder or Hub name.
    """
    table = body.get_input_embeddings()
    if type(table) is not nn.Embedding:  # one of a kind of its own may scale what it looks up
        return
    name = next(name for name, module in body.named_modules() if module is table)
    dtype = type_of(f"{name}.weight", stored_types(place), default=torch.float32)
    if dtype in _NARROW:
        body.set_input_embeddings(StoredEmbedding(table, dtype))


def stored_types(place: Path | str) -> dict[str, torch.dtype]:
    """Types of the tensors in an encoder's file, by name.

    Empty where it has several files, or none that can be read without unpickling.

    Args:
        place: Its folder or Hub name.
    """
    path = weights_file(place)
    if path is None:
        return {}
    with safe_open(path, framework="pt") as file:
        names = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    return {name: _NAMES[found] for name, found in names.items() if found in _NAMES}


def weights_file(place: Path | str) -> str | None:
    """An encoder's weights on this machine; None where they are several files or another format.

    Nothing is asked of the Hub, which an encoder that is loaded has been fetched from.

    Args:
        place: Its folder or Hub name.
    """
    if os.path.isdir(place):
        path = os.path.join(place, _FILE)
        return path if os.path.isfile(path) else None
    found = try_to_load_from_cache(str(place), _FILE)
    return found if isinstance(found, str) else None


def type_of(name: str, types: Mapping[str, torch.dtype], *, default: torch.dtype) -> torch.dtype:
    """Type of a body's tensor in its file, where it may stand under the whole model's name.

    The default where two tensors end in that name and neither is it.
    """
    if name in types:
        return types[name]
    found = [dtype for known, dtype in types.items() if known.endswith(f".{name}")]
    return found[0] if len(found) == 1 else default
