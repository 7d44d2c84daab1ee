"""Items: the texts of an export, with one vote per annotator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from xlt.data.choice_trees import leaf_labels, outermost
from xlt.data.label_names import canonical
from xlt.data.marked.marks import Marks
from xlt.data.spans import Span

#: Labels that one annotator chose for one text, or paths of a taxonomy.
Choices = tuple["str | Path", ...]
#: As Label Studio writes it: a label, or the path to a leaf of a tree of choices.
Choice: TypeAlias = str | list[str]
#: From the root of a tree of choices to a leaf.
Path: TypeAlias = tuple[str, ...]

#: Reasons for no vote.
REJECTED = "rejected"
IGNORED = "ignored"
UNANSWERED = "without an answer"

#: Types of results that hold one number.
RATINGS = ("rating", "number")

#: Depth to which the objects in an item's data are columns.
_MAX_DEPTH = 20
#: Largest number of names in a message.
_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A text to label, with the votes that count.

    Attributes:
        number: Number of its first row in the file.
        fields: Values by column; those of a nested object have dotted names (`meta.lang`).
        votes: Annotator -> choices, or spans in place of marks; an empty vote chose nothing.
        marks: Annotator -> marks, in an export of spans.
        reason: Reason for no votes; empty if there are some.
    """

    number: int
    fields: Mapping[str, object]
    votes: Mapping[str, Choices | tuple[Span, ...]] = field(default_factory=dict)
    marks: Mapping[str, Marks] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file of a labelling tool.

    Attributes:
        title: Tool and format, with an article: "a Label Studio export".
        noun: Word for one item: "task".
        items: Its texts.
        control: Name of the control or column that the votes answer; empty if nothing is answered;
            None if the file holds no votes, so that a label is a field like any other.
        text: The tool's own name for the field with the text; None if it has none.
        spans: Whether annotators marked spans.
        ratings: Whether the choices are numbers that annotators gave to rate texts.
    """

    title: str
    noun: str
    items: tuple[Item, ...]
    control: str | None = ""
    text: str | None = None
    spans: bool = False
    ratings: bool = False


def flat(data: Mapping[str, object], depth: int = _MAX_DEPTH) -> dict[str, object]:
    """Returns the values of nested objects by their dotted names; deeper ones stay objects."""
    fields: dict[str, object] = {}
    for name, value in data.items():
        if depth > 1 and isinstance(value, Mapping):
            inner = flat(value, depth - 1)
            fields |= {f"{name}.{key}": part for key, part in inner.items()}
        else:
            fields[name] = value
    return fields


def choices(values: Iterable[str | Path]) -> Choices:
    """Returns the different labels or paths, each in its canonical form, in their order."""
    forms = (
        canonical(value) if isinstance(value, str) else tuple(map(canonical, value))
        for value in values
    )
    return tuple(dict.fromkeys(form for form in forms if form))


def is_strings(value: object) -> bool:
    """Returns whether the value is a list of strings."""
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def is_chosen(value: object) -> bool:
    """Returns whether the value is a list of labels, or of paths to them."""
    return isinstance(value, list) and all(
        isinstance(part, str) or (is_strings(part) and bool(part)) for part in value
    )


def labels_of_leaves(chosen: Iterable[Choice]) -> dict[Path, str]:
    """Returns the labels of the leaves among what annotators chose."""
    return leaf_labels(dict.fromkeys(tuple(c) for c in chosen if not isinstance(c, str)))


def whole_paths(chosen: Iterable[Choice]) -> dict[Path, Path]:
    """Returns the paths among what annotators chose, as they are: those of a taxonomy."""
    return {tuple(c): tuple(c) for c in chosen if not isinstance(c, str)}


def label_of(choice: Choice, leaves: Mapping[Path, str] | Mapping[Path, Path]) -> str | Path:
    """Returns the label that was chosen, or the path of a taxonomy."""
    return choice if isinstance(choice, str) else leaves[tuple(choice)]


def choices_of_cell(cell: object) -> list[Choice] | None:
    """Reads a cell of Label Studio's flat formats.

    It is a label, the path to a leaf (a list), `{"choices": [...]}` for several of them,
    `[{"taxonomy": [...]}]` with paths, or `[{"selected": "left"}]` for one of two texts. None if
    the cell holds something else than choices.
    """
    if cell is None:
        return []
    value = chosen_object(cell)
    if value is not None:
        return outermost(value)
    path = _from_json(cell, "[")
    if is_strings(path) and path:
        return [path]
    return [cell] if isinstance(cell, str) and not _holds_objects(cell) else None


def rating_of_cell(cell: object) -> list[str] | None:
    """Reads a cell with ratings in Label Studio's flat formats, `[{"rating": 4}]`; None: none."""
    parts = _from_json(cell, "[{")
    if not isinstance(parts, list) or not parts:
        return None
    ratings = [rating_of(part) if isinstance(part, Mapping) else None for part in parts]
    known = [rating for rating in ratings if rating is not None]
    return known[-1] if len(known) == len(ratings) else None


def rating_of(value: Mapping[str, object]) -> list[str] | None:
    """Reads the value of a rating or of a number in Label Studio's JSON.

    Returns:
        The number as a label; empty for no stars; None if it is another value.
    """
    for name in RATINGS:
        number = value.get(name)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return [str(number)] if number or name != "rating" else []
    return None


def chosen_object(cell: object) -> list[Choice] | None:
    """Returns the choices in an object or list of objects, or its JSON text; None otherwise."""
    found = (read(cell) for read in (_choice_object, taxonomy_object, _selected_object))
    return next((chosen for chosen in found if chosen is not None), None)


def _choice_object(cell: object) -> list[Choice] | None:
    """Returns the list in `{"choices": [...]}`, as an object or as JSON text; None otherwise."""
    cell = _from_json(cell, '{"choices"')
    if isinstance(cell, Mapping) and set(cell) == {"choices"} and is_chosen(cell["choices"]):
        chosen: list[Choice] = cell["choices"]
        return chosen
    return None


def taxonomy_object(cell: object) -> list[Choice] | None:
    """Returns the paths in `[{"taxonomy": [...]}]`, as objects or as JSON text; None otherwise."""
    cell = _from_json(cell, '[{"taxonomy"')
    if not isinstance(cell, list) or not cell:
        return None
    found: list[Choice] = []
    for part in cell:
        paths = part.get("taxonomy") if isinstance(part, Mapping) else None
        if not isinstance(paths, list) or not all(is_strings(path) and path for path in paths):
            return None
        found += paths
    return found


def _selected_object(cell: object) -> list[Choice] | None:
    """Returns the text in `[{"selected": "left"}]`, as objects or as JSON text; None otherwise."""
    cell = _from_json(cell, '[{"selected"')
    if not isinstance(cell, list) or not cell:
        return None
    side = cell[-1].get("selected") if isinstance(cell[-1], Mapping) else None
    return [side] if isinstance(side, str) else None


def _from_json(cell: object, start: str) -> Any:  # noqa: ANN401 - JSON
    """Returns what a cell that starts so holds as JSON; any other cell as it is."""
    if not isinstance(cell, str) or not cell.startswith(start):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _holds_objects(cell: str) -> bool:
    """Returns whether a cell holds the JSON of another control: a rating, a taxonomy, spans."""
    return cell.startswith(('{"', "[{", "[["))


def listed(names: Sequence[str]) -> str:
    """Returns names for a message."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more
