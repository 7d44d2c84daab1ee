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
from transformers import AutoModel, BertConfig, BertForMaskedLM, BertModel

from xlt.durable import empty_beside, replace_folder
from xlt.encoderfiles import HEAD_FILE
from xlt.errors import ConfigError, EncoderError
from xlt.pretrain.ragged import Ragged, encode
from xlt.pretrain.vocabulary import SPECIAL, Vocabulary, tokenizer_config


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


def make_student(
    teacher: Teacher, vocabulary: Vocabulary, rows: Tensor, *, seed: int
) -> BertForMaskedLM:
    """Returns the teacher's body over new embeddings.

    Args:
        teacher: Whose body to copy.
        vocabulary: The student's pieces.
        rows: Their embeddings.  # (V, H)
        seed: Decides the first weights of the masked-token head.
    """
    config = BertConfig(**teacher.body.config.to_dict())
    config.vocab_size = len(vocabulary.pieces)
    config.pad_token_id = vocabulary.pieces.index("[PAD]")
    config.architectures = ["BertForMaskedLM"]
    config.tie_word_embeddings = True
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student: BertForMaskedLM = BertForMaskedLM(config)
    state = {
        name: tensor
        for name, tensor in teacher.body.state_dict().items()
        if not name.startswith("pooler.") and "word_embeddings" not in name
    }
    state["embeddings.word_embeddings.weight"] = rows
    student.bert.load_state_dict(state, strict=True)
    student.train(False)
    return student


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
    student: BertForMaskedLM, teacher: Teacher, vocabulary: Vocabulary, folder: Path
) -> Path:
    """Writes an encoder that AutoModel and AutoTokenizer load, in half precision.

    The folder appears whole or not at all. The masked-token head is a file of its own, because
    AutoModel warns of every weight that it does not use; the teacher's pooler is in, because
    BertModel would start one at random.

    Returns:
        The folder.
    """
    part = empty_beside(folder)
    pooler = teacher.body.pooler.state_dict() if teacher.body.pooler is not None else {}
    body = student.bert.state_dict() | {f"pooler.{name}": value for name, value in pooler.items()}
    _save_half(body, part / "model.safetensors")
    head = {name: value for name, value in student.state_dict().items() if name.startswith("cls.")}
    _save_half({n: v for n, v in head.items() if "decoder" not in n}, part / HEAD_FILE)
    config = BertConfig(**student.config.to_dict())
    config.dtype = torch.float16
    config.architectures = ["BertModel"]
    config.save_pretrained(part)
    vocabulary.tokenizer.save(str(part / "tokenizer.json"), pretty=False)
    (part / "tokenizer_config.json").write_text(
        tokenizer_config(vocabulary.tokenizer, max_length=config.max_position_embeddings) + "\n",
        encoding="utf-8",
    )
    replace_folder(part, folder)
    return folder


def special_ids(vocabulary: Vocabulary) -> tuple[int, ...]:
    """Returns the ids of [PAD], [UNK], [CLS], [SEP] and [MASK]."""
    return tuple(vocabulary.pieces.index(name) for name in SPECIAL)


def _save_half(state: Mapping[str, Tensor], file: Path) -> None:
    half = {name: value.detach().to("cpu", torch.float16) for name, value in state.items()}
    save_file({name: v.contiguous() for name, v in half.items()}, file, metadata={"format": "pt"})
    file.chmod(0o644)


def _fast_bfloat16() -> bool:
    return (
        torch.backends.cpu.get_cpu_capability() == "AVX512"
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
