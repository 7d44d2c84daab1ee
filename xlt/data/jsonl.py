"""Examples as JSON lines: one format for files that xlt writes and reads back."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

from xlt.data.by_control import ByControl
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.spans import Span, is_span
from xlt.errors import DataError


def as_row(example: Example) -> dict[str, Any]:
    """Returns an example as a row, without empty fields."""
    row: dict[str, Any] = {"id": example.id, "text": text_cell(example), "lang": example.lang}
    if example.answer is not None:
        row["label"] = _plain(example.answer)
    if example.group is not None:
        row["group"] = example.group
    if example.weight != 1.0:
        row["weight"] = example.weight
    return row


def text_cell(example: Example) -> str | list[str]:
    """Returns the text of an example as a cell of JSON, or a list of its texts."""
    return example.text if len(example.texts) == 1 else list(example.texts)


def from_row(row: Mapping[str, Any]) -> Example:
    """Returns the example of a row that `as_row` made."""
    text = row["text"]
    return Example(
        id=row["id"],
        texts=(text,) if isinstance(text, str) else tuple(text),
        lang=row.get("lang", UNKNOWN_LANGUAGE),
        answer=hashable(row.get("label")),
        group=row.get("group"),
        weight=row.get("weight", 1.0),
    )


def hashable(cell: Any) -> Hashable | None:  # noqa: ANN401 - JSON
    """Returns a table's cell with tuples in place of lists, spans and `ByControl`, as in answers.

    Raises:
        DataError: If a span has offsets or a label that no span has.
    """
    if isinstance(cell, list):
        return tuple(hashable(part) for part in cell)
    if is_span(cell):
        return Span.from_json(cell)
    if isinstance(cell, dict):
        return ByControl.of({str(name): hashable(part) for name, part in cell.items()})
    own: Hashable | None = cell
    return own


def _plain(cell: object) -> Any:  # noqa: ANN401 - JSON
    """Returns an answer as `json` writes it, for `hashable` to read."""
    if isinstance(cell, tuple):
        return tuple(_plain(part) for part in cell)
    if isinstance(cell, ByControl):
        return {name: _plain(part) for name, part in cell}
    return cell.to_json() if isinstance(cell, Span) else cell


def write_jsonl(path: Path, examples: Iterable[Example]) -> None:
    """Writes examples, which `read_jsonl` and `xlt.data.corpus.read_examples` read.

    Raises:
        DataError: If the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            for example in examples:
                file.write(json.dumps(as_row(example), ensure_ascii=False) + "\n")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def read_jsonl(path: Path) -> list[Example]:
    """Reads examples that `write_jsonl` wrote; returns none without a file.

    Raises:
        DataError: If the file has another format.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8") as file:
            return [from_row(json.loads(line)) for line in file]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"cannot read {path}: {error!r}") from error
