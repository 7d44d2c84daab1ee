"""Label Studio's JSON: exports of tasks with their annotations, and files of tasks to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xlt.data.choice_trees import outermost
from xlt.data.exports.annotations import Json, counted, objects, results_of
from xlt.data.exports.items import (
    RATINGS,
    UNANSWERED,
    Choice,
    Export,
    Item,
    Path,
    choices,
    flat,
    is_chosen,
    label_of,
    labels_of_leaves,
    listed,
    rating_of,
    whole_paths,
)
from xlt.data.rows import Row
from xlt.errors import DataError

#: Field with the text of tasks that were imported as plain text.
_PLAIN_TEXT = "$undefined$"
#: Type of the results of a `<Taxonomy>`, and their key.
_TREE = "taxonomy"


def is_tasks(rows: Sequence[Row]) -> bool:
    """Returns whether rows are tasks: their text is in an object `data`, not beside it."""
    return any(isinstance(row.get("data"), Mapping) and "text" not in row for _, row in rows)


def read_tasks(rows: Sequence[Row], path: str, control: str | None, *, answers: bool) -> Export:
    """Reads tasks.

    Args:
        rows: Rows for which `is_tasks` holds.
        path: Their file, for messages.
        control: Name of the control whose answers count; None for the only `<Choices>`, or else
            the only rating.
        answers: Reads the answers; without them only texts are wanted.

    Raises:
        DataError: If a row is no task, or if it is not clear which control is meant.
    """
    for number, row in rows:
        if not isinstance(row.get("data"), Mapping):
            raise DataError(
                f"{path}, row {number}: expected a task of Label Studio with an object 'data', "
                f"got {listed(list(row))}"
            )
    if not any("annotations" in row for _, row in rows):
        items = [Item(number=n, fields=_fields(row)) for n, row in rows]
        return Export(
            title="a Label Studio task file",
            noun="task",
            items=tuple(items),
            control=None,
            text=_PLAIN_TEXT,
        )
    name = _control(rows, path, control) if answers else ""
    labels = _leaf_labels(rows, name)
    return Export(
        title="a Label Studio export",
        noun="task",
        items=tuple(_item(number, row, name, labels) for number, row in rows),
        control=name,
        text=_PLAIN_TEXT,
        ratings=_types(rows).get(name) in RATINGS,
    )


def _fields(row: Mapping[str, Any]) -> dict[str, object]:
    """Returns the data of a task, with the task's id."""
    fields = flat(row["data"])
    return fields if row.get("id") is None else fields | {"id": row["id"]}


def _item(
    number: int,
    row: Mapping[str, Any],
    control: str,
    labels: Mapping[Path, str] | Mapping[Path, Path],
) -> Item:
    fields = _fields(row)
    annotations = counted(row)
    if not annotations.by_annotator:
        reason = annotations.left_out[0] if annotations.left_out else UNANSWERED
        return Item(number=number, fields=fields, reason=reason)
    votes = {
        annotator: choices(label_of(choice, labels) for choice in _chosen(annotation, control))
        for annotator, annotation in annotations.by_annotator.items()
    }
    return Item(number=number, fields=fields, votes=votes)


def _leaf_labels(rows: Sequence[Row], control: str) -> Mapping[Path, str] | Mapping[Path, Path]:
    """Returns the labels of the leaves that annotators chose, or the paths of a taxonomy."""
    annotations = [a for _, row in rows for a in objects(row.get("annotations"))]
    chosen = [choice for a in annotations for choice in _chosen(a, control)]
    results = [result for a in annotations for result in results_of(a)]
    if any(r.get("from_name") == control and r.get("type") == _TREE for r in results):
        return whole_paths(chosen)
    return labels_of_leaves(chosen)


def _chosen(annotation: Json, control: str) -> list[Choice]:
    """Returns the choices of an annotation: labels, or paths to leaves of a tree."""
    of_results = (chosen for name, chosen in _selections(annotation) if name == control)
    return [choice for chosen in of_results for choice in outermost(chosen)]


def _selections(annotation: Json) -> Iterator[tuple[str, list[Choice]]]:
    """Yields the control and the choices, or the rating, of each result about the whole text."""
    for result in results_of(annotation):
        value, name = result.get("value"), result.get("from_name")
        if not isinstance(value, Mapping) or "start" in value:
            continue
        rating = rating_of(value)
        chosen = value.get("choices", value.get(_TREE))
        if is_chosen(chosen):
            yield str(name), chosen
        elif rating is not None:
            yield str(name), list(rating)
        elif isinstance(value.get("selected"), str):  # which of two texts
            yield str(name), [value["selected"]]


def _types(rows: Sequence[Row]) -> dict[str, str]:
    """Returns the type of the results of each control."""
    return {
        str(result.get("from_name")): str(result.get("type"))
        for _, row in rows
        for annotation in objects(row.get("annotations"))
        for result in results_of(annotation)
        if result.get("from_name") is not None
    }


def _control(rows: Sequence[Row], path: str, wanted: str | None) -> str:
    """Returns the name of the control whose answers count; empty if there is no answer at all."""
    annotations = [a for _, row in rows for a in objects(row.get("annotations"))]
    usable = list(dict.fromkeys(name for a in annotations for name, _ in _selections(a)))
    types = _types(rows)
    usable = [name for name in usable if types[name] not in RATINGS or name == wanted] or usable
    others = [f"{name} ({kind})" for name, kind in types.items() if name not in usable]
    if wanted is not None and types and wanted not in usable:
        raise DataError(
            f"{path}: no annotation has choices of a control {wanted!r} for the whole text; "
            f"controls with such choices: {listed(usable) or 'none'}; other controls: "
            f"{listed(others) or 'none'}"
        )
    if wanted is not None or len(usable) == 1:
        return wanted or usable[0]
    if usable:
        raise DataError(
            f"{path} has answers to several controls: {listed(usable)}: choose one with --label"
        )
    if others:
        raise DataError(
            f"{path}: no annotation has choices for the whole text; expected answers to a Choices "
            f"or Rating control, got {listed(others)}"
        )
    return ""
