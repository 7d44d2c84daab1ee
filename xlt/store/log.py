"""Which version of a project is active, and how that came about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from xlt.errors import StoreError
from xlt.store.places import Place

#: Names of versions: number, UTC, and a random part where numbers may collide.
VERSION = re.compile(r"v(\d{4,9})-(\d{8}T\d{6})(-[0-9a-f]{8})?")
_HISTORY = 200
_TRAIL = 20

Action = Literal["promoted", "refused", "rolled back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of a project's history.

    Attributes:
        at_utc: When, ISO 8601.
        action: What was done with the version.
        version: Which version.
        previous: Which version was current before; None for the first.
        reason: Why, for people.
    """

    at_utc: str
    action: Action
    version: str
    previous: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Which version is active; `trail` holds those before it, the last one nearest."""

    version: str
    reason: str
    at_utc: str
    trail: tuple[str, ...] = ()


class ChangeLog:
    """`current.json` and `history.jsonl` of one project; writers hold the project's lock."""

    def __init__(self, place: Place, project: str, now: Callable[[], datetime]) -> None:
        self._place = place
        self._project = project
        self._now = now

    def pointer(self) -> Pointer | None:
        """The pointer; None before the first promotion.

        Raises:
            StoreError: If it cannot be read.
        """
        data = self._place.read(f"{self._project}/current.json")
        if data is None:
            return None
        try:
            value = json.loads(data)
            pointer = Pointer(**(value | {"trail": tuple(value["trail"])}))
            if not all(VERSION.fullmatch(name) for name in (pointer.version, *pointer.trail)):
                raise ValueError("not the names of versions")
            return pointer
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"current.json of project {self._project} is damaged ({error}); remove it and "
                "promote a version"
            ) from error

    def point(self, version: str, trail: tuple[str, ...], action: Action, reason: str) -> None:
        """Moves the pointer in one step, then notes it."""
        before = self.pointer()
        pointer = Pointer(version=version, reason=reason, at_utc=self._utc(), trail=trail[-_TRAIL:])
        self._place.write(f"{self._project}/current.json", _json(asdict(pointer)))
        self._write(version, action, reason, before)

    def note(self, version: str, action: Action, reason: str) -> None:
        """Adds a line to the history; the oldest one goes when it is full."""
        self._write(version, action, reason, self.pointer())

    def history(self) -> tuple[Change, ...]:
        """The lines of the history, oldest first.

        Raises:
            StoreError: If one cannot be read.
        """
        try:
            return tuple(Change(**json.loads(line)) for line in self._lines())
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"history.jsonl of project {self._project} is damaged ({error}); remove it"
            ) from error

    def _write(self, version: str, action: Action, reason: str, before: Pointer | None) -> None:
        change = Change(
            at_utc=self._utc(),
            action=action,
            version=version,
            previous=None if before is None else before.version,
            reason=reason,
        )
        lines = [*self._lines(), _json(asdict(change))][-_HISTORY:]
        self._place.write(f"{self._project}/history.jsonl", b"\n".join(lines) + b"\n")

    def _lines(self) -> list[bytes]:
        return (self._place.read(f"{self._project}/history.jsonl") or b"").splitlines()

    def _utc(self) -> str:
        return self._now().isoformat(timespec="seconds")


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
