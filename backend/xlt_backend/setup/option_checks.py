"""Check of the names in a project's options."""

from __future__ import annotations

from xlt_backend.queue.state import ProjectState
from xlt_backend.setup.checks import Check, ok, warn


def check_options(state: ProjectState) -> Check:
    """Checks that tasks have the languages and fields that options name, as the last round saw."""
    name = "options"
    if state.unanswered:
        fix = "import tasks that have it, or correct it with `xlt connect --option NAME=VALUE`"
        return warn(name, "; ".join(state.unanswered), fix)
    return ok(name, "tasks have all languages and fields that they name")
