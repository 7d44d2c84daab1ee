"""doccano's JSONL of text classification and of sequence labelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlt.data.exports.items import UNANSWERED, Export, Item, choices, flat, is_strings
from xlt.data.marked.marks import are_marks, marks_of
from xlt.data.rows import Row
from xlt.errors import DataError

#: Columns of every version of doccano.
_ALONE = {"id", "text", "label"}


def is_doccano(rows: Sequence[Row]) -> bool:
    """Returns whether rows are doccano's: `label` is a list, and something more tells.

    A column `Comments`, or a text in `data`, is doccano's alone. With columns `text` and `label`
    alone, lists of exactly one label are doccano's; other lists are several labels, as in tables.
    """
    if not all(isinstance(row.get("label"), list) for _, row in rows):
        return False
    if all("Comments" in row or isinstance(row.get("data"), str) for _, row in rows):
        return True
    return all(set(row) <= _ALONE and _is_one(row["label"]) for _, row in rows)


def read_doccano(rows: Sequence[Row], path: str, *, answers: bool) -> Export:
    """Reads rows for which `is_doccano` holds; an empty list is how doccano writes no label.

    Args:
        rows: Texts with their labels or spans.
        path: Their file, for messages.
        answers: Reads the labels; without them only texts are wanted.

    Raises:
        DataError: If some labels are of spans and others of the whole text.
    """
    spans = answers and any(are_marks(row["label"]) for _, row in rows)
    return Export(
        title="a doccano export",
        noun="text",
        items=tuple(_item(number, row, path, answers=answers, spans=spans) for number, row in rows),
        control="label",
        text="data",
        spans=spans,
    )


def _item(number: int, row: Mapping[str, object], path: str, *, answers: bool, spans: bool) -> Item:
    labels = row["label"] if answers else []
    fields = flat({name: value for name, value in row.items() if name not in ("label", "Comments")})
    marks = marks_of(labels) if spans else None
    if marks is not None:
        given = {"": marks} if marks else {}
        return Item(number=number, fields=fields, marks=given, reason="" if marks else UNANSWERED)
    if spans or not isinstance(labels, list) or not is_strings(labels):
        raise DataError(
            f"{path}, row {number}: expected a list of "
            f"{'spans' if spans else 'labels of the whole text'}, got {str(labels)[:100]}"
        )
    chosen = choices(labels)
    if not chosen:
        return Item(number=number, fields=fields, reason=UNANSWERED)
    return Item(number=number, fields=fields, votes={"": chosen})


def _is_one(label: object) -> bool:
    return isinstance(label, list) and len(label) == 1 and is_strings(label)
