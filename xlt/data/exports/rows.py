"""Label Studio's flat formats JSON_MIN, CSV and TSV: one row per annotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xlt.data.columns import TEXTS, find_columns
from xlt.data.exports.annotations import latest_by_annotator
from xlt.data.exports.items import (
    Choice,
    Choices,
    Export,
    Item,
    choices,
    choices_of_cell,
    chosen_object,
    label_of,
    labels_of_leaves,
    listed,
    rating_of_cell,
    taxonomy_object,
    whole_paths,
)
from xlt.data.marked.marks import Marks, are_marks, marks_of
from xlt.data.marked.tables import KIND as SPANS
from xlt.data.rows import Row, is_blank
from xlt.errors import DataError

#: Columns that Label Studio adds to those of the task's data and the controls.
_ADDED = ("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time")


def is_rows(rows: Sequence[Row]) -> bool:
    """Returns whether rows are annotations: by their columns, or by cells with several choices."""
    names = {name for _, row in rows for name in row}
    if {"annotation_id", "annotator"} <= names or {"annotation_id", "lead_time"} <= names:
        return True
    return any(chosen_object(cell) is not None for _, row in rows for cell in row.values())


def read_annotation_rows(
    rows: Sequence[Row],
    path: str,
    asked: Mapping[str, str | None],
    *,
    answers: bool,
    kind: str | None = None,
) -> Export:
    """Reads annotations; those of one task become one item.

    Args:
        rows: Rows for which `is_rows` holds.
        path: Their file, for messages.
        asked: Columns that the user named, by field; that of the label is the control's.
        answers: Reads the answers; without them only texts are wanted.
        kind: Kind of the answers, if it is known.

    Raises:
        DataError: If it is not clear which column has the answers, or if a cell has no choices.
    """
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = find_columns(names, asked, path)
    control = _control(rows, names, columns, asked, path, kind) if answers else ""
    spans = bool(control) and any(are_marks(row.get(control)) for _, row in rows)
    ratings = not spans and _are_ratings([row.get(control) for _, row in rows])
    given = None if spans else _choices(rows, control, path, _rated if ratings else _chosen)
    tasks: dict[tuple[str, str], list[Row]] = {}
    for number, row in rows:
        known = "id" in row or "annotator" in row
        texts = [row.get(columns[field]) for field in TEXTS if field in columns]
        key = (str(row.get("id", "")), str(texts) if known else str(number))
        tasks.setdefault(key, []).append((number, row))
    return Export(
        title="a Label Studio export",
        noun="task",
        items=tuple(_item(annotations, control, given) for annotations in tasks.values()),
        control=control,
        spans=spans,
        ratings=ratings,
    )


def _item(annotations: Sequence[Row], control: str, given: Mapping[int, Choices] | None) -> Item:
    """Returns a task with its votes; without choices of the annotations, these are marks."""
    number, first = annotations[0]
    latest = latest_by_annotator(_annotation(number, row) for number, row in annotations)
    hidden = {control, *_ADDED[1:]}
    fields = {name: cell for name, cell in first.items() if name not in hidden}
    votes: dict[str, Any] = {
        annotator: _marks(annotation["row"], control) if given is None else given[annotation["id"]]
        for annotator, annotation in latest.items()
    }
    # JSON_MIN has a row for a task without annotations too; it says nothing about labels.
    votes = {
        annotator: vote
        for annotator, vote in votes.items()
        if vote or latest[annotator]["row"].get("annotation_id") not in (None, "")
    }
    if given is None:
        return Item(number=number, fields=fields, marks=votes)
    return Item(number=number, fields=fields, votes=votes)


def _annotation(number: int, row: Mapping[str, object]) -> dict[str, Any]:
    """Returns a row as the annotation it came from."""
    stamps = {name: row.get(name) for name in ("created_at", "updated_at")}
    annotator = row.get("annotator") or None
    return {"id": number, "completed_by": annotator, "row": row, **stamps}


def _marks(row: Mapping[str, object], control: str) -> Marks:
    """Returns the marks of an annotation; one of unknown form if its cell holds something else."""
    cell = row.get(control)
    marks = [] if is_blank(cell) else marks_of(cell)
    return [None] if marks is None else marks


def _choices(
    rows: Sequence[Row],
    control: str,
    path: str,
    read: Callable[[Mapping[str, object], int, str, str], list[Choice]],
) -> dict[int, Choices]:
    """Returns the choices of each annotation, as `read` finds them in its row."""
    chosen = {number: read(row, number, control, path) for number, row in rows}
    tree = any(taxonomy_object(row.get(control)) is not None for _, row in rows)
    leaves = (whole_paths if tree else labels_of_leaves)(
        choice for part in chosen.values() for choice in part
    )
    return {number: choices(label_of(c, leaves) for c in part) for number, part in chosen.items()}


def _chosen(row: Mapping[str, object], number: int, control: str, path: str) -> list[Choice]:
    cell = row.get(control) if control else None
    value = choices_of_cell(cell)
    if value is None:
        raise DataError(
            f"{path}, row {number}: expected a label or {{'choices': [...]}} in {control!r}, "
            f"got {str(cell)[:100]!r}"
        )
    return value


def _rated(row: Mapping[str, object], number: int, control: str, path: str) -> list[Choice]:
    return [*(rating_of_cell(row.get(control)) or ())]


def _are_ratings(cells: Sequence[object]) -> bool:
    """Returns whether the cells of a column are ratings, or have nothing in them."""
    filled = [cell for cell in cells if not is_blank(cell)]
    return bool(filled) and all(rating_of_cell(cell) is not None for cell in filled)


def _control(
    rows: Sequence[Row],
    names: Sequence[str],
    columns: Mapping[str, str],
    asked: Mapping[str, str | None],
    path: str,
    kind: str | None,
) -> str:
    """Returns the column with the answers; empty if there is none."""
    wanted = asked.get("label")
    if wanted is not None:
        return wanted
    taken = {*_ADDED, *(name for field, name in columns.items() if field != "label")}
    left = [name for name in names if name not in taken]
    several = [n for n in left if any(chosen_object(row.get(n)) is not None for _, row in rows)]
    rated = [name for name in left if _are_ratings([row.get(name) for _, row in rows])]
    spans = [name for name in left if any(are_marks(row.get(name)) for _, row in rows)]
    usual = [columns["label"]] if "label" in columns else []
    for found in (spans if kind == SPANS else [], several, usual, rated, spans, left):
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(
                f"{path} has several columns that may hold answers: {listed(found)}: choose one "
                "with --label"
            )
    return ""
