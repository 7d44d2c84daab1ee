"""What a transfer is worth to the share of the sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.sampling.pool import Pool, SamplerOptions
from xlt.sampling.select import select
from xlt.sampling.transfer import Transfer


@given(
    st.floats(-2, 2), st.floats(1e-6, 10), st.floats(0, 1), st.floats(-2, 2), st.floats(1e-6, 10)
)
def test_the_share_follows_the_gain(gain, error, usual, other, wider):
    """In [0, 1]; the usual one where there is no gain; nearer to it the less sure; 0 and 1 stay."""
    found = Transfer(gain=gain, error=error, labels=9, judged=9)
    share = found.share(usual)
    assert 0 <= share <= 1
    assert replace(found, gain=0.0).share(usual) == pytest.approx(usual)
    assert (replace(found, gain=other).share(usual) >= share) or other < gain
    unsure = replace(found, error=error + wider).share(usual)
    assert min(share, usual) - 1e-12 <= unsure <= max(share, usual) + 1e-12
    assert [found.share(0.0), found.share(1.0)] == [0.0, 1.0]


def test_the_share_by_hand():
    """Gain 0.05, error 0.05: half of it counts, 0.025 / 0.04 = 0.625 more log-odds."""
    found = Transfer(gain=0.05, error=0.05, labels=9, judged=9)
    assert found.share(0.5) == pytest.approx(1 / (1 + np.exp(-0.625)))


@pytest.mark.parametrize(
    ("quota", "slots"), [("adaptive", 35), ("equal", 50), ("proportional", 50)]
)
def test_the_sources_get_less_where_their_labels_teach_less(rng, quota, slots):
    """Only with adaptive quotas; the reason says why."""
    langs = ["en"] * 300 + ["ha"] * 300
    poor = Transfer(gain=-0.05, error=0.05, labels=50, judged=50)
    pool = Pool(ids=[str(n) for n in range(600)], langs=langs, transfer=poor)
    options = SamplerOptions(batch=100, source_languages=("en",), source_share=0.5, quota=quota)
    found = select(pool, options, rng)
    assert found.quotas["en"] == slots
    first = next(p for p in found.picks if p.lang == "en" and p.slot == "quota")
    assert "its labels teach the targets worse than their own labels do" in first.reason
    assert "teach" not in next(p.reason for p in found.picks if p.lang == "ha")
