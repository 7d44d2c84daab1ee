"""Tifinagh as one alphabet: letters of one sound are folded, Latin Tamasheq is written in it.

Tamasheq is written with the Tuareg letters of a sound or with the standard ones of IRCAM (Unicode
chart U2D30), and as often in Latin letters. Read as they stand, a text in one habit shares less
than half of its words with a text in another.
"""

from __future__ import annotations

import re
import unicodedata

#: Letters that stand for the sound of a standard letter: the Tuareg yak, yag, yagh, yaq, yah,
#: yazh and yakh, and the Berber academy's yagh.
FOLDED = {
    "\u2d3e": "\u2d3d",
    "\u2d36": "\u2d33",
    "\u2d34": "\u2d33",
    "\u2d57": "\u2d56",
    "\u2d48": "\u2d47",
    "\u2d42": "\u2d40",
    "\u2d4b": "\u2d4a",
    "\u2d46": "\u2d45",
}
#: `<` beside a letter. The Tamasheq of FLORES, and with it of SIB-200, has it throughout where
#: others write a vowel; in other text it has not been seen.
TYPED_YEY = r"(?<=[\u2d30-\u2d67<])<|<(?=[\u2d30-\u2d67])"
YEY = "\u2d3b"

# The Latin alphabets of Tamasheq in Mali and Niger as OLDI Seed has them, look-alikes among them;
# long vowels as the short ones. Names have p and v.
_LETTERS = dict(
    zip(
        "abdefgɣhijklmnŋopqrstuvwxyzəǝǎăᾰāâèéęêïîôûṭƭḍɗẓṣǧśšžɛ",
        "ⴰⴱⴷⴻⴼⴳⵖⵀⵉⴳⴽⵍⵎⵏⵏⵓⵒⵇⵔⵙⵜⵓⵠⵡⵅⵢⵣⴻⴻⴰⴰⴰⴰⴰⴻⴻⴻⴻⵉⵉⵓⵓⵟⵟⴹⴹⵥⵚⴳⵛⵛⵊⵄ",
        strict=True,
    )
)
_PAIRS = {"gh": "ɣ", "kh": "x", "sh": "š", "ch": "š", "c": "š"}
_WORD = re.compile(r"[^\W\d_]+")


def in_tifinagh(text: str) -> str:
    """Returns Tamasheq of Latin letters in Tifinagh; words with other letters stay as they are."""

    def written(found: re.Match[str]) -> str:
        word = unicodedata.normalize("NFC", found[0]).lower()
        for pair, letter in _PAIRS.items():
            word = word.replace(pair, letter)
        signs = [_LETTERS.get(letter) for letter in word]
        return found[0] if None in signs else "".join(filter(None, signs))

    return _WORD.sub(written, unicodedata.normalize("NFC", text))
