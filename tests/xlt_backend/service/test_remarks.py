"""Remarks of people: bounded, in one line, without what terminals obey."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xlt_backend.service.remarks import MOST_CHARACTERS, remark


@given(st.text(st.characters(codec=None), max_size=50))
def test_a_remark_can_be_printed_and_written(text):
    """Whatever was given, halves of characters among it."""
    line = remark(text)

    assert len(line) <= MOST_CHARACTERS
    assert len(line.splitlines()) <= 1
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in line)
    line.encode()


def test_letters_of_all_scripts_are_kept():
    """With the marks that join or part letters, which are no letters themselves."""
    for text in ("می‌خواهم", "ක්‍ෂ", "ʼyaɗa", "👩‍🌾", "شکریہ"):
        assert remark(f" {text}\n") == text
    assert remark("\ud800 \x1b[31m\u202e") == "[31m"
    assert len(remark("x" * 10_000)) == MOST_CHARACTERS
