"""Annotations that are not used and suggestions that are not shown, counted and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xlt.data.exports.annotations import SKIPPED
from xlt.tasks.agreement import DISAGREE
from xlt.tasks.renames import REMOVED

#: Reasons that annotators meant, or that further answers remove.
_EXPECTED = frozenset({SKIPPED, DISAGREE})
#: Largest numbers of tasks and of reasons that a project's state lists.
LISTED, _REASONS = 100, 20
_SHOWN = 3  # reasons in a line, and tasks of each
_OTHER = "other reasons"

#: Reason -> number of annotations (`answers`) and ids of their `tasks`, most frequent first.
Unused = Mapping[str, Mapping[str, Any]]


def by_reason(unused: Mapping[str, Sequence[str]]) -> Unused:
    """Counts annotations that are not used, for a project's state.

    Args:
        unused: Reason -> ids of the tasks, one for each annotation.
    """
    ordered = sorted(unused.items(), key=lambda item: (-len(item[1]), item[0]))
    rare = [task for _, tasks in ordered[_REASONS:] for task in tasks]
    return {
        reason: {"answers": len(tasks), "tasks": list(dict.fromkeys(tasks))[:LISTED]}
        for reason, tasks in ordered[:_REASONS] + ([(_OTHER, rare)] if rare else [])
    }


def problems(unused: Unused) -> str:
    """Names the answers that an annotator gave and that are not used; empty without any."""
    lost = {reason: found for reason, found in unused.items() if not _expected(reason)}
    shown = list(lost.items())[:_SHOWN]
    parts = [f"{reason} ({found['answers']}; {_tasks(found['tasks'])})" for reason, found in shown]
    total = sum(found["answers"] for found in lost.values())
    more = total - sum(found["answers"] for _, found in shown)
    parts += [f"{_OTHER} ({more})"] if more else []
    return f"{total} answers are not used: {'; '.join(parts)}" if lost else ""


def _expected(reason: str) -> bool:
    return reason in _EXPECTED or reason.startswith(REMOVED)


def left_out_words(left_out: Mapping[str, Any]) -> str:
    """Says what became of predictions that Label Studio's bulk import left out; empty if none."""
    if not left_out:
        return ""
    singly, bare = left_out["singly"], left_out["bare"]
    words = f"Label Studio's bulk import left out {singly + bare} suggestions"
    parts = [f"{singly} were sent one by one"] if singly else []
    parts += [f"{bare} are not shown ({_tasks(left_out['tasks'])})"] if bare else []
    return f"{words}: {', '.join(parts)}"


def _tasks(ids: Sequence[str]) -> str:
    some = ", ".join(ids[:_SHOWN])
    return f"task {some}" if len(ids) == 1 else f"tasks {some}{' …' * (len(ids) > _SHOWN)}"
