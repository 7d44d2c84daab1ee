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
from xlt.data.exports.regions import controls_of, marks_in
from xlt.data.marked.tables import KIND as SPANS
from xlt.data.rows import Row
from xlt.errors import DataError

#: Field with the text of tasks that were imported as plain text.
_PLAIN_TEXT = "$undefined$"
#: Type of the results of a `<Taxonomy>`, and their key.
_TREE = "taxonomy"


def is_tasks(rows: Sequence[Row]) -> bool:
    """Returns whether rows are tasks: their text is in an object `data`, not beside it."""
    return any(isinstance(row.get("data"), Mapping) and "text" not in row for _, row in rows)


def read_tasks(
    rows: Sequence[Row],
    path: str,
    control: str | None,
    *,
    answers: bool,
    kind: str | None = None,
) -> Export:
    """Reads tasks.

    Args:
        rows: Rows for which `is_tasks` holds.
        path: Their file, for messages.
        control: Name of the control whose answers count; None for the only `<Choices>`, or else
            the only rating, or else the only `<Labels>`.
        answers: Reads the answers; without them only texts are wanted.
        kind: Kind of the answers, if it is known.

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
    name, spans = _control(rows, path, control, kind) if answers else ("", False)
    labels = {} if spans else _leaf_labels(rows, name)
    return Export(
        title="a Label Studio export",
        noun="task",
        items=tuple(_item(number, row, name, None if spans else labels) for number, row in rows),
        control=name,
        text=_PLAIN_TEXT,
        spans=spans,
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
    labels: Mapping[Path, str] | Mapping[Path, Path] | None,
) -> Item:
    """Returns a task with its votes; without labels of choices, they are marks."""
    fields = _fields(row)
    annotations = counted(row)
    if not annotations.by_annotator:
        reason = annotations.left_out[0] if annotations.left_out else UNANSWERED
        return Item(number=number, fields=fields, reason=reason)
    if labels is None:
        marks = {who: marks_in(a, control) for who, a in annotations.by_annotator.items()}
        return Item(number=number, fields=fields, marks=marks)
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


def whole_text_controls(rows: Sequence[Row]) -> list[str]:
    """Returns the controls whose answers are about the whole text, in their order."""
    annotations = [a for _, row in rows for a in objects(row.get("annotations"))]
    return list(dict.fromkeys(name for a in annotations for name, _ in _selections(a)))


def _types(rows: Sequence[Row]) -> dict[str, str]:
    """Returns the type of the results of each control."""
    return {
        str(result.get("from_name")): str(result.get("type"))
        for _, row in rows
        for annotation in objects(row.get("annotations"))
        for result in results_of(annotation)
        if result.get("from_name") is not None
    }


def _control(
    rows: Sequence[Row], path: str, wanted: str | None, kind: str | None
) -> tuple[str, bool]:
    """Returns the control whose answers count, and whether they are spans.

    Choices of the whole text come before spans, unless the kind is known. The name is empty if
    there is no answer at all.
    """
    annotations = [a for _, row in rows for a in objects(row.get("annotations"))]
    choices = whole_text_controls(rows)
    spans, types = controls_of(annotations), _types(rows)
    choices = [name for name in choices if types[name] not in RATINGS or name == wanted] or choices
    others = [f"{name} ({type})" for name, type in types.items() if name not in (*choices, *spans)]
    if wanted is not None and types and wanted not in (*choices, *spans):
        raise DataError(
            f"{path}: no annotation has choices of a control {wanted!r} for the whole text, or "
            f"spans; controls with such answers: {listed([*choices, *spans]) or 'none'}; other "
            f"controls: {listed(others) or 'none'}"
        )
    if wanted is not None:
        return wanted, wanted in spans or (not types and kind == SPANS)
    usable = spans if kind == SPANS else choices or ([] if kind else spans)
    if len(usable) == 1:
        return usable[0], usable is spans
    if usable:
        raise DataError(
            f"{path} has answers to several controls: {listed(usable)}: choose one with --label, "
            "or learn them together with --kind multi_task"
        )
    if types:
        expected = "spans" if kind == SPANS else "choices or ratings for the whole text"
        got = [f"{name} ({type})" for name, type in types.items()]
        raise DataError(f"{path}: no annotation has {expected}; got answers to {listed(got)}")
    return "", kind == SPANS
