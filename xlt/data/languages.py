"""Tells which codes and names are one language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

import langcodes
from langcodes.data_dicts import LANGUAGE_REPLACEMENTS, MACROLANGUAGES
from langcodes.tag_parser import LanguageTagError

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.label_names import seen
from xlt.data.language_names import tag_of

# CLDR's distance between a macrolanguage and the member that data sets write with its code: 0, and
# 1 between Norwegian and Bokmål. All other members are further away.
_SAME = 1

#: Number of languages that a message lists, and the number of characters of each.
_LISTED, _WIDTH = 12, 40


@lru_cache(maxsize=65_536)
def normalise(name: str) -> str:
    """Returns a key that is the same for all codes and names of one language.

    The key is the language's ISO 639-3 code. Withdrawn codes, scripts and regions do not count:
    `he`, `iw` and `heb_Hebr` give `heb`; so do `Hebrew` and `עברית`. A macrolanguage and the member
    that CLDR takes for it are one language (`swh` gives `swa`, `cmn` gives `zho`), other members
    are languages of their own (`arz`, `yue`, `quy`). A code that is also another language's name
    is read as the code.

    A name of no known language gives itself in lower case, and private subtags (`ha-x-kano`) are
    kept, so that groups of texts that people name apart stay apart. An empty name gives
    `UNKNOWN_LANGUAGE`.
    """
    tag = _tag(name)
    if tag is None:
        return _plain(name).lower() or UNKNOWN_LANGUAGE
    code = _individual(tag)
    macro = _macrolanguages().get(code)
    if macro and langcodes.tag_distance(code, macro) <= _SAME:
        code = macro
    key = langcodes.Language.make(language=code).to_alpha3()
    return f"{key}-{tag.private}" if tag.private else key


def is_known(name: str) -> bool:
    """Returns whether this is a code or a name of a language; `UNKNOWN_LANGUAGE` is, too."""
    return not _plain(name) or _tag(name) is not None


def iso_code(name: str) -> str | None:
    """Returns the shortest ISO 639 code of a known language; None for any other text."""
    tag = _tag(name)
    found = None if tag is None else _individual(tag)
    return None if found == UNKNOWN_LANGUAGE else found


def macrolanguage(name: str) -> str | None:
    """Returns the key of the ISO 639-3 macrolanguage that a language is a member of.

    None if it is not a member, or is what CLDR takes for the macrolanguage.
    """
    tag = _tag(name)
    macro = None if tag is None else _macrolanguages().get(_individual(tag))
    key = None if macro is None else normalise(macro)
    return None if key == normalise(name) else key


def languages_named(name: str, languages: Iterable[str]) -> tuple[str, ...]:
    """Returns the languages that a user means by `name`.

    They are those with the same key; if there are none, the members of the macrolanguage `name`.

    Args:
        name: Code or name of a language.
        languages: Codes or names to choose from, each of them as it is returned.
    """
    key, languages = normalise(name), tuple(dict.fromkeys(languages))
    same = tuple(language for language in languages if normalise(language) == key)
    return same or tuple(language for language in languages if macrolanguage(language) == key)


def resolved(names: Sequence[str], languages: Iterable[str]) -> tuple[str, ...]:
    """Returns the names; a macrolanguage that names members is replaced by their keys, sorted."""
    languages = tuple(languages)
    result: list[str] = []
    for name in names:
        keys = {normalise(language) for language in languages_named(name, languages)}
        result += sorted(keys - {normalise(name)}) or [name]
    return tuple(result)


def spellings(languages: Iterable[str]) -> dict[str, str]:
    """Returns for each code or name the first one that is for the same language."""
    first: dict[str, str] = {}
    return {language: first.setdefault(normalise(language), language) for language in languages}


def listed(texts: Mapping[str, int]) -> str:
    """Returns a short list of languages, those with most texts first, for messages."""
    common = sorted(texts.items(), key=lambda item: -item[1])
    parts = [f"{language[:_WIDTH]} ({count})" for language, count in common[:_LISTED]]
    more = [f"{len(common) - _LISTED} more"] if len(common) > _LISTED else []
    return ", ".join(parts + more) or "no language"


def in_languages(examples: Sequence[Example], names: Sequence[str]) -> list[Example]:
    """Returns the examples in these `resolved` languages; all of them if none is named."""
    keys = {normalise(name) for name in names}
    return [example for example in examples if not keys or normalise(example.lang) in keys]


@lru_cache(maxsize=65_536)
def _tag(name: str) -> langcodes.Language | None:
    """Returns the language tag of a code or name; None if it is neither."""
    name = _plain(name)
    try:
        tag = langcodes.Language.get(name)
    except LanguageTagError:
        tag = None
    if tag is None or not _is_language(tag):
        found = tag_of(name) if name else None
        tag = None if found is None else langcodes.Language.get(found)
    return tag


def _is_language(tag: langcodes.Language) -> bool:
    """Returns whether the tag has a language with a code, and valid subtags.

    Those of a language within another are replaced (`zh-yue`); what is left of them is none
    (`Min_Nan` is no kind of Minangkabau).
    """
    try:
        tag.to_alpha3()
    except LookupError:
        return False
    return tag.is_valid() and not tag.extlangs


def _individual(tag: langcodes.Language) -> str:
    """Returns the tag's language, or the living language that langcodes reads as its region."""
    language = tag.language or UNKNOWN_LANGUAGE
    return _regional().get(f"{language}-{tag.territory}", language)


@cache
def _macrolanguages() -> Mapping[str, str]:
    """Member -> macrolanguage of ISO 639-3, without those whose own code is withdrawn (`sh`)."""
    return {
        member: macro
        for member, macro in MACROLANGUAGES.items()
        if langcodes.Language.get(macro).language == macro
    }


@cache
def _regional() -> Mapping[str, str]:
    """Language and region -> the code that they replace, such as `fa-AF` -> `prs`.

    langcodes gives Dari as a kind of Persian; data sets have texts in both.
    """
    return {tag: code for code, tag in LANGUAGE_REPLACEMENTS.items() if code in MACROLANGUAGES}


def _plain(name: str) -> str:
    """Returns a name without what does not show, and with letters of the usual width (`ｅｎ`)."""
    return " ".join(unicodedata.normalize("NFKC", seen(name)).split())
