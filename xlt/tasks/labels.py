"""Label sets: checks of label names, for all kinds of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlt.errors import DataError


def checked(labels: Sequence[str], *, least: int) -> None:
    """Refuses label sets that make no task.

    Raises:
        DataError: If there are fewer than `least` labels, or if a label occurs twice.
    """
    if len(labels) < least:
        raise DataError(f"a task needs at least {least} labels, got {list(labels)}")
    if len(set(labels)) != len(labels):
        raise DataError(f"labels must be distinct, got {list(labels)}")


def label_list(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Returns the labels of a JSON list.

    Raises:
        DataError: If it is no list of strings.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(label, str) for label in value):
        raise DataError(f"expected a list of labels, got {value!r}")
    return list(value)
