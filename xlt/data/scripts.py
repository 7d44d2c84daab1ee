"""Texts that nobody should spend a label on: without words, or in another script than their kin."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from xlt.data.languages import normalise

#: Letters of a text that are looked at.
_LETTERS = 60
#: A language has a script of its own where so many of its texts, and at least so many, share it.
_SHARE, _LEAST = 0.9, 20
#: Scripts that are written together.
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK"}


def held_back(ids: Sequence[str], texts: Sequence[str], langs: Sequence[str]) -> dict[str, str]:
    """Id -> why a text is to wait until all others of its language are labelled.

    A text without letters has nothing to label. Where nine in ten texts of a language share a
    script, one in another script is in another language: what was imported under the wrong code.
    Languages that look alike are not told apart: language identification errs too often on
    languages of little text, the ones that this is for.

    Args:
        ids: N ids.
        texts: N texts.
        langs: N language codes.
    """
    scripts = [script(text) for text in texts]
    counts: dict[str, Counter[str]] = {}
    keys = {code: normalise(code) for code in set(langs)}
    for code, of in zip(langs, scripts, strict=True):
        if of:
            counts.setdefault(keys[code], Counter())[of] += 1
    usual = {}
    for key, of_language in counts.items():
        name, most = of_language.most_common(1)[0]
        if most >= max(_LEAST, _SHARE * of_language.total()):
            usual[key] = name
    found = {}
    for id, code, of in zip(ids, langs, scripts, strict=True):
        expected = usual.get(keys[code], of)
        if not of:
            found[id] = "has no letters"
        elif of != expected:
            found[id] = f"is in {of.lower()} script, texts in {code} are in {expected.lower()}"
    return found


def script(text: str) -> str:
    """The script of most of a text's first letters, in Unicode's words; empty: no letters."""
    counts: Counter[str] = Counter()
    seen = 0
    for character in text:
        name = _script_of(character)
        if name:
            counts[name] += 1
            seen += 1
            if seen == _LETTERS:
                break
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(maxsize=65_536)
def _script_of(character: str) -> str:
    if not unicodedata.category(character).startswith("L"):
        return ""
    name = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return _TOGETHER.get(name, name)
