"""Shares of languages in texts that mix them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.identification.mixture import language_shares

ENGLISH = "the children walked to school in the rain this morning"
HAUSA = "yaran sun tafi makaranta da safe cikin ruwan sama jiya"


@pytest.mark.parametrize(
    ("text", "main", "share"),
    [
        (ENGLISH, "eng", 1.0),
        (HAUSA, "hau", 1.0),
        (f"{ENGLISH} {HAUSA}", "eng", 0.5),
        (f"{HAUSA} {HAUSA} {ENGLISH}", "hau", 0.67),
        (f"{HAUSA} дети пошли в школу", "hau", 0.7),
    ],
    ids=["English", "Hausa", "half", "two thirds", "two scripts"],
)
def test_shares_are_those_of_the_words(text, main, share):
    """Within a word or two; the main language comes first."""
    shares = language_shares(text, ["en", "Hausa", "rus"])
    assert next(iter(shares)) == main
    assert shares[main] == pytest.approx(share, abs=0.12)


def test_only_languages_that_were_asked_for_have_a_share():
    """A text in no such script has none."""
    assert language_shares("дети пошли в школу", ["en", "hau"]) == {}
    assert language_shares("", ["en"]) == {}
    assert language_shares("123 456 !!!", ["en"]) == {}


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=40)
def test_shares_sum_to_one_or_there_are_none(text):
    """Whatever the text."""
    shares = language_shares(text, ["en", "ha", "ru", "zh"])
    assert not shares or sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
