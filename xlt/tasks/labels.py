"""Label sets: what is checked of the names of labels, whatever the kind of task."""

from __future__ import annotations

from collections.abc import Sequence

from xlt.errors import DataError


def checked(labels: Sequence[str], *, least: int) -> None:
    """Refuses label sets that make no task.

    Raises:
        DataError: If there are fewer than `least` labels, or one of them twice.
    """
    if len(labels) < least:
        raise DataError(f"a task needs at least {least} labels, got {list(labels)}")
    if len(set(labels)) != len(labels):
        raise DataError(f"labels must be distinct, got {list(labels)}")
