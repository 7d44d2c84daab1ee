"""Predictions as files: JSON lines and CSV for every kind, IOB2 and CoNLL-U for spans."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from xlt.cli.arguments import print_status
from xlt.data.corpus import Corpus
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.marked.iob import tags_of
from xlt.data.marked.tables import KIND as SPANS
from xlt.data.marked.words import words_in
from xlt.data.marked.writing import as_conllu, as_iob2
from xlt.errors import ConfigError
from xlt.tasks.task import AnyTask, Suggestion

#: Forms of a file of predictions, the default first.
FORMATS = ("jsonl", "csv", "iob2", "conllu")
#: Those with a token per line.
_TOKENS = {"iob2", "conllu"}


def check_format(name: str, task: AnyTask) -> None:
    """Checks that predictions of a task can be written so.

    Raises:
        ConfigError: If not.
    """
    if name in _TOKENS and task.kind != SPANS:
        raise ConfigError(
            f"--format {name} is for spans, but the model's answers are of the kind {task.kind}: "
            f"expected {' or '.join(form for form in FORMATS if form not in _TOKENS)}"
        )


def write_predictions(
    stream: TextIO,
    form: str,
    task: AnyTask,
    corpus: Corpus,
    suggestions: Sequence[Suggestion],
) -> None:
    """Writes a suggestion for each example of a corpus.

    Args:
        stream: Where to.
        form: One of `FORMATS`.
        task: The task of the suggestions.
        corpus: Its N examples.
        suggestions: N suggestions.
    """
    if form in _TOKENS:
        _write_tokens(stream, form, corpus, suggestions)
        return
    pairs = zip(corpus.examples, suggestions, strict=True)
    rows = (_row(task, example, suggestion) for example, suggestion in pairs)
    if form == "csv":
        _write_csv(stream, rows)
        return
    for row in rows:
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _row(task: AnyTask, example: Example, suggestion: Suggestion) -> dict[str, Any]:
    """Returns a prediction by field; spans stand beside the text in which they are counted."""
    row: dict[str, Any] = {"id": example.id, "lang": example.lang}
    if task.kind == SPANS:
        row["text"] = example.text
    row["label"] = task.plain(suggestion.answer)
    if task.kind == SPANS:
        scores = suggestion.parts or [suggestion.confidence] * len(suggestion.answer)
        row["spans"] = [
            {
                **span.to_json(),
                "score": round(score, 4),
                "text": example.text[span.start : span.end],
            }
            for span, score in zip(suggestion.answer, scores, strict=True)
        ]
    row["confidence"] = round(suggestion.confidence, 4)
    row["probabilities"] = {k: round(v, 4) for k, v in suggestion.probabilities.items()}
    return row


def _write_csv(stream: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows as CSV; lists and objects are JSON in their cells."""
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        cells = {
            name: json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else cell
            for name, cell in row.items()
        }
        if writer is None:
            writer = csv.DictWriter(stream, list(cells), lineterminator="\n")
            writer.writeheader()
        writer.writerow(cells)


def _write_tokens(
    stream: TextIO, form: str, corpus: Corpus, suggestions: Sequence[Suggestion]
) -> None:
    """Writes a token per line: the table's own tokens, or else words; says what has no room."""
    places = corpus.tokens or [words_in(example.text) for example in corpus.examples]
    left_out = 0
    for example, own, suggestion in zip(corpus.examples, places, suggestions, strict=True):
        tags, others = tags_of(suggestion.answer, own)
        left_out += len(others)
        if form == "iob2":
            stream.write(as_iob2(example.text, own, tags))
            continue
        lang = None if example.lang == UNKNOWN_LANGUAGE else example.lang
        stream.write(as_conllu(example.text, own, tags, id=example.id, lang=lang))
    if left_out:
        print_status(
            f"left out {left_out} span{'' if left_out == 1 else 's'} that "
            f"share{'s' if left_out == 1 else ''} a token with a longer one: {form} has one label "
            "for each token"
        )
