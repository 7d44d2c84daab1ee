"""An English encoder, texts to adapt it with, and the adapted encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.xlt.adapt.toy import (
    KINDS,
    QUICK,
    TOKENIZERS,
    foreign,
    save_english_encoder,
    sentences,
    translations,
)
from xlt.adapt.new_pieces import new_pieces
from xlt.adapt.run import adapt


@pytest.fixture(params=KINDS)
def data(request):
    """tokenizer.json of one kind."""
    return TOKENIZERS[request.param]


@pytest.fixture
def found(data, rng):
    """New pieces for the foreign language."""
    texts = [foreign(text) for text in sentences(rng)]
    return new_pieces(data, {"zgh": texts}, sentences(rng), per_language=60, min_count=3)


@pytest.fixture(scope="session")
def english(tmp_path_factory):
    """An English encoder."""
    return save_english_encoder(tmp_path_factory.mktemp("english"))


@pytest.fixture(scope="session")
def texts():
    """Pairs of English and a language in another script, and their lexicon."""
    return translations()


@pytest.fixture(scope="session")
def adapted(english, texts, tmp_path_factory):
    """That encoder, adapted for some seconds, and the report."""
    out = tmp_path_factory.mktemp("adapted") / "encoder"
    options = replace(QUICK, steps=120, bag_steps=150, held_out_percent=20.0)
    return out, adapt(english, texts, out, options=options)
