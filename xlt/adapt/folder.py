"""Encoders whose pieces have changed: swaps their embeddings, and writes them as plain folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedModel

from xlt.adapt.pieces import TokenizerJson
from xlt.adapt.trim import renumbered_settings
from xlt.encoder.dtypes import stored_types, type_of, weights_file
from xlt.encoder.encoder import Encoder
from xlt.encoder.locations import HEAD_FILE, resolve
from xlt.errors import EncoderError

_HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def masked_lm(encoder: Encoder) -> PreTrainedModel | None:
    """The encoder's trained masked-LM model around its body, where it has one."""
    return None if encoder.mlm is None else encoder.mlm.rest


def table_of(encoder: Encoder) -> nn.Embedding:
    """The input embeddings.

    Raises:
        EncoderError: If the architecture has no table of them.
    """
    found = encoder.model.get_input_embeddings()
    if not isinstance(found, nn.Embedding):
        raise EncoderError(f"{encoder.name!r} has no table of embeddings to adapt")
    return found


def set_table(encoder: Encoder, rows: Tensor) -> None:
    """Gives the encoder other embeddings, (V, H), and its masked-LM head the same."""
    table = table_of(encoder)
    old = table.weight
    new = nn.Parameter(rows.detach().to(old.device).clone())
    assert isinstance(old, nn.Parameter)
    head = masked_lm(encoder)
    for model in (encoder.model, *([] if head is None else [head])):
        _replace(model, old, new)
        model.config.vocab_size = len(rows)
    table.num_embeddings = len(rows)


def set_bias(encoder: Encoder, bias: Tensor) -> None:
    """Gives the masked-LM head another bias, (V,), where it has one."""
    head = masked_lm(encoder)
    old = head_bias(encoder)
    if head is not None and old is not None:
        _replace(head, old, nn.Parameter(bias.detach().to(old.device).clone()))


def head_bias(encoder: Encoder) -> nn.Parameter | None:
    """The bias (V,) of the masked-LM head's last layer, where it has one."""
    head = masked_lm(encoder)
    last = None if head is None else head.get_output_embeddings()  # type: ignore[no-untyped-call]
    found = getattr(last, "bias", None)
    return found if isinstance(found, nn.Parameter) else None


def write(
    encoder: Encoder,
    part: Path,
    *,
    origin: str,
    tokenizer: TokenizerJson,
    kept: NDArray[np.int64] | None = None,
) -> None:
    """Writes a folder that AutoModel and AutoTokenizer load.

    Numbers have the type that the encoder's own file has, but for what was trained outside the
    table: eight bits would round most of it away. A masked-LM head is a file of its own
    (`head.safetensors`, with Hugging Face's names), so that the rest is a plain body.

    Args:
        encoder: What to write.
        part: Where; replaced where it exists.
        origin: Where the encoder came from; a pooler, which xlt does not use, is taken from it.
        tokenizer: What tokenizer.json shall hold.
        kept: Old ids that were kept, where the tokenizer was trimmed.
    """
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    types, dtype = _types(origin)
    body = dict(encoder.model.state_dict()) | _pooler(origin)
    table = _table_name(encoder)
    kinds = {name: type_of(name, types, default=dtype) for name in body}
    stored = {
        name: _stored(value, kinds[name], kinds[name] if name == table else dtype)
        for name, value in body.items()
    }
    _save(stored, part / "model.safetensors")
    head = masked_lm(encoder)
    if head is not None:
        prefix, tied = head.base_model_prefix + ".", table_of(encoder).weight
        own = {
            name: _stored(value, dtype, dtype)
            for name, value in head.state_dict(keep_vars=True).items()
            if not name.startswith(prefix) and value is not tied
        }
        _save(own, part / HEAD_FILE)
    _write_config(encoder, part, dtype, kept)
    _write_tokenizer(encoder, part, tokenizer)


def _replace(model: nn.Module, old: nn.Parameter, new: nn.Parameter) -> None:
    """Puts `new` wherever `old` stands; tied weights stand in several places."""
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter is old:
                setattr(module, name, new)
                if isinstance(module, nn.Linear):
                    module.out_features = len(new)


def table_dtype(encoder: Encoder, origin: str) -> torch.dtype:
    """The type of the embeddings' numbers in the files that `write` makes."""
    types, default = _types(origin)
    return type_of(_table_name(encoder), types, default=default)


def _table_name(encoder: Encoder) -> str:
    table = table_of(encoder).weight
    return next(name for name, value in encoder.model.named_parameters() if value is table)


def _types(origin: str) -> tuple[dict[str, torch.dtype], torch.dtype]:
    """Types of a checkpoint's tensors by its file, and by its config; or else float32."""
    place = resolve(origin)
    stated = str(getattr(AutoConfig.from_pretrained(place), "dtype", "") or "")
    return stored_types(place), _HALVES.get(stated.removeprefix("torch."), torch.float32)


def _pooler(origin: str) -> dict[str, Tensor]:
    """The pooler's weights, where the checkpoint has them; AutoModel would start one at random."""
    path = weights_file(resolve(origin))
    if path is None:
        return {}
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if "pooler." in name]  # noqa: SIM118
        return {f"pooler.{name.rpartition('pooler.')[2]}": file.get_tensor(name) for name in names}


def _stored(value: Tensor, dtype: torch.dtype, trained: torch.dtype) -> Tensor:
    """A tensor as `dtype`, or as `trained` where eight bits would change its numbers."""
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
    encoder: Encoder, part: Path, dtype: torch.dtype, kept: NDArray[np.int64] | None
) -> None:
    settings = encoder.model.config.to_diff_dict()
    settings.pop("_name_or_path", None)
    settings["vocab_size"] = table_of(encoder).num_embeddings
    settings["dtype"] = str(dtype).removeprefix("torch.")
    settings["architectures"] = [type(encoder.model).__name__]
    if kept is not None:
        settings |= renumbered_settings(settings, kept)
    (part / "config.json").write_text(
        json.dumps(settings, indent=1, default=str) + "\n", encoding="utf-8"
    )


def _write_tokenizer(encoder: Encoder, part: Path, tokenizer: TokenizerJson) -> None:
    """The tokenizer, as the class that reads tokenizer.json as it is."""
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
