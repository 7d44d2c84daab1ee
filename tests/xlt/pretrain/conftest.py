"""Fixtures that the tests of pretraining share."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from tests.xlt.pretrain.bodies import toy_language
from tests.xlt.pretrain.toy import WORDS, write_table
from xlt.pretrain.wordpiece import SPECIAL, wordpiece


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory):
    """A tiny English BERT."""
    folder = tmp_path_factory.mktemp("teacher")
    letters = [form for c in "abcdefghijklmnopqrstuvwxyz.,'" for form in (c, "##" + c)]
    pieces = list(dict.fromkeys([*SPECIAL, *letters, *WORDS]))
    tokenizer = wordpiece(pieces, "strip-latin")
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Pairs of English and two languages."""
    return write_table(tmp_path_factory.mktemp("table") / "pairs.parquet", np.random.default_rng(5))


@pytest.fixture
def toy(rng):
    """See `toy_language`."""
    return toy_language(rng)
