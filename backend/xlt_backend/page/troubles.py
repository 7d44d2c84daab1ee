"""Errors of a project, each with the way to fix it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_backend.queue.state import ProjectState

#: Key of the fix by words of an error, the first that occurs counts.
_FIXES = (
    ("Label Studio", "fix.label_studio"),
    ("Redis", "fix.redis"),
    ("No space left", "fix.disk"),
    ("damaged", "fix.damaged"),
    ("diverged", "fix.diverged"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An error of a project.

    Attributes:
        message: The error in one line, in English.
        fix: Key of the text that says how to fix it.
        at: Time of the error, seconds since the epoch; None if that is not known.
    """

    message: str
    fix: str
    at: float | None = None


def troubles_of(state: ProjectState) -> tuple[Trouble, ...]:
    """Returns the errors that keep a project from learning, the most fundamental first."""
    found = []
    if state.config_error:
        found.append(Trouble(message=state.config_error, fix="fix.config"))
    if error := state.last_error:
        fix = next((key for words, key in _FIXES if words in error), "fix.other")
        found.append(Trouble(message=error, fix=fix, at=state.last_error_at))
    return tuple(found)
