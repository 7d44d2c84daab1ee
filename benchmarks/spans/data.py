"""Universal NER: labelled sentences of one language, and the test rows of all treebanks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xlt.data.spans import Span

#: Labels that every treebank has; Serbian has OTH as well, which is left out.
LABELS = ("LOC", "ORG", "PER")
SOURCE = ("English-EWT", "dev")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence whose words are known.

    Attributes:
        words: Its words.
        tags: IOB2 tags of the words.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        """Returns the words with a blank between each two."""
        return " ".join(self.words)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Returns the spans as parts of the text."""
        spans: list[Span] = []
        label, start = "", 0
        end = -1
        for word, tag in zip(self.words, self.tags, strict=True):
            begin = end + 1
            if label and tag != f"I-{label}":
                spans.append(Span(start, end, label))
                label = ""
            end = begin + len(word)
            if not label and tag != "O":
                label, start = tag[2:], begin
        if label:
            spans.append(Span(start, end, label))
        return tuple(spans)


def labelled(folder: Path) -> list[Sentence]:
    """Returns the sentences to learn from."""
    return _sentences(_table(folder), *SOURCE)


def judging(folder: Path, most: int, split: str = "test") -> dict[tuple[str, str], list[Sentence]]:
    """Returns the first sentences of each treebank, by language and treebank.

    Args:
        folder: Folder of uner.parquet.
        most: Largest number of sentences of a treebank.
        split: "test", or "dev" to choose settings by, without the treebank that is learned from.
    """
    table = _table(folder)
    names = table[(table.split == split) & ((table.treebank != SOURCE[0]) | (split != SOURCE[1]))]
    pairs = sorted(set(zip(names.lang, names.treebank, strict=True)))
    return {(lang, bank): _sentences(table, bank, split)[:most] for lang, bank in pairs}


def f1(truth: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> float:
    """Returns the exact F1 over all spans of all sentences; 0 if there is none."""
    both = sum(len(set(a) & set(b)) for a, b in zip(truth, predicted, strict=True))
    count = sum(map(len, truth)) + sum(map(len, predicted))
    return 2 * both / count if count else 0.0


def _table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "uner.parquet")


def _sentences(table: pd.DataFrame, treebank: str, split: str) -> list[Sentence]:
    rows = table[(table.treebank == treebank) & (table.split == split)]
    return [
        Sentence(words=tuple(words), tags=tuple(t if t[2:] in LABELS else "O" for t in tags))
        for words, tags in zip(rows.tokens, rows.tags, strict=True)
    ]
