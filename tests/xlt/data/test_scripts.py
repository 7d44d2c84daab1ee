"""Texts that wait until all others are labelled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xlt.data.letters import script
from xlt.data.scripts import held_back


def test_a_text_in_another_script_than_its_kin_waits():
    """And one without letters; codes of one language are one language."""
    texts = ["ልጁ ሄደ"] * 30 + ["The boy went.", "!!! 123"] + ["Yaro ya tafi."] * 30
    langs = ["amh_Ethi", "am"] * 15 + ["am", "am"] + ["hau"] * 30
    ids = [str(i) for i in range(len(texts))]
    assert held_back(ids, texts, langs) == {
        "30": "is in latin script, texts in am are in ethiopic",
        "31": "has no letters",
    }


def test_languages_of_two_scripts_and_small_ones_hold_nothing_back():
    """Serbian is written in both; of five texts nothing is known."""
    texts = ["Dobar dan"] * 30 + ["Добар дан"] * 10 + ["Yaro"] * 4 + ["ልጁ"]
    langs = ["srp"] * 40 + ["hau"] * 5
    assert held_back([str(i) for i in range(45)], texts, langs) == {}


@given(st.lists(st.text(max_size=20), max_size=40))
def test_any_text_is_taken(texts):
    """Nothing that Unicode allows is an error; a text without letters is always held back."""
    ids = [str(i) for i in range(len(texts))]
    found = held_back(ids, texts, ["ha"] * len(texts))
    assert {ids[i] for i, text in enumerate(texts) if not script(text)} <= set(found) <= set(ids)


def test_texts_that_belong_together_are_compared_one_by_one():
    """A pair is in two scripts; the longer text does not decide, and half a pair is told apart."""
    pairs = [("A long walk home. " * (i % 7), "ረጅም መንገድ " * (i % 5)) for i in range(1, 31)]
    pairs = [(left or "A walk.", right or "መንገድ") for left, right in pairs]
    odd = [("A long walk.", "The way home."), ("123", "ረጅም መንገድ"), ("1", "2")]
    ids = [str(i) for i in range(len(pairs) + len(odd))]

    found = held_back(ids, [*pairs, *odd], ["am"] * len(ids))

    usual = "texts in am are in latin and ethiopic"
    assert found == {
        "30": f"is in latin and latin script, {usual}",
        "31": f"is in no and ethiopic script, {usual}",
        "32": "has no letters",
    }
