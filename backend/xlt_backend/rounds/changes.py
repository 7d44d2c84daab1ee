"""Changes of a project's labels since a version was trained on them. Pure.

Label Studio's ids do not identify a task: on SQLite it gives the ids of deleted tasks to new ones,
and the text of a task can be edited. A task is identified by its id and a digest of its texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from xlt.tasks.relabelling import ControlRelabelling, Regrouping, relabelling
from xlt.tasks.renames import Renames, answer_now, is_told
from xlt.tasks.task import AnyTask, Json

#: Largest number of tasks of one kind of change that a project's state lists.
_LISTED = 100


@dataclass(frozen=True, slots=True)
class Label:
    """A label that a version was trained on or judged by, or that a project has.

    Attributes:
        answer: The answer, as JSON.
        digest: Digest of the texts; empty if unknown, as of versions of the first xlt.
    """

    answer: Json
    digest: str = ""


def same_texts(one: str, other: str) -> bool:
    """Returns whether two digests may be of the same texts; an unknown one may be of any."""
    return not one or not other or one == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Ids of the tasks whose labels a version does not know.

    Attributes:
        new: Tasks that had no label.
        corrected: Tasks that had another label.
        replaced: Tasks that had another text under the same id: edited, or deleted and the id
            given to another task.
        gone: Tasks that have no label any more, or that were deleted.
    """

    new: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Number of changes."""
        return len(self.new) + len(self.corrected) + len(self.replaced) + len(self.gone)

    def to_json(self) -> dict[str, Any]:
        """Returns the number of labels and the first tasks of each kind of change."""
        kinds = {
            "new": self.new,
            "corrected": self.corrected,
            "replaced": self.replaced,
            "gone": self.gone,
        }
        return {
            kind: {"labels": len(tasks), "tasks": list(tasks[:_LISTED])}
            for kind, tasks in kinds.items()
            if tasks
        }


def labels_now(
    used: Mapping[str, Label], model: AnyTask | None, task: AnyTask, renames: Renames
) -> dict[str, Label]:
    """Returns the labels that the newest version knows, with the names that they have now.

    Those with a label that vanished from the interface are left out until it is told what became
    of it: no model is trained without them only because a rename is not told yet. If the interface
    has other controls, answers to those that both have count.

    Args:
        used: Task id -> label that the version knows.
        model: Its task; None if this xlt does not know its kind.
        task: The project's task.
        renames: Labels that were renamed, as told.
    """
    reading = relabelling(model, task, renames)
    if isinstance(reading, ControlRelabelling):
        answers = {id: reading.answer(label.answer) for id, label in used.items()}
        return {
            id: replace(used[id], answer=answer)
            for id, answer in answers.items()
            if answer is not None
        }
    if not isinstance(task, Regrouping):
        return dict(used)
    return {
        id: replace(label, answer=answer_now(label.answer, task.labels, renames))
        for id, label in used.items()
        if is_told(label.answer, task.labels, renames)
    }


def compare(used: Mapping[str, Label], labels: Mapping[str, Label]) -> Changes:
    """Compares a project's labels with those that a version knows, both by task id."""
    both = [id for id in labels if id in used]
    replaced = {id for id in both if not same_texts(used[id].digest, labels[id].digest)}
    return Changes(
        new=tuple(id for id in labels if id not in used),
        corrected=tuple(
            id for id in both if id not in replaced and used[id].answer != labels[id].answer
        ),
        replaced=tuple(id for id in both if id in replaced),
        gone=tuple(id for id in used if id not in labels),
    )


_WORDS = {
    "new": "{} new labels",
    "corrected": "{} corrected labels",
    "replaced": "{} labels of other texts than before under the same ids",
    "gone": "{} labels gone",
}


def in_words(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """Describes changes, in the form that `Changes.to_json` gives; empty without any."""
    found = {kind: changes[kind]["labels"] for kind in _WORDS if kind in changes}
    return ", ".join(
        _WORDS[kind].format(count).replace("labels", "label" if count == 1 else "labels", 1)
        for kind, count in found.items()
    )
