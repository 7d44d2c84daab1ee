"""The student's shorter embeddings, and the languages that its pieces are learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from xlt.errors import ConfigError
from xlt.pretrain.ragged import encode
from xlt.pretrain.sampling import amounts, chances, fertility
from xlt.pretrain.student import Teacher, make_student, sentence_vectors, teacher_factor
from xlt.pretrain.tables import Corpus
from xlt.pretrain.vocabulary import SPECIAL, Vocabulary, wordpiece

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
    found = teacher_factor(teacher, texts, size=RANK + 1)
    pieces = (*SPECIAL, *WORDS)
    rows = teacher.body.embeddings.word_embeddings.weight.detach() @ found.basis
    student = make_student(
        teacher,
        Vocabulary(tokenizer=teacher.tokenizer, teacher_row=np.arange(len(pieces)), pieces=pieces),
        rows,
        found,
        seed=1,
    )
    cut, limits = encode(teacher.tokenizer, texts), {"special": (0, 2, 3), "max_tokens": 16}
    every = np.arange(len(texts))
    theirs = sentence_vectors(teacher.body, cut, every, **limits)
    ours = sentence_vectors(student.electra, cut, every, **limits)
    assert student.config.embedding_size == RANK + 1
    assert (ours * theirs).sum(dim=1).min() > 0.9999


@pytest.mark.parametrize("size", [1, WIDTH])
def test_size_must_be_less_than_the_teachers(rng, size):
    """A row cannot be longer than the teacher's, and one number has no direction."""
    with pytest.raises(ConfigError, match="embedding_size must be from 2 to 23"):
        teacher_factor(flat_teacher(rng), english(rng), size=size)


def corpus():
    """A language of short texts, one of long ones, and one that is held out."""
    return Corpus(
        languages=("short", "long", "held"),
        language=np.array([0] * 8 + [1] * 2 + [2], dtype=np.int32),
        text=["rain"] * 8 + ["rainsongs goatmoon"] * 2 + ["rain"],
        source=np.array([0] * 8 + [1] * 2 + [0], dtype=np.int32),
        lexical=np.zeros(11, dtype=np.bool_),
        held_out=np.array([False] * 10 + [True]),
        sources=["rain", "songs of rain and goats of the moon"],
        english=np.array([1], dtype=np.int32),
    )


def test_languages_are_drawn_by_what_they_say():
    """With exponent 0 every language is drawn to the same number of English words."""
    data = corpus()
    amount = amounts(data, min_texts=1)
    assert amount.tolist() == [1.0] * 8 + [8.0] * 2 + [0.0]
    chance = chances(data, amount, language_exponent=0.0)
    said = np.bincount(data.language, weights=chance * amount, minlength=3)
    assert said[0] == pytest.approx(said[1])
    assert said[2] == 0
    assert chance.sum() == pytest.approx(1.0)
    assert amounts(data, min_texts=3)[8:].tolist() == [0.0, 0.0, 0.0]


def test_finely_cut_languages_are_drawn_more():
    """Fertility is pieces per English word, and as a weight it moves the draws."""
    data = corpus()
    amount = amounts(data, min_texts=1)
    tokenizer: Tokenizer = wordpiece([*SPECIAL, "r", "##a", "##i", "##n", "rainsongs"], "keep")
    found = fertility(tokenizer, data, amount, np.arange(10))
    assert found.tolist() == [4.0, 0.25, 0.0]  # r ##a ##i ##n; rainsongs [UNK] for eight words
    even = chances(data, amount, language_exponent=0.0)
    weighted = chances(data, amount, language_exponent=0.0, weight=found)
    assert weighted[0] / weighted[8] == pytest.approx(16 * even[0] / even[8])
