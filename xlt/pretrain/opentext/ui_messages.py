"""Reads translations of user interfaces and manuals from packages, an entry for each message."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from xlt.pretrain.language_codes import language_of_tag
from xlt.pretrain.opentext.cleaning import (
    clean,
    is_english,
    is_prose,
    is_translation,
    without_help_markup,
)
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.message_files import (
    flatten,
    read_catalogue,
    read_messages,
    read_portable,
)
from xlt.pretrain.opentext.selection import most_translated
from xlt.pretrain.opentext.sources import Source

#: Texts of one message, by language tag.
Texts = Mapping[str, Sequence[str]]
#: Names and contents of files, which may not all fit into memory.
Members = Iterable[tuple[str, bytes]]

WORDS = "-words"  # suffix of the corpus of short messages
DOCS = "docs"  # corpus of manuals, whose short messages are left out
_FEW_WORDS = 3
_WORDS_SHARE = 2  # number of other messages for a short one, if messages are selected
_MOST_VARIANTS = 2  # of a message in one language
_MOST_DEPTH = 8  # of rules within rules

_SKIPPED = re.compile(
    r"(@metadata|\.terms$|\.aliases|\.languageNames|\.scriptNames|shortcuts\.|\bhashtags|"
    r"^MESSAGES?_LANG|dateFormat|\.community\.|_communities\.|imagery\.|\.locale$)"
)
# Index entries, lines of programs, placeholders for text of other pages, lists of choices.
_NO_PROSE = re.compile(r"^(bm|bas|pyc)_id|<bookmark|<embed|\w;\w.*\w;\w", re.MULTILINE)
_BUILD_HASH = re.compile(r"-[0-9A-Fa-f]{32}|-[A-Z0-9]{8}\.")  # in file names of bundlers


def message_entries(source: Source, files: Members) -> Iterator[Entry]:
    """Yields the usable messages of a package.

    A language with English text in more than half of its messages counts as untranslated, unless
    the source is known to fill gaps with English.

    Args:
        source: The package; its reader is `files`, `gettext` or `intents`.
        files: Its files that match the pattern.
    """
    entries: list[Entry] = []
    same: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for name, texts in _READERS[source.reader](files, source.pattern):
        by_language = _by_language(texts, source.english)
        english = by_language.pop("eng", [""])[0]
        if not _is_wanted(english, source.corpus):
            continue
        total.update(by_language.keys())
        same.update(code for code, variants in by_language.items() if english in variants)
        entries.append(_entry(source, name, english, by_language))
    untranslated = {code for code in total if same[code] > total[code] / 2 and not source.padded}
    reduced = (_without_languages(entry, untranslated) for entry in entries)
    translated = (entry for entry in reduced if entry.translations)
    most = {source.corpus: source.most, source.corpus + WORDS: source.most // _WORDS_SHARE}
    yield from most_translated(translated, most) if source.most else translated


def unrepeated(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yields the entries without translations that an earlier entry has for the same English."""
    seen: set[tuple[str, str, str]] = set()
    for entry in entries:
        new = tuple(pair for pair in entry.translations if (*pair, entry.english) not in seen)
        seen.update((*pair, entry.english) for pair in new)
        if new:
            yield replace(entry, translations=new)


def sentence(template: str, rules: Mapping[str, str], depth: int = 0) -> str:
    """Returns the simplest sentence of a template, with first alternatives and no optional words.

    Args:
        template: Text with `[optional]`, `(one|other)` and `<rule>`.
        rules: Templates of the rules, by name.
        depth: How many rules this one is within.
    """
    if depth > _MOST_DEPTH:
        return ""
    text = re.sub(
        r"<(\w+)>", lambda m: f"({sentence(rules.get(m[1], ''), rules, depth + 1)})", template
    )
    innermost = re.compile(r"\[[^\[\]()]*\]|\(([^\[\]()]*)\)")
    while innermost.search(text):
        text = innermost.sub(lambda m: (m[1] or "").split("|")[0], text, count=1)
    return text.split("|")[0]


def _is_short(english: str) -> bool:
    return len(english.split()) <= _FEW_WORDS


def _is_wanted(english: str, corpus: str) -> bool:
    if corpus == DOCS and (_is_short(english) or not is_prose(english)):
        return False
    return is_english(english)


