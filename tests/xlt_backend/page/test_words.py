"""Catalogues: complete, with the same placeholders, and chosen as the reader wants."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from xlt_backend.page.actions import ACTIONS
from xlt_backend.page.names import language_name
from xlt_backend.page.words import catalogues, choose

FOLDER = Path(__file__).parents[3] / "backend" / "xlt_backend" / "page"
SOURCES = [*FOLDER.rglob("*.html"), *FOLDER.glob("[a-z]*.py")]
#: Keys that are put together: the part before the last dot.
TOGETHER = {"step", "kind", "fix", "standing", "slot", "did", *(f"ask.{name}" for name in ACTIONS)}


def placeholders(text: str) -> set[str]:
    """The names of a text's placeholders."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def texts_of(lang: str) -> dict[str, str]:
    """The texts of a file itself, without those that English stands in for."""

    def flat(table: dict, prefix: str = "") -> Iterator[tuple[str, str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    return dict(flat(tomllib.loads((FOLDER / "catalogues" / f"{lang}.toml").read_text("utf-8"))))


@pytest.mark.parametrize("lang", sorted(catalogues()))
def test_a_catalogue_has_all_texts(lang):
    """Every key of English, no other, none empty, each with the same placeholders."""
    english, own = texts_of("en"), texts_of(lang)

    assert own.keys() == english.keys()
    assert [key for key, text in own.items() if not text.strip() and key != "language.group"] == []
    differ = [key for key in english if placeholders(english[key]) != placeholders(own[key])]
    assert differ == []


def test_every_text_that_pages_use_exists_and_every_text_is_used():
    """A missing key would be an error in front of people; an unused one is work for nothing."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    used = set(re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", code))
    texts = set(catalogues()["en"].texts)
    called = set(re.findall(r"""\bt\(["']([^"']+)["'][,)]""", code))

    assert called - texts == set()
    together = {key for key in texts if key.rsplit(".", 1)[0] in TOGETHER}
    assert texts - used - together == set()


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "lang"),
    [
        (None, None, "", "en"),
        ("en", "xx", "xx", "en"),
        (None, None, "xx;q=1, en;q=0.5", "en"),
        (None, None, "xx;q=oops,,;;, en-GB", "en"),
        ("../../etc/passwd", None, "*" * 9000, "en"),
    ],
)
def test_the_best_language_is_chosen(asked, remembered, accepted, lang):
    """A link counts more than an earlier choice, and that more than the browser's setting."""
    assert choose(asked, remembered, accepted).lang == lang


def test_numbers_are_written_as_the_language_does():
    """With its marks, and with a true minus sign."""
    words = catalogues()["en"]

    assert words.number(1234567) == "1,234,567"
    assert words.number(-0.25, 2) == "\N{MINUS SIGN}0.25"
    assert words.percent(0.8734) == "87.3\N{NO-BREAK SPACE}%"
    assert words.points(0.031) == "+3.1"
    assert words("projects.of", all=2000) == "of 2,000"


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [("fr-CA,fr;q=0.9,en;q=0.8", "fr"), ("de,sw;q=0.3,es;q=0.7", "es"), ("ar", "ar"), ("pt", "pt")],
)
def test_the_browser_says_which_language_people_read(accepted, lang):
    """By the weights of Accept-Language, without regions."""
    assert choose(None, None, accepted).lang == lang


def test_a_sign_stands_left_of_its_number_in_arabic():
    """Without a mark, text from right to left would show 2.1 and then its sign."""
    words = catalogues()["ar"]

    assert words.points(-0.021) == "\N{LEFT-TO-RIGHT MARK}\N{MINUS SIGN}2.1"
    assert words.points(0.021) == "\N{LEFT-TO-RIGHT MARK}+2.1"
    assert catalogues()["fr"].number(1234.5, 1) == "1\N{NARROW NO-BREAK SPACE}234,5"


def test_languages_are_named_in_the_language_of_the_page():
    """A code that is none is shown as it is."""
    assert language_name("hau", "fr") == "haoussa"
    assert language_name("swh", "en") == "Swahili"
    assert [language_name(code, "en") for code in ("<b>", "xx-bad-", "qq9")] == [
        "<b>",
        "xx-bad-",
        "qq9",
    ]
