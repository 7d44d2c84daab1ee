"""The teacher, the student that starts from it, and the folder that the student is saved to."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoModel, BertModel, ElectraConfig, ElectraForMaskedLM

from xlt.disk.durable import empty_beside, replace_folder
from xlt.encoder.locations import HEAD_FILE
from xlt.errors import ConfigError, EncoderError
from xlt.pretrain.factor import Factor, factor
from xlt.pretrain.ragged import Ragged, encode
from xlt.pretrain.vocabulary import SPECIAL, Vocabulary, tokenizer_config

_FACTOR_TOKENS = 64
_LARGE = 100_000  # numbers; smaller matrices hold positions and the like, and no bytes to save


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A BERT whose mean-pooled English sentence vectors are to be kept."""

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
                f"the teacher's package {package!r} is not installed: "
                f"pip install {package.replace('_', '-')}"
            )
        return Path(next(iter(spec.submodule_search_locations))) / folder
    path = Path(name)
    if not path.is_dir():
        raise ConfigError(f"no teacher at {name!r}: give a folder or package:NAME/FOLDER")
    return path


def load_teacher(path: Path) -> Teacher:
    """Loads a BERT with a WordPiece tokenizer, in float32 and evaluation mode.

    Raises:
        EncoderError: If it is another architecture.
    """
    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    body = AutoModel.from_pretrained(path, dtype=torch.float32)
    if not isinstance(body, BertModel):
        raise EncoderError(f"the teacher must be a BERT, {path} is a {type(body).__name__}")
    body.train(False)
    return Teacher(body=body, tokenizer=tokenizer, path=path)


def teacher_factor(teacher: Teacher, texts: Sequence[str], *, size: int) -> Factor:
    """Returns the factor of the teacher's embeddings that suits English `texts`.

    Args:
        teacher: Whose embeddings to factor.
        texts: English sentences; a few thousand are enough.
        size: Numbers in a row of the student.

    Raises:
        ConfigError: If `size` is not between 2 and the teacher's width.
    """
    width = int(teacher.body.config.hidden_size)
    if not 2 <= size < width:
        raise ConfigError(f"embedding_size must be from 2 to {width - 1}, not {size}")
    ids = teacher.tokenizer.get_vocab()
    pad, first, last = (ids[name] for name in ("[PAD]", "[CLS]", "[SEP]"))
    cut = encode(teacher.tokenizer, texts)
    tokens, mask = cut.padded(
        np.arange(len(cut)), max_tokens=_FACTOR_TOKENS, pad=pad, first=first, last=last
    )
    positions = torch.arange(tokens.shape[1]).expand(tokens.shape)
    return factor(
        teacher.body.embeddings,
        counts=torch.bincount(tokens[mask.bool()], minlength=len(ids)).float(),
        ids=tokens[mask.bool()],
        positions=positions[mask.bool()],
        size=size,
    )


