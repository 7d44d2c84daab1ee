"""Cleans messages of user interfaces and manuals, and recognises those that are plain text."""

from __future__ import annotations

import html
import re

_MOST_WORDS = 60

_PLACEHOLDER = re.compile(
    r"\{\{.*?\}\}|\$\{\w+\}|%\{\w+\}|%?\{[\w.:,!+ -]*\}|%\(\w+\)[#0-9.]*[a-zA-Z]|"
    r"%\d+\$[a-z]|%[sdifr](?![a-z])|%\d+|\$\d|\$t\([^)]*\)|\[[A-Z][A-Z_0-9]+\]|"
    r"\[%key:.*?%\]|:\w+:`[^`]*`"
)
_MARKUP = re.compile(r"<[/!]?[A-Za-z][^<>]*>|</?\d+/?>|<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_SIGNS = re.compile(r"\*\*|__|``?|^#+ |\\n|[\u200b\ufeff\u00ad\u200e\u200f]")
_EMPTY = re.compile(r"\"\s*\"|'\s+'|“\s*”|„\s*“|«\s*»|「\s*」|\(\s*\)|\[\s*\]")
_EDGE = " \t-–—:;,|/*=>•·&'\""

# The start of an ICU plural or select.
_CHOICE = re.compile(r"\{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,")
_OTHER = re.compile(r"\bother\s*\{((?:[^{}]|\{[^{}]*\})*)\}")

# A single word that is a path, a URL, a file name, a camelCase name or a call.
_CODE = re.compile(
    r"https?://|www\.|^\S*[_/@=<>\\{}|]\S*$|^\S+\.\S+$|[a-z][A-Z]\S*$|\w\(\)|^[A-Z0-9_.-]+$"
)
_NO_TEXT = re.compile(r"https?://|[{}<>\\]")

# LibreOffice: parts for macOS, pictures, marks within words, names and access keys.
_LEFT_OUT = re.compile(
    r"<caseinline.*?</caseinline>|<image\b.*?</image>|<alt\b.*?</alt>", re.DOTALL
)
_INLINE = re.compile(
    r"</?(?:emph|item|ahelp|link|variable|menuitem|literal|input|keycode|widget|switchinline|"
    r"defaultinline)\b[^<>]*>"
)
_PRODUCT = re.compile(r"%PRODUCTNAME|\$\[officename\]")
_VARIABLE = re.compile(r"%[A-Z][A-Z_0-9]{2,}%?|\$\[\w+\]|\$\(\w+\)|\$\w+\$")
_ACCESS_KEY = re.compile(r"\s*\([~_]\w\)|~(?=\w)")

# Formulas, variables, calls, lists of arguments, and commands of LibreLogo.
_FORMULA = re.compile(
    r"[=|^]|\w_\w|\w\(\)|\b[A-Z]{2,}\(|\([^()]*;|\b[A-Z]{3,} [\[\"“\d]|\b[A-Z]{3,}; [a-z]"
)
_LEAST_LETTERS = 0.85  # share of letters and spaces in prose


def clean(message: str) -> str:
    """Returns a message without markup, placeholders and entities; empty if nothing is left.

    Removing one of them may leave another, so this repeats until nothing changes.
    """
    text = _cleaned_once(message)
    while text != message:
        message, text = text, _cleaned_once(text)
    return text


def without_help_markup(message: str) -> str:
    """Returns a message of LibreOffice without marks within words.

    `clean` replaces what it removes by a space, which would separate a name from its ending.
    """
    text = _INLINE.sub("", _LEFT_OUT.sub("", message)) if "<" in message else message
    text = _VARIABLE.sub("", _PRODUCT.sub("LibreOffice", text))
    text = _ACCESS_KEY.sub("", text)
    return re.sub(r"_(?=\w)", "", text) if text.count("_") == 1 else text


def is_english(text: str) -> bool:
    """Returns True if an English message is plain text and short enough."""
    if not re.search(r"[A-Za-z]{2}", text) or len(text.split()) > _MOST_WORDS:
        return False
    return not (_NO_TEXT if " " in text else _CODE).search(text)


def is_prose(english: str) -> bool:
    """Returns True if a message of a manual is prose, not a formula or a program."""
    letters = sum(sign.isalpha() or sign == " " for sign in english)
    return letters >= _LEAST_LETTERS * len(english) and not _FORMULA.search(english)


def is_translation(english: str, text: str) -> bool:
    """Returns True if `text` may translate `english`: other letters, and a plausible length."""
    if _NO_TEXT.search(text) or not re.search(r"[^\W\d_]", text):
        return False
    if len(text) > 4 * len(english) + 20 or len(english) > 8 * len(text) + 10:
        return False
    return text.casefold() != english.casefold()


def _cleaned_once(text: str) -> str:
    text = _LINK.sub(r"\1", _MARKUP.sub(" ", _unescaped(_chosen(text))))
    text = _SIGNS.sub(" ", _PLACEHOLDER.sub(" ", text))
    text = re.sub(r"\s+", " ", _EMPTY.sub(" ", text))
    text = re.sub(r" ([,.;!?:)](?:\s|$))", r"\1", text)
    return text.strip(_EDGE)


def _unescaped(text: str) -> str:
    """Replaces HTML entities, including those escaped twice."""
    while (plain := html.unescape(text)) != text:
        text = plain
    return text


def _chosen(text: str) -> str:
    """Replaces each ICU plural or select by its branch `other`; empty if it has none."""
    while start := _CHOICE.search(text):
        end = _closing(text, start.start())
        branch = _OTHER.search(text, start.start(), end)
        if not branch:
            return ""
        text = text[: start.start()] + branch[1].replace("#", "") + text[end + 1 :]
    return text


def _closing(text: str, start: int) -> int:
    """Returns the position of the brace that closes the one at `start`, or `start` if none does."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return start
