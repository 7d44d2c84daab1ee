"""Items: the texts of an export, with one vote per annotator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xlt.data.label_names import canonical

#: Labels that one annotator chose for one text.
Choices = tuple[str, ...]

#: Reasons for no vote.
REJECTED = "rejected"
IGNORED = "ignored"
UNANSWERED = "without an answer"

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
        votes: Annotator -> choices; an empty vote chose nothing.
        reason: Reason for no votes; empty if there are some.
    """

    number: int
    fields: Mapping[str, object]
    votes: Mapping[str, Choices] = field(default_factory=dict)
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
    """

    title: str
    noun: str
    items: tuple[Item, ...]
    control: str | None = ""
    text: str | None = None


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


def choices(values: Iterable[str]) -> Choices:
    """Returns the different labels among these, each in its canonical form, in their order."""
    return tuple(dict.fromkeys(value for value in map(canonical, values) if value))


def is_strings(value: object) -> bool:
    """Returns whether the value is a list of strings."""
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def choices_of_cell(cell: object) -> Choices | None:
    """Reads a cell of Label Studio's flat formats: a label, or `{"choices": [...]}` for several.

    None if the cell holds something else than choices.
    """
    if cell is None:
        return ()
    value = choice_object(cell)
    if value is not None:
        return choices(value)
    return choices([cell]) if isinstance(cell, str) and not _holds_objects(cell) else None


def choice_object(cell: object) -> list[str] | None:
    """Returns the list in `{"choices": [...]}`, as an object or as JSON text; None otherwise."""
    if isinstance(cell, str) and cell.startswith('{"choices"'):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return None
    if isinstance(cell, Mapping) and set(cell) == {"choices"} and is_strings(cell["choices"]):
        values: list[str] = cell["choices"]
        return values
    return None


def _holds_objects(cell: str) -> bool:
    """Returns whether a cell holds the JSON of another control: a rating, a taxonomy, spans."""
    return cell.startswith(('{"', "[{", "[["))


def listed(names: Sequence[str]) -> str:
    """Returns names for a message."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more
