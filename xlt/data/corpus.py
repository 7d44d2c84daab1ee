"""Corpora: reads tables of texts as examples, and finds columns by their usual names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.rows import Row
from xlt.data.tables import read_rows
from xlt.errors import DataError

# Usual names of columns, the likeliest first; compared without case, `_` and `-`.
_USUAL = {
    "text": ("text", "sentence", "content", "tweet", "document", "review", "utterance", "body"),
    "lang": ("lang", "language", "languagecode", "langid", "locale"),
    "label": ("label", "category", "class", "sentiment", "topic", "intent", "choice", "target"),
    "id": ("id", "taskid", "uid", "key", "index", "indexid"),
    "group": ("group", "groupid", "parallelid", "translationid", "sentenceid"),
}
_MAX_TEXT = 1_000_000
_MAX_FIELD = 1_000
_NAMED_COLUMNS = 20


def read_examples(
    path: str | Path,
    *,
    text: str | None = None,
    lang: str | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    split: str | None = None,
) -> list[Example]:
    """Reads a CSV, TSV, JSONL or Parquet file, or `owner/name:split` of a Hub data set.

    If you do not name a column, it is found by its usual names (`text`, `sentence`, `tweet` ...).
    Rows without text are refused; rows without a label are unlabelled, rows without a language have
    `UNKNOWN_LANGUAGE`.

    If an id occurs in several languages (a parallel corpus), it becomes the group, unless the table
    has groups, and the ids become `id/lang`. Without an id column rows are numbered from 1.

    Args:
        path: The file, by suffix (`.csv`, `.tsv`, `.jsonl`, `.ndjson`, each also `.gz`, or
            `.parquet`), or a Hub data set as `owner/name:split`.
        text: Column with the text.
        lang: Column with the language code.
        label: Column with the label.
        id: Column with an id.
        group: Column with groups: rows with the same value have the same meaning.
        split: Keep only rows whose `split` column has this value.

    Raises:
        DataError: If there is no such file or column, or if a row is bad (names its number).
    """
    asked = {"text": text, "lang": lang, "label": label, "id": id, "group": group}
    return examples_of(read_rows(path), str(path), asked, split=split)


def examples_of(
    rows: list[Row],
    path: str,
    asked: Mapping[str, str | None],
    *,
    split: str | None = None,
    answers: Mapping[int, tuple[Hashable | None, float]] | None = None,
) -> list[Example]:
    """Returns the examples of a table's rows.

    Args:
        rows: Rows of the table.
        path: Its file, for messages.
        asked: Columns that the user named, by field.
        split: Keep only rows whose `split` column has this value.
        answers: Row number -> answer and weight, in place of a column with labels.

    Raises:
        DataError: If there are no rows, a column is missing, or a row is bad (names its number).
    """
    if not rows:
        raise DataError(f"{path} has no rows: expected at least one")
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = find_columns(names, asked, path)
    if answers is not None:
        columns.pop("label", None)
    if split is not None:
        rows = _of_split(rows, split, path)
    examples = [
        _answered(
            _example(number, row, columns, path), None if answers is None else answers[number]
        )
        for number, row in rows
    ]
    return _distinct(examples, path)


def _answered(example: Example, given: tuple[Hashable | None, float] | None) -> Example:
    return example if given is None else replace(example, answer=given[0], weight=given[1])


def find_columns(names: list[str], asked: Mapping[str, str | None], path: str) -> dict[str, str]:
    """Finds the column of each field; leaves out fields without one.

    Raises:
        DataError: If a column that the user named is missing, or if there is none with text.
    """
    plain = {
        name.lower().replace("_", "").replace("-", "").replace(" ", ""): name for name in names
    }
    columns: dict[str, str] = {}
    for field, usual_names in _USUAL.items():
        name = asked.get(field)
        if name is not None:
            if name not in names:
                raise DataError(f"{path} has no column {name!r}; it has {names[:_NAMED_COLUMNS]}")
            columns[field] = name
            continue
        usual = next((plain[known] for known in usual_names if known in plain), None)
        if usual is not None and usual not in columns.values():
            columns[field] = usual
    if "text" not in columns:
        raise DataError(
            f"{path} has no column with text; it has {names[:_NAMED_COLUMNS]}, expected one of "
            f"{list(_USUAL['text'])}: name the column as an option"
        )
    return columns


def _of_split(rows: list[Row], split: str, path: str) -> list[Row]:
    selected = [(number, row) for number, row in rows if row.get("split") == split]
    if not selected:
        known = sorted({str(row.get("split")) for _, row in rows})[:_NAMED_COLUMNS]
        raise DataError(f"{path} has no rows with split {split!r}; it has {known}")
    return selected


def _example(number: int, row: Mapping[str, object], columns: dict[str, str], path: str) -> Example:
    def value(field: str, most: int = _MAX_FIELD) -> str | None:
        cell = row.get(columns[field]) if field in columns else None
        if cell is None or (isinstance(cell, float) and np.isnan(cell)):
            return None
        if not isinstance(cell, str | int | float):
            raise DataError(
                f"{path}, row {number}: {columns[field]} must be text, got {type(cell).__name__}"
            )
        string = str(cell).strip()
        if len(string) > most:
            raise DataError(
                f"{path}, row {number}: {columns[field]} is longer than {most} characters"
            )
        return string or None

    texts = _strings(row.get(columns["text"])) or (value("text", _MAX_TEXT) or "",)
    if not all(texts):
        raise DataError(f"{path}, row {number}: {columns['text']} is empty")
    labels = _labels(row.get(columns["label"])) if "label" in columns else None
    return Example(
        id=value("id") or str(number),
        texts=texts,
        lang=value("lang") or UNKNOWN_LANGUAGE,
        answer=value("label") if labels is None else labels,
        group=value("group"),
        weight=_weight(row.get("weight"), number, path),
    )


def _strings(cell: object) -> tuple[str, ...] | None:
    """Returns the strings of a list; None for any other cell."""
    if not isinstance(cell, list) or not all(isinstance(part, str) for part in cell):
        return None
    return tuple(part.strip() for part in cell)


def _labels(cell: object) -> tuple[str, ...] | None:
    """Returns the labels of a list, or of a JSON list in a CSV cell; None for any other cell."""
    try:
        in_json = isinstance(cell, str) and cell.startswith("[")
        return _strings(json.loads(str(cell)) if in_json else cell)
    except ValueError:
        return None


def _weight(value: object, number: int, path: str) -> float:
    if value is None or value == "":
        return 1.0
    try:
        weight = float(str(value))
    except ValueError:
        weight = float("nan")
    if not 0.0 < weight <= 1.0:
        raise DataError(f"{path}, row {number}: weight must be in (0, 1], got {value!r}")
    return weight


def _distinct(examples: list[Example], path: str) -> list[Example]:
    """Makes ids distinct; an id that several languages share becomes their group."""
    counts = Counter(example.id for example in examples)
    if len(counts) == len(examples):
        return examples
    pairs = Counter((example.id, example.lang) for example in examples)
    (id, lang), most = pairs.most_common(1)[0]
    if most > 1:
        raise DataError(
            f"{path}: expected distinct ids, but id {id!r} occurs {most} times in language {lang!r}"
        )
    return [
        replace(
            example,
            id=f"{example.id}/{example.lang}",
            group=example.group if example.group is not None else example.id,
        )
        for example in examples
    ]
