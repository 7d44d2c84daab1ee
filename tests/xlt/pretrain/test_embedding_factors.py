"""The factors of the student's shorter embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from xlt.errors import ConfigError
from xlt.pretrain.sentence_vectors import sentence_vectors
from xlt.pretrain.student import make_student
from xlt.pretrain.teacher import Teacher, teacher_factors
from xlt.pretrain.tokenized_texts import tokenize
from xlt.pretrain.vocabulary import Vocabulary
from xlt.pretrain.wordpiece import SPECIAL, wordpiece

WIDTH, RANK = 24, 6
WORDS = ["rain", "song", "goat", "moon", "road", "fire", "tree", "bread"]


def flat_teacher(rng):
    """A tiny BERT whose rows, words and positions alike, fill RANK dimensions of WIDTH."""
    pieces = (*SPECIAL, *WORDS)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=16, layer_norm_eps=1e-12,
    )  # fmt: skip
    torch.manual_seed(4)
    body = BertModel(config).eval()
    directions = torch.from_numpy(rng.standard_normal((RANK, WIDTH))).float()
    with torch.no_grad():
        for table in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
            rows = getattr(body.embeddings, table).weight
            parts = rng.standard_normal((len(rows), RANK)).astype(np.float32)
            rows.copy_(torch.from_numpy(parts) @ directions)
        body.embeddings.LayerNorm.weight.copy_(torch.rand(WIDTH) + 0.5)
        body.embeddings.LayerNorm.bias.copy_(torch.randn(WIDTH))
    return Teacher(body=body, tokenizer=wordpiece(pieces, "keep"), path=Path())


def english(rng, n=60):
    """Sentences of the words that the tiny teacher knows."""
    return [" ".join(rng.choice(WORDS, size=rng.integers(3, 9))) for _ in range(n)]


def test_rows_that_fill_few_dimensions_lose_nothing(rng):
    """With one dimension more than the rows fill, the student says what the teacher says."""
    teacher = flat_teacher(rng)
    texts = english(rng)
    found = teacher_factors(teacher, texts, size=RANK + 1)
    pieces = (*SPECIAL, *WORDS)
    rows = teacher.body.embeddings.word_embeddings.weight.detach() @ found.basis
    student = make_student(
        teacher,
        Vocabulary(tokenizer=teacher.tokenizer, teacher_row=np.arange(len(pieces)), pieces=pieces),
        rows,
        found,
        seed=1,
    )
    cut, limits = tokenize(teacher.tokenizer, texts), {"special": (0, 2, 3), "max_tokens": 16}
    every = np.arange(len(texts))
    theirs = sentence_vectors(teacher.body, cut, every, **limits)
    ours = sentence_vectors(student.electra, cut, every, **limits)
    assert student.config.embedding_size == RANK + 1
    assert (ours * theirs).sum(dim=1).min() > 0.9999


@pytest.mark.parametrize("size", [1, WIDTH])
def test_size_must_be_less_than_the_teachers(rng, size):
    """A row cannot be longer than the teacher's, and one number has no direction."""
    with pytest.raises(ConfigError, match="embedding_size must be from 2 to 23"):
        teacher_factors(flat_teacher(rng), english(rng), size=size)
