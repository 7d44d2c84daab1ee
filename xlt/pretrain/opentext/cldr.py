"""Reads names and keywords of emoji, countries, languages and scripts from Unicode's CLDR."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from xlt.pretrain.language_codes import language_of_tag
from xlt.pretrain.opentext.archives import Files
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.sources import Source

_HINGLISH = "hi-Latn"  # Hindi in Latin letters, half of it English


def cldr_entries(source: Source, files: Files) -> Iterator[Entry]:
    """Yields an entry for each translated name or list of keywords.

    Args:
        source: The package; its reader is `cldr-annotations` or `cldr-names`.
        files: Its files that match the pattern.
    """
    by_tag: dict[str, dict[str, str]] = {}
    for name, data in files:
        match = re.search(source.pattern, name)
        if match:
            texts = _READERS[source.reader](json.loads(data), match["lang"])
            by_tag.setdefault(match["lang"], {}).update(texts)
    english = by_tag.get("en", {})
    triples = {
        (english[item], code, text)
        for tag, texts in by_tag.items()
        if (code := language_of_tag(tag)) not in (None, "eng") and tag != _HINGLISH
        for item, text in texts.items()
        if english.get(item, text) != text and any(c.isalpha() for c in text)
    }
    for text, code, translation in sorted(triples):
        yield Entry(corpus=source.corpus, english=text, translations=((code, translation),))


def _annotations(tree: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str]]:
    """Yields the name of each emoji, and its keywords if it has several."""
    for emoji, annotation in tree["annotations"].get("annotations", {}).items():
        name = annotation.get("tts", [""])[0]
        keywords = [word for word in annotation.get("default", ()) if word != name]
        yield f"name of {emoji}", name
        if len(keywords) > 1:
            yield f"keywords of {emoji}", ", ".join(keywords)


def _names(tree: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str]]:
    """Yields the names of codes."""
    for kind, names in tree["main"][tag]["localeDisplayNames"].items():
        for code, name in names.items():
            if "-alt-" not in code and name != code:
                yield f"{kind} {code}", name


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[tuple[str, str]]]] = {
    "cldr-annotations": _annotations,
    "cldr-names": _names,
}
