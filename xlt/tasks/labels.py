"""Label sets: checks of label names, for all kinds of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlt.data.label_names import canonical
from xlt.errors import DataError
from xlt.tasks.tags import Refusal


def checked(labels: Sequence[str], *, least: int) -> None:
    """Refuses label sets that make no task.

    Raises:
        DataError: If there are fewer than `least` labels, or if two of them look the same.
    """
    if len(labels) < least:
        raise DataError(f"a task needs at least {least} labels, got {list(labels)}")
    twice = same_label(labels)
    if twice:
        raise DataError(f"labels must be distinct, got {twice[0]!r} and {twice[1]!r}")


def same_label(labels: Sequence[str]) -> tuple[str, str] | None:
    """Returns the first two labels that look the same; None if there are none."""
    seen: dict[str, str] = {}
    for label in labels:
        if canonical(label) in seen:
            return seen[canonical(label)], label
        seen[canonical(label)] = label
    return None


def look_alike(labels: Sequence[str]) -> Refusal | None:
    """Refuses a tag of which annotators cannot tell two labels apart; None if they can."""
    twice = same_label(labels)
    if twice is None:
        return None
    return Refusal(reason=f"has two labels that look the same: {twice[0]!r}, {twice[1]!r}")


def own_label(value: Any, labels: Sequence[str]) -> str | None:  # noqa: ANN401 - JSON
    """Returns the label that looks like the given one, as the label set writes it; None: none."""
    if not isinstance(value, str):
        return None
    if value in labels:
        return value
    key = canonical(value)
    return next((label for label in labels if canonical(label) == key), None)


def label_list(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Returns the labels of a JSON list.

    Raises:
        DataError: If it is no list of strings.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(label, str) for label in value):
        raise DataError(f"expected a list of labels, got {value!r}")
    return list(value)
