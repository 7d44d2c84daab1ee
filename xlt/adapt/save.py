"""Saves an adapted encoder as a folder that AutoModel and AutoTokenizer load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoConfig

from xlt.adapt.embeddings import embedding_table, masked_lm
from xlt.adapt.tokenizer_json import TokenizerJson
from xlt.adapt.trim import renumbered_settings
from xlt.encoder.dtypes import stored_types, type_of, weights_file
from xlt.encoder.encoder import Encoder
from xlt.encoder.locations import HEAD_FILE, resolve

_HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def save_adapted(
    encoder: Encoder,
    part: Path,
    *,
    origin: str,
    tokenizer: TokenizerJson,
    kept_ids: NDArray[np.int64] | None = None,
) -> None:
    """Writes a folder that AutoModel and AutoTokenizer load.

    Weights have the type of the encoder's own file, except those trained outside the embeddings:
    eight bits would round most of their changes away. A masked-LM head gets a file of its own
    (`head.safetensors`, with Hugging Face's names), so that the rest is a plain body.

    Args:
        encoder: The adapted encoder.
        part: Folder to write; an old one is replaced.
        origin: Name of the unadapted encoder, which types and the unused pooler are taken from.
        tokenizer: Content of tokenizer.json.
        kept_ids: Old ids that were kept if the tokenizer was trimmed.
    """
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    types, dtype = _types(origin)
    body = dict(encoder.model.state_dict()) | _pooler(origin)
    table = _table_name(encoder)
    stored_as = {name: type_of(name, types, default=dtype) for name in body}
    stored = {
        name: _converted(value, stored_as[name], stored_as[name] if name == table else dtype)
        for name, value in body.items()
    }
    _save(stored, part / "model.safetensors")
    head = masked_lm(encoder)
    if head is not None:
        prefix, tied = head.base_model_prefix + ".", embedding_table(encoder).weight
        own = {
            name: _converted(value, dtype, dtype)
            for name, value in head.state_dict(keep_vars=True).items()
            if not name.startswith(prefix) and value is not tied
        }
        _save(own, part / HEAD_FILE)
    _write_config(encoder, part, dtype, kept_ids)
    _write_tokenizer(encoder, part, tokenizer)


def table_dtype(encoder: Encoder, origin: str) -> torch.dtype:
    """Returns the type of the embeddings in the folder that `save_adapted` writes."""
    types, default = _types(origin)
    return type_of(_table_name(encoder), types, default=default)


def _table_name(encoder: Encoder) -> str:
    table = embedding_table(encoder).weight
    return next(name for name, value in encoder.model.named_parameters() if value is table)


def _types(origin: str) -> tuple[dict[str, torch.dtype], torch.dtype]:
    """Returns the types of a checkpoint's tensors, and its config's type (default float32)."""
    place = resolve(origin)
    stated = str(getattr(AutoConfig.from_pretrained(place), "dtype", "") or "")
    return stored_types(place), _HALVES.get(stated.removeprefix("torch."), torch.float32)


def _pooler(origin: str) -> dict[str, Tensor]:
    """Returns the checkpoint's pooler, if it has one; AutoModel would make a random one."""
    path = weights_file(resolve(origin))
    if path is None:
        return {}
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if "pooler." in name]  # noqa: SIM118
        return {f"pooler.{name.rpartition('pooler.')[2]}": file.get_tensor(name) for name in names}


def _converted(value: Tensor, dtype: torch.dtype, trained: torch.dtype) -> Tensor:
    """Converts a tensor to `dtype`, or to `trained` if eight bits would change its values."""
    value = value.detach().cpu()
    if not value.is_floating_point():
        return value
    rounded = value.to(dtype)
    if dtype.itemsize == 1 and not torch.equal(rounded.float(), value.float()):
        return value.to(trained)
    return rounded


def _save(state: dict[str, Tensor], file: Path) -> None:
    values = {name: value.contiguous().clone() for name, value in state.items()}
    save_file(values, file, metadata={"format": "pt"})
    file.chmod(0o644)


def _write_config(
    encoder: Encoder, part: Path, dtype: torch.dtype, kept_ids: NDArray[np.int64] | None
) -> None:
    settings = encoder.model.config.to_diff_dict()
    settings.pop("_name_or_path", None)
    settings["vocab_size"] = embedding_table(encoder).num_embeddings
    settings["dtype"] = str(dtype).removeprefix("torch.")
    settings["architectures"] = [type(encoder.model).__name__]
    if kept_ids is not None:
        settings |= renumbered_settings(settings, kept_ids)
    (part / "config.json").write_text(
        json.dumps(settings, indent=1, default=str) + "\n", encoding="utf-8"
    )


def _write_tokenizer(encoder: Encoder, part: Path, tokenizer: TokenizerJson) -> None:
    """Writes a tokenizer of the class that reads tokenizer.json as it is."""
    encoder.tokenizer.save_pretrained(part)
    for stale in ("vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spm.model"):
        (part / stale).unlink(missing_ok=True)
    (part / "tokenizer.json").write_text(
        json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8"
    )
    path = part / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    stale_keys = ("added_tokens_decoder", "backend", "is_local", "local_files_only")
    settings = {key: value for key, value in settings.items() if key not in stale_keys}
    settings |= {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": list(encoder.tokenizer.model_input_names),
    }
    path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
