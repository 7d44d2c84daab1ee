"""Audit tasks: a uniformly random share, decided by the id alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from xlt.errors import ConfigError
from xlt.sampling.audit import is_audit


@given(st.text(), st.text(), st.floats(0, 1))
def test_the_same_task_always_gets_the_same_answer(id, salt, share):
    """No state, no process, no order decides it."""
    assert is_audit(id, share=share, salt=salt) == is_audit(id, share=share, salt=salt)


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_the_audit_tasks_of_a_smaller_one(id, salt, one, two):
    """Raising the share never frees a task whose label has judged a model."""
    small, large = sorted((one, two))
    assert is_audit(id, share=large, salt=salt) or not is_audit(id, share=small, salt=salt)


@given(st.text(), st.text())
def test_none_and_all(id, salt):
    """Share 0 draws nothing, share 1 everything."""
    assert not is_audit(id, share=0.0, salt=salt)
    assert is_audit(id, share=1.0, salt=salt)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_the_share_is_kept_and_consecutive_ids_are_independent(share):
    """Running task ids are drawn as by fair coins: the count and the pairs fit a binomial."""
    drawn = [is_audit(str(n), share=share, salt="project 7") for n in range(20_000)]
    assert binomtest(sum(drawn), len(drawn), share).pvalue > 0.001
    pairs = [2 * a + b for a, b in zip(drawn[::2], drawn[1::2], strict=True)]
    expected = [(1 - share) ** 2, (1 - share) * share, share * (1 - share), share**2]
    counts = [pairs.count(kind) for kind in range(4)]
    assert chisquare(counts, [len(pairs) * p for p in expected]).pvalue > 0.001


def test_projects_draw_independently():
    """Another salt draws another set."""
    sets = [{n for n in range(2000) if is_audit(str(n), share=0.5, salt=s)} for s in ("1", "2")]
    assert 400 < len(sets[0] & sets[1]) < 600


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    """The message holds the value."""
    with pytest.raises(ConfigError, match=str(share)):
        is_audit("1", share=share, salt="")
