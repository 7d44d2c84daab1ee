"""The active version of a project, and the history of promotions, refusals and rollbacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from xlt.errors import StaleVersionError, StoreError
from xlt.store.names import HISTORY, POINTER, is_version
from xlt.store.storage import Storage

_HISTORY_LINES = 200
_TRAIL = 20

Action = Literal["promoted", "refused", "rolled back"]

#: For callers that move the pointer whatever it says.
ANY = "any version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of a project's history.

    Attributes:
        at_utc: Time, ISO 8601.
        action: What was done with the version.
        version: Name of the version.
        previous: Version that was active before; None for the first.
        reason: Why, for people.
        by: Person who did it; empty for xlt itself.
    """

    at_utc: str
    action: Action
    version: str
    previous: str | None
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """The active version.

    Attributes:
        version: Its name.
        reason: Why it was promoted, for people.
        at_utc: Time of the promotion, ISO 8601.
        trail: Versions that were active before it, the latest one last.
    """

    version: str
    reason: str
    at_utc: str
    trail: tuple[str, ...] = ()


class ChangeLog:
    """`current.json` and `history.jsonl` of one project; writers hold the project's lock."""

    def __init__(self, storage: Storage, project: str, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._project = project
        self._now = now

    def pointer(self) -> Pointer | None:
        """Returns the pointer, None before the first promotion.

        Raises:
            StoreError: If it cannot be read.
        """
        data = self._storage.read(f"{self._project}/{POINTER}")
        if data is None:
            return None
        try:
            value = json.loads(data)
            pointer = Pointer(**(value | {"trail": tuple(value["trail"])}))
            if not all(is_version(name) for name in (pointer.version, *pointer.trail)):
                raise ValueError("not the names of versions")
            return pointer
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{POINTER} of project {self._project} is damaged ({error}); remove it and "
                "promote a version"
            ) from error

    def seen(self, version: str | None) -> Pointer | None:
        """Returns the pointer if it is as the caller saw it.

        Args:
            version: The active version that the caller saw; `ANY` if it does not matter.

        Raises:
            StaleVersionError: If another version became the active one meanwhile.
            StoreError: If the pointer cannot be read.
        """
        pointer = self.pointer()
        active = None if pointer is None else pointer.version
        if version not in (ANY, active):
            raise StaleVersionError(
                f"the active version of project {self._project} is {active or 'none'} by now, "
                f"expected {version or 'none'}: look again before you change it"
            )
        return pointer

    def point(
        self, version: str, trail: tuple[str, ...], action: Action, reason: str, by: str = ""
    ) -> None:
        """Moves the pointer in one step, then adds a line to the history."""
        before = self.pointer()
        pointer = Pointer(version=version, reason=reason, at_utc=self._utc(), trail=trail[-_TRAIL:])
        self._storage.write(f"{self._project}/{POINTER}", _json(asdict(pointer)))
        self._write(version, action, reason, before, by)

    def note(self, version: str, action: Action, reason: str) -> None:
        """Adds a line to the history and drops the oldest one if the history is full."""
        self._write(version, action, reason, self.pointer(), "")

    def history(self) -> tuple[Change, ...]:
        """Returns the lines of the history, oldest first.

        Raises:
            StoreError: If one cannot be read.
        """
        try:
            return tuple(Change(**json.loads(line)) for line in self._lines())
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"{HISTORY} of project {self._project} is damaged ({error}); remove it"
            ) from error

    def _write(
        self, version: str, action: Action, reason: str, before: Pointer | None, by: str
    ) -> None:
        change = Change(
            at_utc=self._utc(),
            action=action,
            version=version,
            previous=None if before is None else before.version,
            reason=reason,
            by=by,
        )
        lines = [*self._lines(), _json(asdict(change))][-_HISTORY_LINES:]
        self._storage.write(f"{self._project}/{HISTORY}", b"\n".join(lines) + b"\n")

    def _lines(self) -> list[bytes]:
        return (self._storage.read(f"{self._project}/{HISTORY}") or b"").splitlines()

    def _utc(self) -> str:
        return self._now().isoformat(timespec="seconds")


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
