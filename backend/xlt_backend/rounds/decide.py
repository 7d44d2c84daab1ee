"""Decision of a round: train, publish, insert, or nothing. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from xlt.config import decisive
from xlt.tasks.relabelling import Relabelling, relabelling
from xlt_backend.names import is_start, published
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.changes import Changes, compare, in_words, labels_now
from xlt_backend.rounds.known import Known, Trained
from xlt_backend.rounds.pace import pace_of
from xlt_backend.rounds.snapshot import Snapshot


class Action(StrEnum):
    """Main action of a round."""

    START = "start"  # order the pool without a model
    TRAIN = "train"  # train, judge, publish
    PUBLISH = "publish"  # publish a saved version
    INSERT = "insert"  # give new tasks a place in the published order
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision of a round.

    Attributes:
        action: What to do.
        reason: Why, for people.
        data: Digest of the data that it rests on.
        version: The version to publish or to insert tasks for.
        active: The active version that it rests on.
        first: The active version, if a person chose it and Label Studio does not show it yet: it is
            published before another is trained.
        changes: Labels that no version knows.
        needed: Number of further labels that make a training due.
        due_at: When a training is due even without more labels, seconds since the epoch; None:
            never.
        trained: Whether the round has trained a model.
        missing: Answers that are missing before a model can be trained, in words; empty if there
            are enough.
        labels: Labels that changed since the active version was trained
            (`xlt_backend.rounds.labels`).
    """

    action: Action
    reason: str
    data: str = ""
    version: str | None = None
    active: str | None = None
    first: str | None = None
    changes: Changes = field(default_factory=Changes)
    needed: int = 1
    due_at: float | None = None
    trained: bool = False
    missing: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Number of labels that no version knows."""
        return self.changes.total

    @property
    def seed(self) -> int:
        """Seed of everything that the round draws: the same data gives the same order."""
        return int(self.data[:8], 16)


def decide(
    snapshot: Snapshot,
    known: Known,
    options: ProjectOptions,
    *,
    data: str,
    forced: bool,
    now: float,
    paused: bool = False,
) -> Decision:
    """Decides to train if that is due, otherwise to bring Label Studio in line with the store.

    Args:
        snapshot: The project in Label Studio.
        known: The results of earlier rounds.
        options: The project's options.
        data: `data_hash` of the snapshot.
        forced: Whether a training was requested by hand.
        now: Seconds since the epoch.
        paused: Whether a person wants nothing to be trained.
    """
    newest = known.versions[-1].task if known.versions else None
    used = labels_now(known.used, newest, snapshot.task, options.rename)
    changes = compare(used, snapshot.labels)
    active = known.version(known.active)
    reading = None if active is None else _reading(active, snapshot, options)
    usable = reading is not None
    why, needed, due_at = _due(snapshot, known, options, changes, usable=usable, now=now)
    if forced and not why and _missing(snapshot, options)[0] == 0:
        why = "asked for"
    if paused and why:
        why, due_at = "", None
        needed = pace_of(options, snapshot.task, len(snapshot.open_ids)).labels
    choice = _train_or_reuse(known, data=data, forced=forced) if why else None
    choice = choice or _pending(known, snapshot, options) or _align(snapshot, known, reading)
    action, version, reason = choice
    if action is Action.TRAIN:
        reason = f"{reason}: {why}"
    first = action is Action.TRAIN and known.chosen and _is_hidden(snapshot, known, reading)
    return Decision(
        action=action,
        reason=reason,
        data=data,
        version=version,
        active=known.active,
        first=known.active if first else None,
        changes=changes,
        needed=max(1, needed),
        due_at=due_at,
        missing=_missing(snapshot, options)[1],
    )


def _missing(snapshot: Snapshot, options: ProjectOptions) -> tuple[int, str]:
    """Returns the number of labels that are missing before a model can be trained, and why."""
    answers = [example.answer for example in snapshot.train]
    missing = options.min_labels - len(answers)
    if missing > 0:
        return missing, f"{len(answers)} of {options.min_labels} labels to train on"
    untrainable = snapshot.task.missing(answers)
    if untrainable:
        return 1, f"training needs {untrainable} from {len(answers)} labels"
    return 0, ""


def _due(
    snapshot: Snapshot,
    known: Known,
    options: ProjectOptions,
    changes: Changes,
    *,
    usable: bool,
    now: float,
) -> tuple[str, int, float | None]:
    """Checks whether a training is due.

    Returns:
        Why it is due, empty if it is not; the number of labels that are missing; when it is due
        even without them.
    """
    missing, _ = _missing(snapshot, options)
    changed, words = changes.total, in_words(changes.to_json())
    if missing > 0:
        return "", missing, None
    if not usable:
        return (_edited(known, snapshot) if known.active else "enough labels"), 1, None
    pace = pace_of(options, snapshot.task, len(snapshot.open_ids))
    if changed >= pace.labels:
        return words, 1, None
    needed = pace.labels - changed
    if changed == 0:
        return "", needed, None
    due_at = (now if known.first_new_at is None else known.first_new_at) + pace.seconds
    if now >= due_at:
        return f"{words} in {pace.seconds:g} s", 1, None
    return "", needed, due_at


def _reading(version: Trained, snapshot: Snapshot, options: ProjectOptions) -> Relabelling | None:
    """Returns the reading of a version in the labels of now.

    None if it reads another number of texts, or has too few labels that are there now.
    """
    if version.texts != snapshot.texts:
        return None
    return relabelling(version.task, snapshot.task, options.rename)


def _edited(known: Known, snapshot: Snapshot) -> str:
    """Returns what of the interface does not fit the active version."""
    active = known.version(known.active)
    if active is None or active.texts == snapshot.texts:
        return "the labels were edited"
    return f"{snapshot.texts} texts are read in place of {active.texts}"


_Choice = tuple[Action, "str | None", str]


def _train_or_reuse(known: Known, *, data: str, forced: bool) -> _Choice | None:
    """Chooses to train, unless the same labels were trained on before."""
    same = [version for version in known.versions if version.data_hash == data]
    if any(version.name == known.active for version in same):
        return None
    good = [version for version in same if not version.refused and not version.replaced]
    if good:
        return Action.PUBLISH, good[-1].name, f"{good[-1].name} was trained on these labels"
    if same or (known.failed_hash == data and not forced):
        return None
    return Action.TRAIN, None, "train"


def _pending(known: Known, snapshot: Snapshot, options: ProjectOptions) -> _Choice | None:
    """Chooses the newest version if a round ended between saving and publishing it."""
    if not known.versions:
        return None
    newest = known.versions[-1]
    if newest.refused or newest.promoted or newest.replaced:
        return None
    if _reading(newest, snapshot, options) is None:
        return None
    return Action.PUBLISH, newest.name, f"{newest.name} was saved and not yet published"


def _is_hidden(snapshot: Snapshot, known: Known, reading: Relabelling | None) -> bool:
    """Returns whether Label Studio could show the active version and shows another one."""
    if reading is None or known.active is None or not snapshot.open_ids:
        return False
    return not (snapshot.shown or "").startswith(known.active)


def _align(snapshot: Snapshot, known: Known, reading: Relabelling | None) -> _Choice:
    """Chooses what brings Label Studio in line with the store.

    Args:
        snapshot: The project in Label Studio.
        known: The results of earlier rounds.
        reading: The reading of the active version in the labels of now; None if it is unusable.
    """
    if not snapshot.open_ids:
        return Action.NOTHING, None, "no task waits for a label"
    if reading is not None and known.active is not None:
        if snapshot.shown != published(known.active, reading.changed):
            words = f"the labels of {known.active} were renamed or removed"
            if not (snapshot.shown or "").startswith(known.active):
                words = f"Label Studio does not show {known.active}"
            return Action.PUBLISH, known.active, words
        if snapshot.unscored:
            return Action.INSERT, known.active, f"{len(snapshot.unscored)} tasks without a place"
        if snapshot.misplaced:
            return Action.INSERT, known.active, f"people want {len(snapshot.first)} tasks next"
        return Action.NOTHING, None, "nothing new"
    if not is_start(snapshot.shown) or snapshot.unscored or snapshot.misplaced:
        return Action.START, None, "no model yet"
    return Action.NOTHING, None, "not enough labels yet"


def data_hash(snapshot: Snapshot, config: Mapping[str, object]) -> str:
    """Returns a digest of the labels and settings that a training reads; the pool has no part."""
    task = snapshot.task
    rows = sorted((e.id, e.input, e.lang, task.plain(e.answer), e.weight) for e in snapshot.train)
    content = [list(task.labels), task.kind, decisive(config), rows]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
