"""Steering of a project by people: pause and quota, and the log of who did what.

Both are notes beside the versions, which survive restarts and an empty Redis.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from xlt.errors import StoreError
from xlt.store.versions import ProjectStore
from xlt_backend.options import ProjectOptions

logger = logging.getLogger(__name__)

STEERING, ACTIONS = "steering.json", "actions.jsonl"
#: Largest number of lines of the log, and of those that /status shows.
MOST_ACTIONS, LAST_ACTIONS = 500, 20
#: Largest number of tasks that people want next.
MOST_FIRST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One line of the log: an action of a person.

    Attributes:
        at_utc: Time, ISO 8601.
        by: The person: user of Basic auth, or of the shell.
        what: The action, in one or two words.
        before: What was so before; empty if nothing was.
        after: What is so now; empty if nothing is.
        reason: Why, for people; may be empty.
    """

    at_utc: str
    by: str
    what: str
    before: str = ""
    after: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, str]:
        """Returns what is known as JSON."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """Decisions of people about a project, beyond its options in Label Studio.

    Attributes:
        paused_by: Person who paused training; empty while it is not paused.
        paused_at_utc: Time of the pause, ISO 8601; empty while it is not paused.
        quota: Weights of target languages, which replace the option `quota`; empty for the option.
        quota_by: Person who set the weights; empty without weights.
        first: Ids of tasks that people want labelled next, in this order.
    """

    paused_by: str = ""
    paused_at_utc: str = ""
    quota: Mapping[str, float] = field(default_factory=dict)
    quota_by: str = ""
    first: tuple[str, ...] = ()

    @property
    def paused(self) -> bool:
        """True if nothing is trained until a person resumes."""
        return self.paused_by != ""

    def applied(self, options: ProjectOptions) -> ProjectOptions:
        """Returns the options that are in effect."""
        return options.model_copy(update={"quota": dict(self.quota)}) if self.quota else options

    def to_json(self) -> dict[str, Any]:
        """Returns what is set as JSON; empty if nothing is."""
        return {name: value for name, value in asdict(self).items() if value}


def read(versions: ProjectStore) -> Steering:
    """Reads what people set.

    Raises:
        StoreError: If it cannot be read.
    """
    return _parsed(versions.note(STEERING))


def change(versions: ProjectStore, **values: Any) -> Steering:  # noqa: ANN401 - fields of Steering
    """Changes what people set; returns what was set before.

    Raises:
        StoreError: If it cannot be written.
    """
    return _edited(versions, lambda now: replace(now, **values))


def put_first(versions: ProjectStore, tasks: Sequence[str]) -> Steering:
    """Puts tasks before all that people want next; returns what was set before.

    Raises:
        StoreError: If it cannot be written.
    """
    return _edit(
        versions,
        lambda now: tuple(dict.fromkeys([*tasks, *now.first]))[:MOST_FIRST] if tasks else (),
    )


def keep_first(versions: ProjectStore, waiting: Collection[str]) -> None:
    """Forgets tasks that people wanted next and that no longer wait.

    Raises:
        StoreError: If it cannot be written.
    """
    if not set(read(versions).first) <= set(waiting):
        _edit(versions, lambda now: tuple(task for task in now.first if task in waiting))


def note(versions: ProjectStore, action: Action) -> None:
    """Adds a line to the log and drops the oldest one if the log is full.

    Raises:
        StoreError: If it cannot be written.
    """
    line = _json(action.to_json())

    def edit(data: bytes | None) -> bytes:
        lines = [*(data or b"").splitlines(), line][-MOST_ACTIONS:]
        return b"\n".join(lines) + b"\n"

    versions.edit_note(ACTIONS, edit)


def log(versions: ProjectStore) -> tuple[Action, ...]:
    """Returns what people and rounds did, oldest first: actions, promotions and refusals.

    Raises:
        StoreError: If it cannot be read.
    """
    try:
        lines = (versions.note(ACTIONS) or b"").splitlines()
        actions = [Action(**json.loads(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"{ACTIONS} of project {versions.name} is damaged ({error}); remove it"
        ) from error
    changes = [
        Action(
            at_utc=change.at_utc,
            by=change.by or "xlt",
            what=change.action,
            before=change.previous or "",
            after=change.version,
            reason=change.reason,
        )
        for change in versions.history()
    ]
    return tuple(sorted([*changes, *actions], key=lambda action: action.at_utc))


def report(versions: ProjectStore) -> dict[str, Any]:
    """Returns what people set, and the last lines of the log, as JSON.

    An error is logged: a damaged note is no reason to report nothing else.
    """
    try:
        last = log(versions)[-LAST_ACTIONS:]
        return {
            "steering": read(versions).to_json(),
            "log": [action.to_json() for action in reversed(last)],
        }
    except StoreError as error:
        logger.error("%s", error)
        return {"steering": {}, "log": []}


def paused_words(project: str, now: Steering) -> str:
    """Returns a line for people about a paused project."""
    return (
        f"project {project} was paused by {now.paused_by} at {now.paused_at_utc}: nothing is "
        f"trained until `xlt resume {project}`"
    )


def _edit(versions: ProjectStore, first: Callable[[Steering], tuple[str, ...]]) -> Steering:
    """Changes the tasks that people want next; returns what was set before."""
    return _edited(versions, lambda now: replace(now, first=first(now)))


def _edited(versions: ProjectStore, edited: Callable[[Steering], Steering]) -> Steering:
    """Changes what people set, whatever others do meanwhile; returns what was set before."""
    before: list[Steering] = []

    def edit(data: bytes | None) -> bytes:
        before[:] = [_parsed(data)]
        return _json(edited(before[0]).to_json())

    versions.edit_note(STEERING, edit)
    return before[0]


def _parsed(data: bytes | None) -> Steering:
    try:
        value = json.loads(data or b"{}")
        steering = Steering(**value)
        quota = ProjectOptions(quota=dict(steering.quota) or "equal").quota
        first = tuple(str(task) for task in steering.first)
        return replace(steering, quota=quota if isinstance(quota, dict) else {}, first=first)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{STEERING} is damaged ({error}); remove it") from error


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