def _without_languages(entry: Entry, languages: AbstractSet[str]) -> Entry:
    others = tuple(pair for pair in entry.translations if pair[0] not in languages)
    return replace(entry, translations=others)


def _entry(source: Source, name: str, english: str, texts: Mapping[str, list[str]]) -> Entry:
    return Entry(
        corpus=source.corpus + (WORDS if _is_short(english) else ""),
        english=english,
        key=f"{source.name}:{name}",
        translations=tuple(
            (code, text)
            for code in sorted(texts)
            for text in texts[code]
            if is_translation(english, text)
        ),
    )


def _by_language(texts: Texts, english: str) -> dict[str, list[str]]:
    """Cleans a message's texts and groups them by language, shortest tags first."""
    result: dict[str, list[str]] = defaultdict(list)
    for tag in sorted(texts, key=lambda tag: (len(tag), tag)):
        code = "eng" if tag == english else language_of_tag(tag)
        for text in map(clean, texts[tag] if code else ()):
            if code and text and text not in result[code] and len(result[code]) < _MOST_VARIANTS:
                result[code].append(text)
    return result


def _files(files: Members, pattern: str) -> Iterator[tuple[str, Texts]]:
    """Yields the messages of files with one language each."""
    table: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for tag, place, name, data in _located(files, pattern):
        if name.endswith(".mo"):
            for message, english, text in read_catalogue(data):
                texts = table[_digest(message)]
                texts["en"] = [english]
                if language_of_tag(tag) != "eng":
                    texts[tag].append(text)
        else:
            for path, text in read_messages(name, data, tag):
                key = f"{place}#{path}"
                if not _SKIPPED.search(key):
                    table[key][tag].append(text)
    yield from table.items()


def _gettext(files: Members, pattern: str) -> Iterator[tuple[str, Texts]]:
    """Yields the messages of .po files, read one by one because they do not fit into memory."""
    table: dict[str, dict[str, list[str]]] = {}
    for name, data in files:
        match = re.search(pattern, name)
        tag = match["lang"] if match else ""
        if language_of_tag(tag) in (None, "eng"):
            continue
        for message, english, text in read_portable(data):
            if _NO_PROSE.search(message):
                continue
            texts = table.setdefault(message, {"en": [without_help_markup(english)]})
            texts.setdefault(tag, []).append(without_help_markup(text))
    for message in tuple(table):
        yield _digest(message), table.pop(message)


def _intents(files: Members, pattern: str) -> Iterator[tuple[str, Texts]]:
    """Yields the spoken answers of Home Assistant, and one command for each of its actions."""
    table: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for tag, _, _, data in _located(files, pattern):
        tree = json.loads(data)
        for path, text in flatten(tree.get("responses", {})):
            if "{%" not in text:
                table[f"responses{path}"][tag] = [text]
        rules = tree.get("expansion_rules", {})
        for intent, body in tree.get("intents", {}).items():
            for block in body.get("data", ()):
                texts = table[f"{intent}#{_signature(block)}"]
                texts.setdefault(tag, [sentence(block["sentences"][0], rules)])
    for key, texts in table.items():
        # The first commands of two languages often differ; short ones are too ambiguous.
        if "#" not in key or len(clean(texts.get("en", [""])[0]).split()) > _FEW_WORDS:
            yield key, texts


def _located(files: Members, pattern: str) -> Iterator[tuple[str, str, str, bytes]]:
    """Yields tag, name without tag, name and content of the files, sorted by name."""
    for name, data in sorted(files):
        match = re.search(pattern, name)
        if match:
            place = name[: match.start("lang")] + _BUILD_HASH.sub("", name[match.end("lang") :])
            yield match["lang"], place, name, data


def _signature(block: Mapping[str, Any]) -> str:
    """Returns a key of a command's action, which is the same in every language."""
    names = ("slots", "metadata", "requires_context", "excludes_context", "response")
    return _digest(json.dumps([block.get(name) for name in names], sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


_READERS: Mapping[str, Callable[[Members, str], Iterator[tuple[str, Texts]]]] = {
    "files": _files,
    "gettext": _gettext,
    "intents": _intents,
}
