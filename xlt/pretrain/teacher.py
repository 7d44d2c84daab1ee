"""The teacher: an English BERT, its sentence vectors and its embeddings in fewer dimensions."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModel, BertModel

from xlt.errors import ConfigError, EncoderError
from xlt.pretrain.embedding_factors import EmbeddingFactors, factorize
from xlt.pretrain.sentence_vectors import sentence_vectors
from xlt.pretrain.tokenized_texts import tokenize

_FACTOR_TOKENS = 64


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A BERT whose mean-pooled English sentence vectors the student learns."""

    body: BertModel
    tokenizer: Tokenizer
    path: Path


def find_teacher(name: str) -> Path:
    """Returns the folder of a teacher: a path, or `package:NAME/FOLDER` in an installed package.

    Raises:
        ConfigError: If there is no such folder or package.
    """
    if name.startswith("package:"):
        package, _, folder = name.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(
                f"the teacher's package {package!r} is not installed: run "
                f"pip install {package.replace('_', '-')}"
            )
        return Path(next(iter(spec.submodule_search_locations))) / folder
    path = Path(name)
    if not path.is_dir():
        raise ConfigError(f"there is no teacher {name!r}: give a folder or package:NAME/FOLDER")
    return path


def load_teacher(path: Path) -> Teacher:
    """Loads a BERT with a WordPiece tokenizer, in float32 and evaluation mode.

    Raises:
        EncoderError: If it has another architecture.
    """
    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    body = AutoModel.from_pretrained(path, dtype=torch.float32)
    if not isinstance(body, BertModel):
        raise EncoderError(f"the teacher must be a BERT, but {path} is a {type(body).__name__}")
    body.train(False)
    return Teacher(body=body, tokenizer=tokenizer, path=path)


def teacher_factors(teacher: Teacher, texts: Sequence[str], *, size: int) -> EmbeddingFactors:
    """Factorises the teacher's embeddings, fitted to English texts.

    Args:
        teacher: The teacher.
        texts: English sentences; a few thousand are enough.
        size: Numbers in an embedding of the student.

    Raises:
        ConfigError: If `size` is below 2 or not below the teacher's width.
    """
    width = int(teacher.body.config.hidden_size)
    if not 2 <= size < width:
        raise ConfigError(f"embedding_size must be from 2 to {width - 1}, got {size}")
    ids = teacher.tokenizer.get_vocab()
    pad, first, last = (ids[name] for name in ("[PAD]", "[CLS]", "[SEP]"))
    tokenized = tokenize(teacher.tokenizer, texts)
    tokens, mask = tokenized.padded(
        np.arange(len(tokenized)), max_tokens=_FACTOR_TOKENS, pad=pad, first=first, last=last
    )
    positions = torch.arange(tokens.shape[1]).expand(tokens.shape)
    return factorize(
        teacher.body.embeddings,
        counts=torch.bincount(tokens[mask.bool()], minlength=len(ids)).float(),
        ids=tokens[mask.bool()],
        positions=positions[mask.bool()],
        size=size,
    )


def teacher_vectors(teacher: Teacher, texts: Sequence[str], *, max_tokens: int) -> Tensor:
    """Returns the teacher's unit vectors of English texts: (N, H)."""
    ids = teacher.tokenizer.get_vocab()
    special = [ids[name] for name in ("[PAD]", "[CLS]", "[SEP]")]
    tokenized = tokenize(teacher.tokenizer, texts)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_fast_bfloat16()):
        return sentence_vectors(
            teacher.body,
            tokenized,
            np.arange(len(tokenized)),
            special=special,
            max_tokens=max_tokens,
        )


def _fast_bfloat16() -> bool:
    return (
        torch.backends.cpu.get_cpu_capability() == "AVX512"
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
