"""The script of a text, finer than Unicode's where one language alone is written so."""

from __future__ import annotations

import re

from xlt.data.letters import script

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff]")
#: Scripts with thousands of letters and no spaces, as `writing` names them.
UNSPACED = frozenset({"CJK", "HANGUL", "KANA"})


def writing(text: str) -> str:
    """Returns the script of a text; empty if it has no letters.

    Texts with Hangul are in `HANGUL`, other texts with Chinese characters and kana in `KANA`.
    """
    name = script(text)
    if name == "CJK":
        start = text[:200]
        return "HANGUL" if _HANGUL.search(start) else "KANA" if _KANA.search(start) else "CJK"
    return name
