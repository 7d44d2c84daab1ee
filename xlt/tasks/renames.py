"""Renamed labels: answers with a label of earlier, read with the labels of now."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xlt.errors import ConfigError
from xlt.tasks.labels import own_label

#: Former label -> the label that it is now; `GONE` for one that was removed.
Renames = Mapping[str, str]
GONE = ""
#: Start of the reason of an answer that is not used because its label was removed.
REMOVED = "a removed label: "
_UNKNOWN = "unknown label "


def label_now(value: Any, labels: Sequence[str], renames: Renames) -> str | None:  # noqa: ANN401 - JSON
    """Returns the label that one of now or of earlier stands for, as the label set writes it.

    A label of the set is itself, whatever the renames say of it.

    Args:
        value: The label.
        labels: The label set.
        renames: Labels that the set had earlier.

    Returns:
        `GONE` for a removed label; None if it is unknown.
    """
    own = own_label(value, labels)
    if own is not None:
        return own
    former = own_label(value, list(renames))
    if former is None:
        return None
    return GONE if renames[former] == GONE else own_label(renames[former], labels)


def answer_now(value: Any, labels: Sequence[str], renames: Renames) -> Any:  # noqa: ANN401 - JSON
    """Returns an answer's JSON, a label or a list of labels, with the labels of now.

    Merged labels are in a list once, removed ones not at all. Everything else stays as it is.
    """
    if not renames:
        return value
    if not isinstance(value, list | tuple):
        return label_now(value, labels, renames) or value
    if not all(isinstance(part, str) for part in value):
        return value
    names = [label_now(part, labels, renames) for part in value]
    now = [part if name is None else name for part, name in zip(value, names, strict=True)]
    return value if now == [*value] else [part for part in dict.fromkeys(now) if part != GONE]


def is_told(value: Any, labels: Sequence[str], renames: Renames) -> bool:  # noqa: ANN401 - JSON
    """Returns whether of all labels in an answer's JSON it is known what became of them."""
    parts = [value] if isinstance(value, str) else value
    return all(label_now(part, labels, renames) is not None for part in parts)


def refusal(label: str, now: str | None) -> str:
    """Returns why an answer with this label is not used.

    Args:
        label: The label as the annotation has it.
        now: `label_now` of it, `GONE` or None.
    """
    return f"{_UNKNOWN if now is None else REMOVED}{label!r}"


def unknown_in(reason: str) -> str | None:
    """Returns the label that a reason of `refusal` calls unknown; None for other reasons."""
    if not reason.startswith(_UNKNOWN):
        return None
    try:
        label = ast.literal_eval(reason.removeprefix(_UNKNOWN))
    except (ValueError, SyntaxError):
        return None
    return label if isinstance(label, str) else None


# Telling renames --------------------------------------------------------------------------------


def faults(renames: Renames) -> Iterator[str]:
    """Yields a line for each rename that does not lead from a former label to one of now."""
    formers = list(renames)
    for old, new in renames.items():
        if not old.strip():
            yield f"a former label must not be empty, got {old!r}: {new!r}"
        elif own_label(new, [old]):
            yield f"{old!r} is renamed to itself"
        elif own_label(new, formers):
            yield (
                f"{old!r} is renamed to {new!r}, which is renamed itself: "
                "rename each former label to the one that it is now"
            )


def with_told(stored: Renames, told: Renames, labels: Sequence[str]) -> dict[str, str]:
    """Adds renames to those that were told before.

    A label that is renamed twice goes to its last name. A former label that the interface has
    again is no longer renamed.

    Args:
        stored: The renames so far.
        told: The new ones.
        labels: The labels of now.

    Raises:
        ConfigError: If a new one has no former label, or one that is a label of now, or does not
            lead to a label of now.
    """
    for fault in (*faults(told), *_unfit(told, labels)):
        raise ConfigError(f"rename: {fault}")
    followed = {old: _followed(new, told) for old, new in stored.items()}
    both = {old: new for old, new in followed.items() if not own_label(old, [*told])} | dict(told)
    return {old: new for old, new in both.items() if own_label(old, labels) is None}


def _followed(label: str, told: Renames) -> str:
    former = own_label(label, list(told))
    return label if former is None else told[former]


def _unfit(told: Renames, labels: Sequence[str]) -> Iterator[str]:
    """Yields a line for each rename that the labels of now do not bear out."""
    for old, new in told.items():
        if own_label(old, labels):
            yield (
                f"{old!r} is still a label of the interface, change it there first; "
                f"labels: {list(labels)}"
            )
        if new != GONE and not own_label(new, labels):
            yield f"{new!r} is no label of the interface; labels: {list(labels)}"


def without_effect(renames: Renames, labels: Sequence[str]) -> list[str]:
    """Returns a line for each rename that is not followed: the interface was edited since."""
    return list(_unfit(renames, labels))
