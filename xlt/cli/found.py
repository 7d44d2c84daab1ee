"""Prints the texts that a search found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xlt.cli.arguments import print_status
from xlt.data.examples import Example
from xlt.data.jsonl import text_cell

if TYPE_CHECKING:
    from xlt.search.index import Hit
    from xlt.search.stored import Changes

#: Translated words that a line names.
_NAMED = 12


def show(examples: Sequence[Example], hits: Sequence[Hit], *, as_json: bool) -> None:
    """Prints what was found, the best first; says so if it is nothing."""
    if not hits:
        print_status("nothing found")
    for rank, hit in enumerate(hits, start=1):
        example = examples[hit.row]
        if as_json:
            row = {"rank": rank, "id": example.id, "lang": example.lang}
            row |= {"labelled": example.answer is not None, "score": round(hit.score, 5)}
            row |= {
                "similarity": round(hit.similarity, 4),
                "overlap": {n: round(o, 4) for n, o in hit.overlap.items()},
                "ranks": hit.ranks,
            }
            print(json.dumps(row | {"text": text_cell(example)}, ensure_ascii=False))
        else:
            by = ", ".join(f"{name} {place}" for name, place in hit.ranks.items())
            text = " | ".join(" ".join(text.split()) for text in example.texts)
            print(f"{rank:>3}  {example.id} ({example.lang}, {by})  {text}")


def described(changes: Changes, folder: Path | None) -> str:
    """Returns a line on how a pool differs from its stored index."""
    if changes.again:
        return f"{folder} is of {changes.again}: all texts are read again"
    return (
        f"{folder} was not up to date: {changes.new} texts are new, {changes.changed} changed, "
        f"{changes.deleted} deleted"
    )


def translated(said: Mapping[str, Sequence[str]]) -> str:
    """Returns a line on the words of a lexicon that are searched for too."""
    each = [f"{text} ({lang})" for lang, texts in said.items() for text in texts]
    if not each:
        return "the lexicon has no word of the query in a language of the texts"
    more = f", {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return f"also searched for: {', '.join(each[:_NAMED])}{more}"
