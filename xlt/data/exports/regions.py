"""Regions of a text in Label Studio's JSON: the spans that annotators marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xlt.data.exports.annotations import Json, results_of
from xlt.data.marked.marks import Mark, are_marks, marks_of

#: Type of the results of a `<Labels>` tag. Those on `<HyperText>` have the same type, but no whole
#: numbers as offsets.
_TYPE = "labels"


def controls_of(annotations: Iterable[Json]) -> list[str]:
    """Returns the names of the controls with spans, in the order in which they are found."""
    regions = (result for a in annotations for result in results_of(a) if _is_region(result))
    return list(dict.fromkeys(_name(r) for r in regions if are_marks([r["value"]])))


def marks_in(annotation: Json, control: str) -> list[Mark | None]:
    """Returns the marks of an annotation by a control; None for each of unknown form."""
    marks: list[Mark | None] = []
    for result in results_of(annotation):
        if result.get("type") == _TYPE and _name(result) == control:
            marks += marks_of([result["value"]] if _is_region(result) else [{}]) or []
    return marks


def _is_region(result: Json) -> bool:
    return result.get("type") == _TYPE and isinstance(result.get("value"), Mapping)


def _name(result: Json) -> str:
    return str(result.get("from_name"))
