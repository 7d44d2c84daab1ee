"""The store's folder of a project that people name."""

from __future__ import annotations

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
    known = states.projects()
    if id not in known:
        names = ", ".join(known) or "none"
        raise UnknownProjectError(f"xlt knows no project {project[:40]!r}; it knows {names}")
    key = states.get(id).key
    if not key:
        raise UnknownProjectError(f"xlt has not read project {id} yet: its first round does so")
    return id, store.project(key)


def utc(seconds: float) -> str:
    """Returns a time in seconds since the epoch as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
