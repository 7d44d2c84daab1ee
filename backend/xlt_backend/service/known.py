"""The store's folder of a project that people name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from xlt.store.versions import ProjectStore, Store
from xlt_backend.errors import UnknownProjectError
from xlt_backend.labelstudio.wire import project_id_of
from xlt_backend.queue.state import StateStore


def versions_of(states: StateStore, store: Store, project: str) -> tuple[str, ProjectStore]:
    """Returns Label Studio's id of a project, and its versions.

    Args:
        states: States of the projects.
        store: All versions of all projects.
        project: Label Studio's id of the project, or its key.

    Raises:
        UnknownProjectError: If xlt does not know it, or has not read it yet.
        RedisDownError: If Redis does not answer.
    """
    id = str(project_id_of(project))
    check_known(id, states.projects(), named=project)
    key = states.get(id).key
    if not key:
        raise UnknownProjectError(f"xlt has not read project {id} yet: its first round does so")
    return id, store.project(key)


def check_known(id: str, known: Collection[str], *, named: str | None = None) -> None:
    """Checks that a project is one of those that xlt knows.

    Args:
        id: Label Studio's id of the project.
        known: The ids that xlt knows.
        named: What people call it, if that is not the id.

    Raises:
        UnknownProjectError: If it is none of them.
    """
    if id not in known:
        named, names = id if named is None else named, ", ".join(known) or "none"
        raise UnknownProjectError(f"xlt knows no project {named[:40]!r}; it knows {names}")


def utc(seconds: float) -> str:
    """Returns a time in seconds since the epoch as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
