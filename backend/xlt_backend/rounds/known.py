"""Knowledge of a project's versions in the store, as rounds decide by it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlt.errors import DataError
from xlt.store.names import by_age
from xlt.store.versions import Change, VersionMeta
from xlt.tasks.kinds import task_from_json
from xlt.tasks.task import AnyTask
from xlt_backend.rounds.changes import Label

#: File of a version with the labels at the time of training; of audit labels also the language, the
#: answer that the model gave, and its calibrated confidence.
EXAMPLES = "examples.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A version in the store.

    Attributes:
        name: The version.
        data_hash: Digest of the data that it was trained on.
        task: Its task; None if this xlt does not know its kind.
        texts: Number of texts of an example.
        refused: It was judged worse than another.
        promoted: It has been the active one.
        replaced: A person went back from it to an earlier one.
    """

    name: str
    data_hash: str
    task: AnyTask | None
    texts: int = 1
    refused: bool = False
    promoted: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The results of earlier rounds.

    Attributes:
        active: The promoted version.
        chosen: Whether a person made it the active one.
        versions: All versions, oldest first.
        used: Task id -> label that the newest version knows.
        failed_hash: Digest of the data that a training diverged on.
        first_new_at: When the first label that no version knows was seen, seconds since the epoch.
    """

    active: str | None = None
    chosen: bool = False
    versions: tuple[Trained, ...] = ()
    used: Mapping[str, Label] = field(default_factory=dict)
    failed_hash: str = ""
    first_new_at: float | None = None

    def version(self, name: str | None) -> Trained | None:
        """Returns the version `name`, None if there is none."""
        return next((version for version in self.versions if version.name == name), None)


@dataclass(kw_only=True)
class Past:
    """Facts of the history about versions; see `Trained` and `Known`."""

    promoted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    chosen: bool = False


def past_of(history: Sequence[Change]) -> Past:
    """Reads the history, oldest change first."""
    past = Past()
    for change in history:
        if change.action == "refused":
            past.refused.add(change.version)
            continue
        if change.action == "promoted":
            past.promoted.add(change.version)
        past.chosen = change.action == "rolled back" or change.by != ""
        past.refused.discard(change.version)
        past.replaced.discard(change.version)
        if past.chosen and change.previous and by_age(change.version) < by_age(change.previous):
            past.replaced.add(change.previous)
    return past


def task_of(meta: VersionMeta) -> AnyTask | None:
    """Returns the task that a version was trained for; None if this xlt does not know it."""
    # Versions of the first xlt have no task. Those that name no kind have one label per text.
    former = {
        "kind": meta.details.get("kind", "single_label"),
        "labels": meta.details.get("labels"),
    }
    try:
        return task_from_json(meta.details.get("task", former))
    except DataError:
        return None


def texts_of(meta: VersionMeta) -> int:
    """Returns the number of texts of an example that a version reads; older ones read one."""
    count = meta.details.get("texts", 1)
    return count if isinstance(count, int) else 1


def comparison_of(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the comparison that chose the learner of a training, as JSON; empty without one.

    Args:
        details: What a training measured, or the details of a version.
    """
    return details.get("training", {}).get("comparison") or {}
