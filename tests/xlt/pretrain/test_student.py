"""The file of the student in several types of number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, ElectraConfig, ElectraForMaskedLM

from xlt.errors import ConfigError
from xlt.pretrain.sentence_vectors import sentence_vectors
from xlt.pretrain.student import save_encoder
from xlt.pretrain.tokenized_texts import tokenize
from xlt.pretrain.vocabulary import Vocabulary
from xlt.pretrain.wordpiece import SPECIAL, wordpiece

PIECES = (*SPECIAL, *(f"word{n}" for n in range(20_000)))
TABLE = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def vocabulary():
    """Enough words for their table to be a large matrix."""
    tokenizer = wordpiece(PIECES, "keep")
    return Vocabulary(tokenizer=tokenizer, teacher_row=np.arange(len(PIECES)), pieces=PIECES)


@pytest.fixture
def student():
    """A tiny encoder of random weights."""
    torch.manual_seed(3)
    config = ElectraConfig(
        vocab_size=len(PIECES), embedding_size=8, hidden_size=12, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=16, max_position_embeddings=32,
    )  # fmt: skip
    model = ElectraForMaskedLM(config).eval()
    with torch.no_grad():
        model.electra.embeddings.word_embeddings.weight.mul_(5)
    return model


def read(body, vocabulary):
    """Sentence vectors of some texts, and the model's type of number."""
    texts = [f"word{n} word{n * 7} word{n * 31 % 20_000}" for n in range(50)]
    cut = tokenize(vocabulary.tokenizer, texts)
    return sentence_vectors(body, cut, np.arange(50), special=(0, 2, 3), max_tokens=16)


def test_eight_bits_hold_large_matrices_alone(student, vocabulary, tmp_path):
    """Each number of the table is the nearest of its type, and all else is as in half precision."""
    half = save_encoder(student, vocabulary, tmp_path / "half")
    short = save_encoder(student, vocabulary, tmp_path / "short", matrix_dtype=torch.float8_e4m3fn)
    left, right = (load_file(folder / "model.safetensors") for folder in (half, short))
    assert {name for name, value in right.items() if value.dtype != torch.float16} == {TABLE}
    assert all(torch.equal(value, right[name]) for name, value in left.items() if name != TABLE)

    exact = student.electra.embeddings.word_embeddings.weight.detach()
    bits = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).float()
    known = bits[bits.isfinite()].unique()
    place = torch.searchsorted(known, exact).clamp(1, len(known) - 1)
    nearest = torch.minimum((exact - known[place - 1]).abs(), (known[place] - exact).abs())
    assert torch.allclose((right[TABLE].float() - exact).abs(), nearest, rtol=0, atol=1e-7)


def test_auto_model_reads_eight_bits(student, vocabulary, tmp_path):
    """Without a line of code: in half precision as its configuration says, or as asked for."""
    folder = save_encoder(student, vocabulary, tmp_path / "short", matrix_dtype=torch.float8_e4m3fn)
    assert AutoModel.from_pretrained(folder).dtype == torch.float16
    body = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    assert {value.dtype for value in body.parameters()} == {torch.float32}
    assert len(AutoTokenizer.from_pretrained(folder)) == len(PIECES)
    cosines = (read(body, vocabulary) * read(student.electra, vocabulary)).sum(dim=1)
    assert cosines.min() > 0.995


def test_a_weight_beyond_its_type_is_refused(student, vocabulary, tmp_path):
    """Nothing is written in the place of a number that eight bits cannot hold."""
    with torch.no_grad():
        student.electra.embeddings.word_embeddings.weight[7, 1] = 500.0
    with pytest.raises(ConfigError, match=r"word_embeddings.weight has weights up to 500"):
        save_encoder(student, vocabulary, tmp_path / "short", matrix_dtype=torch.float8_e4m3fn)
    assert not (tmp_path / "short").exists()
    save_encoder(student, vocabulary, tmp_path / "half")
