"""Names of languages."""

from __future__ import annotations

import pytest

from xlt.data.language_names import tag_of
from xlt.data.languages import normalise


@pytest.mark.parametrize(
    "language", ["yo", "ha", "ig", "sw", "zu", "am", "om", "ti", "hi", "qu", "gn"]
)
def test_a_language_has_its_english_and_its_own_name(language):
    """As CLDR writes them."""
    from langcodes import Language

    assert tag_of(Language.get(language).language_name("en")) == language
    assert tag_of(Language.get(language).autonym()) == language


@pytest.mark.parametrize(
    "name",
    [
        "English-Hausa",
        "Hausa and English",
        "Spanglish",
        "Frenchness",
        "haus",
        "ede",
        "language",
        "A",
    ],
)
def test_only_whole_names_count(name):
    """The library's own search would take the first ones for the language they begin with."""
    assert tag_of(name) is None


@pytest.mark.parametrize(
    "name", ["", "x\x00y", "\x00", "ha\x00usa", "\ud800", "Hausa\n", "()", ", ", " ()"]
)
def test_what_is_no_name_has_no_language(name):
    """The library's tables fail on some characters; cells may hold any."""
    assert tag_of(name) is None


def test_a_part_in_parentheses_must_be_known():
    """A region or script is left out; anything else may tell two languages apart."""
    assert tag_of("Uzbek (Cyrillic)") == tag_of("Uzbek (Uzbekistan)") == "uz"
    assert tag_of("Uzbek (spoken)") is None


@pytest.mark.parametrize("name", ["Swiss German", "Nigerian Pidgin", "Min Nan", "Haitian Creole"])
def test_words_may_be_joined(name):
    """Names of columns and files have no spaces."""
    assert tag_of(name.replace(" ", "_")) == tag_of(name)
    assert normalise(name.replace(" ", "_")) == normalise(name)
