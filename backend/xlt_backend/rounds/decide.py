"""What a round does next, and whether a new model is good enough: pure decisions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xlt_backend.names import is_start
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.snapshot import Snapshot


class Action(StrEnum):
    """What a round may find to do."""

    START = "start"  # order the pool without a model
    TRAIN = "train"  # train, judge, publish
    PUBLISH = "publish"  # publish a version that is already there
    INSERT = "insert"  # give new tasks a place in the published order
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A version that the store has.

    Attributes:
        name: The version.
        data_hash: Of what it was trained on.
        labels: Label set of its task.
        refused: It was judged worse than another.
        promoted: It was the active one at some time.
    """

    name: str
    data_hash: str
    labels: tuple[str, ...]
    refused: bool = False
    promoted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is remembered of earlier rounds.

    Attributes:
        active: The promoted version.
        versions: All versions, oldest first.
        used: Task id -> label, of the newest version.
        failed_hash: Data that a training diverged on.
        first_new_at: When the first label that no version knows was seen, seconds.
    """

    active: str | None = None
    versions: tuple[Trained, ...] = ()
    used: Mapping[str, str] = field(default_factory=dict)
    failed_hash: str = ""
    first_new_at: float | None = None

    def version(self, name: str | None) -> Trained | None:
        """What is known of the version `name`."""
        return next((version for version in self.versions if version.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do now.

    Attributes:
        action: What.
        reason: Why, for people.
        version: Which version is meant, for PUBLISH and INSERT.
        changed: Labels that no version knows.
        needed: So many more labels make a training due.
        due_at: When a training is due even without more labels, seconds; None: never.
    """

    action: Action
    reason: str
    version: str | None = None
    changed: int = 0
    needed: int = 1
    due_at: float | None = None


def decide(
    snapshot: Snapshot,
    known: Known,
    options: ProjectOptions,
    *,
    data: str,
    forced: bool,
    now: float,
) -> Decision:
    """What the round does: train if due, else bring Label Studio in line with the store.

    Args:
        snapshot: Label Studio now.
        known: What earlier rounds left.
        options: The project's options.
        data: `data_hash` of the snapshot.
        forced: Somebody asked for a training.
        now: Seconds since the epoch.
    """
    changed = count_changes(known.used, snapshot.labels)
    active = known.version(known.active)
    usable = active is not None and active.labels == snapshot.spec.labels
    why, needed, due_at = _due(snapshot, known, options, changed, usable=usable, now=now)
    if forced and not why and _missing(snapshot, options) == 0:
        why = "asked for"
    found = _train_or_reuse(known, snapshot, data=data, forced=forced) if why else None
    found = found or _pending(known, snapshot) or _align(snapshot, known, usable=usable)
    action, version, reason = found
    reason = f"{reason}: {why}" if action is Action.TRAIN else reason
    return Decision(
        action=action,
        reason=reason,
        version=version,
        changed=changed,
        needed=max(1, needed),
        due_at=due_at,
    )


def _missing(snapshot: Snapshot, options: ProjectOptions) -> int:
    """Labels that are missing before anything can be trained."""
    missing = options.min_labels - len(snapshot.train)
    one_class = len({example.label for example in snapshot.train}) < 2
    return max(missing, 1 if one_class else 0)


def _due(
    snapshot: Snapshot,
    known: Known,
    options: ProjectOptions,
    changed: int,
    *,
    usable: bool,
    now: float,
) -> tuple[str, int, float | None]:
    """Why a training is due (empty: it is not), labels that are missing, when it is due anyway."""
    missing = _missing(snapshot, options)
    if missing > 0:
        return "", missing, None
    if not usable:
        return ("the labels were edited" if known.active else "enough labels"), 1, None
    if changed >= options.retrain_after_labels:
        return f"{changed} new labels", 1, None
    needed = options.retrain_after_labels - changed
    if changed == 0:
        return "", needed, None
    due_at = (now if known.first_new_at is None else known.first_new_at) + options.retrain_after_s
    if now >= due_at:
        return f"{changed} new labels in {options.retrain_after_s:g} s", 1, None
    return "", needed, due_at


_Found = tuple[Action, "str | None", str]


def _train_or_reuse(known: Known, snapshot: Snapshot, *, data: str, forced: bool) -> _Found | None:
    """Train, unless the same labels were trained on before."""
    same = [version for version in known.versions if version.data_hash == data]
    if any(version.name == known.active for version in same):
        return None
    good = [version for version in same if not version.refused]
    if good:
        return Action.PUBLISH, good[-1].name, f"{good[-1].name} was trained on these labels"
    if same or (known.failed_hash == data and not forced):
        return None
    return Action.TRAIN, None, "train"


def _pending(known: Known, snapshot: Snapshot) -> _Found | None:
    """The newest version, where a round ended between saving and publishing it."""
    if not known.versions:
        return None
    newest = known.versions[-1]
    if newest.refused or newest.promoted or newest.labels != snapshot.spec.labels:
        return None
    return Action.PUBLISH, newest.name, f"{newest.name} was saved and not yet published"


def _align(snapshot: Snapshot, known: Known, *, usable: bool) -> _Found:
    """Bring what Label Studio shows in line with the store."""
    if not snapshot.open_ids:
        return Action.NOTHING, None, "no task waits for a label"
    if usable:
        if snapshot.shown != known.active:
            return Action.PUBLISH, known.active, f"Label Studio does not show {known.active}"
        if snapshot.unscored:
            return Action.INSERT, known.active, f"{len(snapshot.unscored)} tasks without a place"
        return Action.NOTHING, None, "nothing new"
    if not is_start(snapshot.shown) or snapshot.unscored:
        return Action.START, None, "no model yet"
    return Action.NOTHING, None, "not enough labels yet"


def count_changes(used: Mapping[str, str], labels: Mapping[str, str]) -> int:
    """Labels that were added, changed or taken away."""
    gone = sum(id not in labels for id in used)
    return gone + sum(used.get(id) != label for id, label in labels.items())


def data_hash(snapshot: Snapshot, config: Mapping[str, object]) -> str:
    """Digest of all that a training reads of labels and settings (not of the pool)."""
    rows = sorted((e.id, e.text, e.lang, str(e.label), e.weight) for e in snapshot.train)
    content = [list(snapshot.spec.labels), snapshot.spec.kind.value, dict(config), rows]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
