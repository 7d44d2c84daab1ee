"""Recognises the exports of labelling tools by their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlt.data.exports.doccano import is_doccano, read_doccano
from xlt.data.exports.items import Export
from xlt.data.exports.prodigy import is_prodigy, read_prodigy
from xlt.data.exports.rows import is_rows, read_annotation_rows
from xlt.data.exports.tasks import is_tasks, read_tasks
from xlt.data.rows import Row
from xlt.errors import DataError


def recognise(
    rows: Sequence[Row],
    path: str,
    asked: Mapping[str, str | None],
    *,
    answers: bool = True,
    kind: str | None = None,
) -> Export | None:
    """Reads the rows of a file as an export; None if they are a table of no known tool.

    Args:
        rows: At least one row, as `xlt.data.tables.read_rows` returns them.
        path: Their file, for messages.
        asked: Columns that the user named, by field.
        answers: Reads the answers; without them only texts are wanted.
        kind: Kind of the answers; None if they decide it.

    Raises:
        DataError: If the export is damaged, or if it is not clear which answers are meant.
    """
    asked = {**asked, "label": asked.get("label") or None}
    if is_tasks(rows):
        return read_tasks(rows, path, asked["label"], answers=answers, kind=kind)
    if is_prodigy(rows):
        export = read_prodigy(rows, path, asked, answers=answers, kind=kind)
    elif is_doccano(rows):
        export = read_doccano(rows, path, answers=answers)
    elif is_rows(rows):
        return read_annotation_rows(rows, path, asked, answers=answers, kind=kind)
    else:
        return None
    wanted = asked["label"]
    if wanted not in (None, "label", export.control):
        raise DataError(
            f"{path} is {export.title}: its labels are in {export.control!r}, got --label {wanted}"
        )
    return export
