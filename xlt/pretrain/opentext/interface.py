"""Takes translations of user interfaces out of packages: one entry for each message."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xlt.pretrain.codes import language_of_tag
from xlt.pretrain.opentext.archives import Files
from xlt.pretrain.opentext.cleaning import clean, is_english, is_translation
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.readers import flatten, read_catalogue, read_messages
from xlt.pretrain.opentext.sources import Source

#: Texts of one message by language tag.
Texts = Mapping[str, Sequence[str]]

WORDS = "interface-words"  # the corpus of messages of few words
_FEW_WORDS = 3
_MOST_VARIANTS = 2  # of a message in one language
_MOST_DEPTH = 8  # of rules within rules

_SKIPPED = re.compile(
    r"(@metadata|\.terms$|\.aliases|\.languageNames|\.scriptNames|shortcuts\.|\bhashtags|"
    r"^MESSAGES?_LANG|dateFormat|\.community\.|_communities\.|imagery\.|\.locale$)"
)
_BUILD_HASH = re.compile(r"-[0-9A-Fa-f]{32}|-[A-Z0-9]{8}\.")  # in the file names of bundlers


def interface_entries(source: Source, files: Files) -> Iterator[Entry]:
    """Yields the usable messages of one package.

    A language whose text is the English one in more than half of its messages is taken for
    untranslated, unless the source is known to fill gaps with English.

    Args:
        source: The package; its reader is `files` or `intents`.
        files: The files that its pattern finds.
    """
    found: list[Entry] = []
    same: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for name, texts in _READERS[source.reader](files, source.pattern):
        by_language = _by_language(texts)
        english = by_language.pop("eng", [""])[0]
        if not is_english(english):
            continue
        total.update(by_language.keys())
        same.update(code for code, variants in by_language.items() if english in variants)
        found.append(_entry(source, name, english, by_language))
    absent = {code for code in total if same[code] > total[code] / 2 and not source.padded}
    for entry in found:
        kept = tuple(pair for pair in entry.translations if pair[0] not in absent)
        if kept:
            yield replace(entry, translations=kept)


def unrepeated(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yields the entries without translations of an English text that an earlier one has."""
    seen: set[tuple[str, str, str]] = set()
    for entry in entries:
        new = tuple(pair for pair in entry.translations if (*pair, entry.english) not in seen)
        seen.update((*pair, entry.english) for pair in new)
        if new:
            yield replace(entry, translations=new)


def sentence(template: str, rules: Mapping[str, str], depth: int = 0) -> str:
    """Returns the plainest sentence of a template: optional words left out, first alternatives.

    Args:
        template: With `[optional]`, `(one|other)` and `<rule>`.
        rules: What rules stand for.
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


def _entry(source: Source, name: str, english: str, found: Mapping[str, list[str]]) -> Entry:
    short = len(english.split()) <= _FEW_WORDS
    return Entry(
        corpus=WORDS if short else source.corpus,
        english=english,
        key=f"{source.name}:{name}",
        translations=tuple(
            (code, text)
            for code in sorted(found)
            for text in found[code]
            if is_translation(english, text)
        ),
    )


def _by_language(texts: Texts) -> dict[str, list[str]]:
    """Cleans a message's texts and gathers them by language, shortest tags first."""
    result: dict[str, list[str]] = defaultdict(list)
    for tag in sorted(texts, key=lambda tag: (len(tag), tag)):
        code = language_of_tag(tag)
        for text in map(clean, texts[tag] if code else ()):
            if code and text and text not in result[code] and len(result[code]) < _MOST_VARIANTS:
                result[code].append(text)
    return result


def _files(files: Files, pattern: str) -> Iterator[tuple[str, Texts]]:
    """Yields the messages of files that hold one language each."""
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


def _intents(files: Files, pattern: str) -> Iterator[tuple[str, Texts]]:
    """Yields the spoken answers of Home Assistant, and one command for each thing it can do."""
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
        # A command of few words says too little of the one that another language gives first.
        if "#" not in key or len(clean(texts.get("en", [""])[0]).split()) > _FEW_WORDS:
            yield key, texts


def _located(files: Files, pattern: str) -> Iterator[tuple[str, str, str, bytes]]:
    """Yields tag, name without the tag, name and content of the files, by their names."""
    for name, data in sorted(files):
        found = re.search(pattern, name)
        if found:
            place = name[: found.start("lang")] + _BUILD_HASH.sub("", name[found.end("lang") :])
            yield found["lang"], place, name, data


def _signature(block: Mapping[str, Any]) -> str:
    """Names what a command acts on, the same in every language."""
    names = ("slots", "metadata", "requires_context", "excludes_context", "response")
    return _digest(json.dumps([block.get(name) for name in names], sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


_READERS: Mapping[str, Callable[[Files, str], Iterator[tuple[str, Texts]]]] = {
    "files": _files,
    "intents": _intents,
}