def make_student(
    teacher: Teacher, vocabulary: Vocabulary, rows: Tensor, factor: Factor, *, seed: int
) -> ElectraForMaskedLM:
    """Returns the teacher's body over new and shorter embeddings, as an ELECTRA.

    Args:
        teacher: Whose body to copy.
        vocabulary: The student's pieces.
        rows: Their embeddings.  # (V, r)
        factor: How the body's input is made of them.
        seed: Decides the first weights of the masked-token head.
    """
    config = _config(teacher, vocabulary, size=rows.shape[1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = ElectraForMaskedLM(config)
    old = teacher.body.state_dict()
    state = {name: tensor for name, tensor in old.items() if name.startswith("encoder.")}
    for table in ("position_embeddings", "token_type_embeddings"):
        name = f"embeddings.{table}.weight"
        state[name] = old[name] @ factor.basis
    state["embeddings.word_embeddings.weight"] = rows
    state["embeddings.LayerNorm.weight"] = torch.ones(rows.shape[1])
    state["embeddings.LayerNorm.bias"] = torch.zeros(rows.shape[1])
    state["embeddings_project.weight"] = factor.weight
    state["embeddings_project.bias"] = factor.bias
    student.electra.load_state_dict(state, strict=True)
    student.train(False)
    return student


def _config(teacher: Teacher, vocabulary: Vocabulary, *, size: int) -> ElectraConfig:
    old = teacher.body.config
    same = (
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob",
        "max_position_embeddings", "type_vocab_size", "initializer_range", "layer_norm_eps",
    )  # fmt: skip
    return ElectraConfig(
        **{name: getattr(old, name) for name in same},
        embedding_size=size,
        vocab_size=len(vocabulary.pieces),
        pad_token_id=vocabulary.pieces.index("[PAD]"),
        tie_word_embeddings=True,
        architectures=["ElectraForMaskedLM"],
    )


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean over the tokens that `mask` keeps: (B, T, H), (B, T) -> (B, H)."""
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)


@torch.no_grad()
def sentence_vectors(
    body: torch.nn.Module,
    texts: Ragged,
    rows: NDArray[np.int64],
    *,
    special: Sequence[int],
    max_tokens: int,
    batch_tokens: int = 8192,
) -> Tensor:
    """Returns unit vectors of `rows`, computed in batches of like length: (len(rows), H).

    Args:
        body: A BERT without head.
        texts: Cut texts.
        rows: Which of them.
        special: Ids of [PAD], [CLS] and [SEP].
        max_tokens: Longer texts are cut off.
        batch_tokens: Tokens in a batch, padding included.
    """
    device = next(body.parameters()).device
    order = rows[np.argsort(texts.lengths()[rows], kind="stable")]
    position = np.argsort(np.argsort(texts.lengths()[rows], kind="stable"), kind="stable")
    found: list[Tensor] = []
    begin = 0
    while begin < len(order):
        longest = int(min(texts.lengths()[order[begin]] + 2, max_tokens))
        step = max(1, batch_tokens // (longest + 8))
        ids, mask = texts.padded(
            order[begin : begin + step],
            max_tokens=max_tokens,
            pad=special[0],
            first=special[1],
            last=special[2],
        )
        ids, mask = ids.to(device), mask.to(device)
        hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state
        found.append(F.normalize(mean_pool(hidden.float(), mask), dim=-1).cpu())
        begin += step
    return torch.cat(found)[torch.from_numpy(position)]


def teacher_vectors(teacher: Teacher, texts: Sequence[str], *, max_tokens: int) -> Tensor:
    """Returns the teacher's unit vectors of English texts: (N, H)."""
    ids = teacher.tokenizer.get_vocab()
    special = [ids[name] for name in ("[PAD]", "[CLS]", "[SEP]")]
    cut = encode(teacher.tokenizer, texts)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_fast_bfloat16()):
        return sentence_vectors(
            teacher.body, cut, np.arange(len(cut)), special=special, max_tokens=max_tokens
        )


def save_encoder(
    student: ElectraForMaskedLM,
    vocabulary: Vocabulary,
    folder: Path,
    *,
    matrix_dtype: torch.dtype = torch.float16,
    beside: Mapping[str, str] | None = None,
) -> Path:
    """Writes an encoder that AutoModel and AutoTokenizer load, in half precision.

    The folder appears whole or not at all. The masked-token head is a file of its own, because
    AutoModel warns of every weight that it does not use.

    Args:
        student: What to write.
        vocabulary: Its pieces.
        folder: Where.
        matrix_dtype: Of the matrices of 100,000 numbers and more; float8_e4m3fn (arXiv 2209.05433)
            halves the file. AutoModel reads all as its `dtype` says.
        beside: Further files of the folder, text by name.

    Returns:
        The folder.

    Raises:
        ConfigError: If a weight is beyond what its type can hold.
    """
    part = empty_beside(folder)
    _save(student.electra.state_dict(), part / "model.safetensors", matrix_dtype)
    head = {n: value for n, value in student.state_dict().items() if n.startswith("generator_")}
    head.pop("generator_lm_head.weight")  # tied to the embeddings
    _save(head, part / HEAD_FILE, matrix_dtype)
    config = ElectraConfig(**student.config.to_dict())
    config.dtype = torch.float16
    config.architectures = ["ElectraModel"]
    config.save_pretrained(part)
    vocabulary.tokenizer.save(str(part / "tokenizer.json"), pretty=False)
    (part / "tokenizer_config.json").write_text(
        tokenizer_config(vocabulary.tokenizer, max_length=config.max_position_embeddings) + "\n",
        encoding="utf-8",
    )
    for name, text in (beside or {}).items():
        (part / name).write_text(text, encoding="utf-8")
    replace_folder(part, folder)
    return folder


def special_ids(vocabulary: Vocabulary) -> tuple[int, ...]:
    """Returns the ids of [PAD], [UNK], [CLS], [SEP] and [MASK]."""
    return tuple(vocabulary.pieces.index(name) for name in SPECIAL)


def _save(state: Mapping[str, Tensor], file: Path, matrix_dtype: torch.dtype) -> None:
    stored = {}
    for name, value in state.items():
        large = value.ndim == 2 and value.numel() >= _LARGE
        dtype = matrix_dtype if large else torch.float16
        most = value.abs().max().item()
        if not most <= torch.finfo(dtype).max:
            raise ConfigError(f"{name} has weights up to {most:g}, beyond what {dtype} holds")
        stored[name] = value.detach().to("cpu", dtype).contiguous()
    save_file(stored, file, metadata={"format": "pt"})
    file.chmod(0o644)


def _fast_bfloat16() -> bool:
    return (
        torch.backends.cpu.get_cpu_capability() == "AVX512"
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
