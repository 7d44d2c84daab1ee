"""Keys of a project's state in Redis."""

from __future__ import annotations

#: The set of all projects with a state.
KNOWN = "xlt:known"


def state_key(project: str) -> str:
    """Returns the key of the hash with the fields of the state."""
    return f"xlt:project:{project}"


def new_key(project: str) -> str:
    """Returns the key of the set of tasks whose labels changed since the last snapshot."""
    return f"xlt:new:{project}"


def why_key(project: str) -> str:
    """Returns the key of the hash with the reasons for the places of tasks."""
    return f"xlt:why:{project}"
