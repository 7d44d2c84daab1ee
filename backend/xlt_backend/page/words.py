"""Texts of the page: one TOML catalogue per language; English stands in for what is missing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

FALLBACK = "en"
#: Largest part of an Accept-Language header that is read, in characters.
_READ = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language.

    Attributes:
        lang: BCP 47 tag of the language.
        name: The language's own name.
        dir: Direction of writing: `ltr` or `rtl`.
        decimal: Decimal mark.
        group: Mark between groups of three digits.
        texts: Text by key, such as `projects.title`; a text may have `{placeholders}`.
    """

    lang: str
    name: str
    dir: str
    decimal: str
    group: str
    texts: Mapping[str, str] = field(repr=False)

    def __call__(self, key: str, /, **values: object) -> str:
        """Returns a text with its placeholders filled in; numbers as the language writes them.

        Raises:
            KeyError: If there is no such text.
        """
        written = {
            name: self.number(value) if isinstance(value, int | float) else value
            for name, value in values.items()
        }
        return self.texts[key].format_map(written)

    def has(self, key: str) -> bool:
        """Returns whether there is such a text."""
        return key in self.texts

    def number(self, value: float, digits: int = 0) -> str:
        """Returns a number as the language writes it.

        Args:
            value: The number.
            digits: Number of digits behind the decimal mark.
        """
        return f"{value:,.{digits}f}".translate(_marks(self.group, self.decimal, self.dir))

    def percent(self, share: float, digits: int = 1) -> str:
        """Returns a share in [0, 1] as a percentage."""
        return f"{self.number(100 * share, digits)}\N{NO-BREAK SPACE}%"

    def points(self, share: float) -> str:
        """Returns a difference of shares in percentage points, with its sign."""
        sign = _sign("+", self.dir) if share > 0 else ""
        return f"{sign}{self.number(100 * share, 1)}"


@cache
def _marks(group: str, decimal: str, dir: str) -> dict[int, str]:
    """Returns what stands for the marks of a number that Python wrote."""
    return {ord(","): group, ord("."): decimal, ord("-"): _sign("\N{MINUS SIGN}", dir)}


def _sign(sign: str, dir: str) -> str:
    """Returns a sign that stands left of its number from right to left too."""
    return f"\N{LEFT-TO-RIGHT MARK}{sign}" if dir == "rtl" else sign


@cache
def catalogues() -> Mapping[str, Words]:
    """Reads the catalogues of the wheel: words by language, English first."""
    folder = resources.files(__package__) / "catalogues"
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    read = {file.name[:-5]: tomllib.loads(file.read_text("utf-8")) for file in files}
    base = dict(_flat(read[FALLBACK]))
    order = sorted(read, key=lambda lang: (lang != FALLBACK, lang))
    return {lang: _words(lang, base | dict(_flat(read[lang]))) for lang in order}


def _words(lang: str, texts: dict[str, str]) -> Words:
    about = {key: texts.pop(f"language.{key}") for key in ("name", "dir", "decimal", "group")}
    return Words(lang=lang, texts=texts, **about)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def choose(asked: str | None, remembered: str | None, accepted: str) -> Words:
    """Returns the words of the best language that there is a catalogue for.

    Args:
        asked: Language of the link that was followed; None without one.
        remembered: Language that was chosen by a link earlier; None without one.
        accepted: The browser's Accept-Language header; may be empty.
    """
    known = catalogues()
    for lang in (asked, remembered, *_accepted(accepted)):
        if lang is not None and lang in known:
            return known[lang]
    return known[FALLBACK]


def _accepted(header: str) -> list[str]:
    """Returns the primary languages of an Accept-Language header, most wanted first."""
    ranked = []
    for place, item in enumerate(header[:_READ].split(",")):
        tag, _, quality = item.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if weight > 0:
            ranked.append((-weight, place, tag.strip().split("-")[0].lower()))
    return [lang for _, _, lang in sorted(ranked)]
