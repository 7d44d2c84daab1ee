"""Finds the language that a name such as `Hausa`, `Chinese (Simplified)` or `français` is for.

Names are those of CLDR and of the IANA registry, in English or in the language itself. They come
from `language_data`, whose own search accepts any name that begins with a language's:
"English-Hausa" is English to it. Only whole names count here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from marisa_trie import BytesTrie  # type: ignore[import-not-found]  # compiled, no stubs

Category = Literal["language", "territory", "script"]

_IN_PARENTHESES = re.compile(r"(?P<name>[^()]+) \((?P<part>[^()]+)\)")
_LAST_WORD = re.compile(r" (language|script)$", re.IGNORECASE)
#: Single letters name groups of texts; that a language is called "A" does not count.
_SHORTEST = 2
#: Categories of characters that no name has; the tries of names fail on them.
_NO_TEXT = ("Cc", "Cs", "Cn")
_INVERTED = re.compile(r"(?P<name>[^,]+), (?P<variety>[^,]+)")


def tag_of(name: str) -> str | None:
    """Returns the language tag of a name; None if no language has it.

    A region or a script in parentheses and the word "language" do not count; `Quechua, Cusco` is
    read as `Cusco Quechua`, and `_` as a space. An English name may have the marks of the own name
    (`Yorùbá`).

    Args:
        name: The name, normalised to NFC; case does not matter.
    """
    if len(name) < _SHORTEST or any(unicodedata.category(sign) in _NO_TEXT for sign in name):
        return None
    readings = _readings(name.replace("_", " "))
    found = (_own(reading) or _exact("en", reading) or _marked(reading) for reading in readings)
    return next((tag for tag in found if tag), None)


def _readings(name: str) -> Iterator[str]:
    """Yields the name as it is, then as an English name with an addition or inverted."""
    yield name
    yield _LAST_WORD.sub("", name)
    if (match := _IN_PARENTHESES.fullmatch(name)) and _is_region_or_script(match["part"]):
        yield match["name"]
    if match := _INVERTED.fullmatch(name):
        yield f"{match['variety']} {match['name']}"


def _own(name: str) -> str | None:
    """Returns the tag of the language that calls itself so."""
    tag = _exact("und", name)
    return tag if tag is not None and _exact(_language(tag), name) == tag else None


def _marked(name: str) -> str | None:
    """Returns the tag of a language whose English name is this one with marks of its own name."""
    plain = _without_marks(name)
    tag = _exact("en", plain)
    return tag if tag is not None and plain in _own_words(_language(tag)) else None


def _is_region_or_script(part: str) -> bool:
    part = _LAST_WORD.sub("", part)
    return _exact("en", part, "territory") is not None or _exact("en", part, "script") is not None


@cache
def _own_words(language: str) -> frozenset[str]:
    """Returns the words of a language's names in itself, without marks."""
    names = _names(language, "language")
    own = [] if names is None else [name for name in names if _exact(language, name) == language]
    return frozenset(_without_marks(word) for name in own for word in name.split())


def _exact(language: str, name: str, category: Category = "language") -> str | None:
    """Returns the tag with this name in `language`; `und` stands for any language."""
    from language_data.names import get_trie_value, normalize_name  # type: ignore[import-untyped]

    names, key = _names(language, category), normalize_name(name)
    return str(get_trie_value(names, key)) if names is not None and key in names else None


@cache
def _names(language: str, category: Category) -> BytesTrie | None:
    """Loads the names of a language (0.01 s the largest); None if it has none."""
    from language_data.names import load_trie
    from language_data.util import data_filename  # type: ignore[import-untyped]

    file = data_filename(f"trie/{language}/name_to_{category}.marisa")
    return load_trie(str(file)) if file.is_file() else None


def _language(tag: str) -> str:
    return tag.split("-")[0]


def _without_marks(name: str) -> str:
    letters = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
