"""Options out of range, and the key of an adaptation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import save_tiny_encoder
from tests.xlt.adapt.toy import QUICK
from xlt.adapt.options import AdaptOptions, cache_key
from xlt.errors import ConfigError


def test_the_key_names_encoder_texts_and_options(english, texts, tmp_path):
    """Anything that changes the result changes the key; the order of texts does not."""
    key = cache_key(english, texts, QUICK)
    turned = replace(texts, pairs=texts.pairs[::-1])

    assert cache_key(english, turned, QUICK) == key
    assert cache_key(english, texts, replace(QUICK, checkpoint_minutes=9.0)) == key
    others = [
        cache_key(english, texts, replace(QUICK, seed=14)),
        cache_key(english, replace(texts, pairs=texts.pairs[1:]), QUICK),
        cache_key(str(save_tiny_encoder(tmp_path / "other")), texts, QUICK),
    ]
    assert len({key, *others}) == 4


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"minutes": -1.0}, "minutes must be in"),
        ({"masked_share": 0.0}, "masked_share must be in"),
        ({"precision": "fp8"}, "fp8"),
        ({"source": " "}, "source"),
        ({"seed": True}, "seed"),
    ],
)
def test_options_out_of_range_are_refused(setting, message):
    """One line with the value seen."""
    with pytest.raises(ConfigError, match=message):
        AdaptOptions(**setting)
