"""The student: made from its teacher, and saved as an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import ElectraConfig, ElectraForMaskedLM

from xlt.disk.durable import empty_beside
from xlt.disk.outputs import put_in_place
from xlt.encoder.locations import HEAD_FILE
from xlt.errors import ConfigError
from xlt.pretrain.embedding_factors import EmbeddingFactors
from xlt.pretrain.teacher import Teacher
from xlt.pretrain.vocabulary import Vocabulary
from xlt.pretrain.wordpiece import SPECIAL, tokenizer_config

_LARGE = 100_000  # numbers; smaller matrices are not worth a narrower type


def make_student(
    teacher: Teacher, vocabulary: Vocabulary, rows: Tensor, factors: EmbeddingFactors, *, seed: int
) -> ElectraForMaskedLM:
    """Returns an ELECTRA with the teacher's body and new, shorter embeddings.

    Args:
        teacher: The teacher.
        vocabulary: The student's pieces.
        rows: Their embeddings.  # (V, r)
        factors: Maps embeddings to the body's input.
        seed: Seed of the first weights of the masked-token head.
    """
    config = _config(teacher, vocabulary, size=rows.shape[1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = ElectraForMaskedLM(config)
    old = teacher.body.state_dict()
    state = {name: tensor for name, tensor in old.items() if name.startswith("encoder.")}
    for table in ("position_embeddings", "token_type_embeddings"):
        name = f"embeddings.{table}.weight"
        state[name] = old[name] @ factors.basis
    state["embeddings.word_embeddings.weight"] = rows
    state["embeddings.LayerNorm.weight"] = torch.ones(rows.shape[1])
    state["embeddings.LayerNorm.bias"] = torch.zeros(rows.shape[1])
    state["embeddings_project.weight"] = factors.weight
    state["embeddings_project.bias"] = factors.bias
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


def save_encoder(
    student: ElectraForMaskedLM,
    vocabulary: Vocabulary,
    folder: Path,
    *,
    matrix_dtype: torch.dtype = torch.float16,
    beside: Mapping[str, str] | None = None,
) -> Path:
    """Writes an encoder that AutoModel and AutoTokenizer load, in half precision.

    The folder appears whole or not at all. The masked-token head gets a file of its own, because
    AutoModel warns about every weight that it does not use.

    Args:
        student: The student.
        vocabulary: Its pieces.
        folder: Folder to write.
        matrix_dtype: Type of matrices with 100,000 numbers and more; float8_e4m3fn (arXiv
            2209.05433) halves the file. AutoModel converts all weights to its `dtype`.
        beside: Further files of the folder, text by name.

    Returns:
        The folder.

    Raises:
        ConfigError: If a weight is too large for its type.
        StoreError: If the folder exists and is not empty. The finished one is kept beside it.
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
    put_in_place(part, folder)
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
            raise ConfigError(f"{name} has weights up to {most:g}, too large for {dtype}")
        stored[name] = value.detach().to("cpu", dtype).contiguous()
    save_file(stored, file, metadata={"format": "pt"})
    file.chmod(0o644)
