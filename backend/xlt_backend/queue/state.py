"""State of each project between rounds, in Redis; a round can rebuild all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from xlt_backend.queue.connection import Connection, translated
from xlt_backend.queue.keys import KNOWN, new_key, state_key, why_key
from xlt_backend.queue.project_state import ProjectState

__all__ = ["ProjectState", "StateStore"]

Json = Mapping[str, Any]


_NAMES = frozenset(item.name for item in fields(ProjectState))


class StateStore:
    """The states of all projects; each field can be written alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, project: str) -> ProjectState:
        """Returns a project's state, with defaults for the fields that are not stored.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            raw = cast("dict[bytes, bytes]", self._connection.hgetall(state_key(project)))
        values = {name.decode(): json.loads(value) for name, value in raw.items()}
        return ProjectState(**{name: value for name, value in values.items() if name in _NAMES})

    def some(self, project: str, *names: str) -> ProjectState | None:
        """Returns a project's state with these fields only; None if the project is unknown.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            pipe = self._connection.pipeline(transaction=False)
            pipe.sismember(KNOWN, project)
            pipe.hmget(state_key(project), list(names))
            known, raw = pipe.execute()
        if not known:
            return None
        stored = zip(names, raw, strict=True)
        return ProjectState(**{name: json.loads(value) for name, value in stored if value})

    def put(self, project: str, **values: Any) -> None:  # noqa: ANN401 - fields of ProjectState
        """Writes some fields in one atomic step.

        Raises:
            RedisDownError: If Redis does not answer.
            TypeError: If a field does not exist.
        """
        if unknown := set(values) - _NAMES:
            raise TypeError(f"unknown fields of ProjectState: {sorted(unknown)}")
        with translated():
            pipe = self._connection.pipeline()
            pipe.hset(state_key(project), mapping={k: json.dumps(v) for k, v in values.items()})
            pipe.sadd(KNOWN, project)
            pipe.execute()

    def request_training(self, project: str) -> int:
        """Counts a request to train; returns the number of requests so far.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return int(self._connection.hincrby(state_key(project), "forced", 1))

    def projects(self) -> tuple[str, ...]:
        """Returns all projects with a state, sorted by number.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            known = cast("set[bytes]", self._connection.smembers(KNOWN))
        return tuple(sorted((name.decode() for name in known), key=lambda name: (len(name), name)))

    def forget(self, project: str) -> None:
        """Deletes a project's state.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(state_key(project), new_key(project), why_key(project))
            self._connection.srem(KNOWN, project)

    def add_new(self, project: str, tasks: Iterable[str]) -> int:
        """Records tasks whose labels changed; returns their number since `take_new`.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        names = list(tasks)
        with translated():
            pipe = self._connection.pipeline(transaction=False)
            if names:
                pipe.sadd(new_key(project), *names)
            pipe.scard(new_key(project))
            return int(pipe.execute()[-1])

    def is_due(self, project: str) -> bool:
        """Returns whether enough labels changed since `take_new`, or a request is not served.

        Called when a round ends, so that a label that arrived during it is not left waiting: until
        then events compare with the number of labels that the round before needed.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            pipe = self._connection.pipeline()
            pipe.scard(new_key(project))
            pipe.hmget(state_key(project), ["needed", "forced", "forced_served"])
            new, (needed, forced, served) = pipe.execute()
        return int(new) >= int(needed or 1) or int(forced or 0) > int(served or 0)

    def take_new(self, project: str) -> None:
        """Starts to count changed tasks from 0, before a snapshot that contains them is taken.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(new_key(project))

    def explain(self, project: str, reasons: Mapping[str, Json], *, replace: bool) -> None:
        """Stores the reasons for tasks' places in the queue.

        Args:
            project: The project.
            reasons: The reason as JSON, by task id.
            replace: Whether to delete all earlier reasons first, since the order is a new one.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            pipe = self._connection.pipeline()
            if replace:
                pipe.delete(why_key(project))
            if reasons:
                pipe.hset(why_key(project), mapping={k: json.dumps(v) for k, v in reasons.items()})
            pipe.execute()

    def forget_reasons(self, project: str, tasks: Sequence[str]) -> None:
        """Deletes the reasons for the places of some tasks.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            if tasks:
                self._connection.hdel(why_key(project), *tasks)

    def explained(self, project: str) -> set[str]:
        """Returns the tasks that have a reason for their place.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return {
                name.decode()
                for name in cast("list[bytes]", self._connection.hkeys(why_key(project)))
            }

    def waiting(self, project: str) -> dict[str, Json]:
        """Maps the explained tasks to their reasons, without those labelled since the last round.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            pipe = self._connection.pipeline(transaction=False)
            pipe.hgetall(why_key(project))
            pipe.smembers(new_key(project))
            raw, changed = pipe.execute()
        labelled = {name.decode().removeprefix("task ") for name in changed}
        reasons = {task.decode(): json.loads(reason) for task, reason in raw.items()}
        return {task: reason for task, reason in reasons.items() if task not in labelled}

    def why(self, project: str, task: str) -> Json | None:
        """Returns the explanation of a task's place; None if there is none.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            raw = cast("bytes | None", self._connection.hget(why_key(project), task))
        return None if raw is None else cast("Json", json.loads(raw))

    def claim(self, duty: str, holder: str, duration_s: float) -> bool:
        """Claims a duty that one process at a time performs; returns whether it was free.

        Args:
            duty: Name of the duty.
            holder: Identifies this process.
            duration_s: Seconds until it is free again.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return bool(
                self._connection.set(
                    f"xlt:office:{duty}", holder, nx=True, px=max(1, int(duration_s * 1000))
                )
            )
