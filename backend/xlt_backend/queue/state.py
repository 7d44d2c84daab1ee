"""State of each project between rounds, in Redis; a round can rebuild all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

from xlt_backend.queue.connection import Connection, translated

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectState:
    """One project's state, as the web server shows it and the next round reads it.

    Attributes:
        key: Name of the project's folder of versions.
        title: Title in Label Studio.
        label_config: The labelling interface when it was last read.
        extra_params: The project's options as Label Studio stores them.
        config_error: Why interface or options cannot be used; empty if they can.
        shown: Version whose predictions Label Studio shows, which /setup answers.
        model: The active version; empty before the first promotion.
        phase: Step of the running round, or outcome of the last one.
        done: Number of finished parts of the phase.
        total: Number of all parts of the phase.
        losses: Parts of the training loss by name.
        last_error: The last error; empty after a round without one.
        last_error_at: Time of the last error, seconds since the epoch.
        labels: Number of training labels by language.
        audit_labels: Number of audit labels by language.
        accuracy: Scores of the model on audit labels by language.
        payoff: Payoff of the labels (`xlt_backend.rounds.payoff`): "choosing", and by language the
            accuracy on labels before training, the gain of the last ones, and labels saved.
        tasks: Number of tasks.
        open_tasks: Number of tasks that wait for annotators.
        unusable: Reason by id of the tasks that have no text (the first hundred).
        unused: Annotations that are not used, by reason: their number (`answers`) and the ids of
            their tasks (the first hundred).
        left_out: Predictions that bulk import left out of the order that Label Studio shows: the
            number sent `singly` or `bare` (without the suggestion), the first `tasks` of these.
        missing: Answers that are missing before a model can be trained; empty if there are enough.
        notes: Parts of the interface that xlt does not use.
        unanswered: Languages and fields that options name and no task has, a line for each.
        doubtful: Suspect labels to review first: task, answers, expected label, doubt, reason.
        annotators: Quality in [0, 1] by annotator, and the number of answers behind it.
        changed: Number of labels that no version was trained on.
        changes: The same by kind (`xlt_backend.rounds.changes`): number of labels and tasks.
        label_changes: Labels that changed since the training (`xlt_backend.rounds.labels`).
        needed: Number of new labels that start a round.
        wait_s: Seconds after the first new label in which a round starts with fewer.
        due_at: Time of the next round in any case, seconds since the epoch; None for never.
        first_new_at: Time of the first label that no version was trained on.
        failed_hash: Hash of the data that a training diverged on.
        activity: Signature of Label Studio's project when it was last read.
        adaptation: State of the encoder's adaptation to the project's languages.
        adaptation_due: Whether to make or judge the adaptation when the project is idle.
        leftovers: Number of our versions whose predictions are still to be deleted.
        forced: Number of trainings that a user has requested.
        forced_served: Number of these requests that are served.
        last_round: The last round: action, reason, version, seconds, peak_rss_bytes.
    """

    key: str = ""
    title: str = ""
    label_config: str = ""
    extra_params: Any = None
    config_error: str = ""
    shown: str = ""
    model: str = ""
    phase: str = "idle"
    done: int = 0
    total: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    last_error: str = ""
    last_error_at: float | None = None
    labels: Mapping[str, int] = field(default_factory=dict)
    audit_labels: Mapping[str, int] = field(default_factory=dict)
    accuracy: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    payoff: Mapping[str, Any] = field(default_factory=dict)
    tasks: int = 0
    open_tasks: int = 0
    unusable: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: Mapping[str, Any] = field(default_factory=dict)
    missing: str = ""
    notes: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    doubtful: list[Mapping[str, Any]] = field(default_factory=list)
    annotators: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    changed: int = 0
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    label_changes: Mapping[str, Any] = field(default_factory=dict)
    needed: int = 1
    wait_s: float = 600.0
    due_at: float | None = None
    first_new_at: float | None = None
    failed_hash: str = ""
    activity: str = ""
    adaptation: str = ""
    adaptation_due: bool = False
    leftovers: int = 0
    forced: int = 0
    forced_served: int = 0
    last_round: Mapping[str, Any] = field(default_factory=dict)


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
            raw = cast("dict[bytes, bytes]", self._connection.hgetall(_key(project)))
        values = {name.decode(): json.loads(value) for name, value in raw.items()}
        return ProjectState(**{name: value for name, value in values.items() if name in _NAMES})

    def some(self, project: str, *names: str) -> ProjectState | None:
        """Returns a project's state with these fields only; None if the project is unknown.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            pipe = self._connection.pipeline(transaction=False)
            pipe.sismember(_KNOWN, project)
            pipe.hmget(_key(project), list(names))
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
            pipe.hset(_key(project), mapping={k: json.dumps(v) for k, v in values.items()})
            pipe.sadd(_KNOWN, project)
            pipe.execute()

    def request_training(self, project: str) -> int:
        """Counts a request to train; returns the number of requests so far.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return int(self._connection.hincrby(_key(project), "forced", 1))

    def projects(self) -> tuple[str, ...]:
        """Returns all projects with a state, sorted by number.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            known = cast("set[bytes]", self._connection.smembers(_KNOWN))
        return tuple(sorted((name.decode() for name in known), key=lambda name: (len(name), name)))

    def forget(self, project: str) -> None:
        """Deletes a project's state.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(_key(project), _new_key(project), _why_key(project))
            self._connection.srem(_KNOWN, project)

    def add_new(self, project: str, tasks: Iterable[str]) -> int:
        """Records tasks whose labels changed; returns their number since `take_new`.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        names = list(tasks)
        with translated():
            pipe = self._connection.pipeline(transaction=False)
            if names:
                pipe.sadd(_new_key(project), *names)
            pipe.scard(_new_key(project))
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
            pipe.scard(_new_key(project))
            pipe.hmget(_key(project), ["needed", "forced", "forced_served"])
            new, (needed, forced, served) = pipe.execute()
        return int(new) >= int(needed or 1) or int(forced or 0) > int(served or 0)

    def take_new(self, project: str) -> None:
        """Starts to count changed tasks from 0, before a snapshot that contains them is taken.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(_new_key(project))

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
                pipe.delete(_why_key(project))
            if reasons:
                pipe.hset(_why_key(project), mapping={k: json.dumps(v) for k, v in reasons.items()})
            pipe.execute()

    def forget_reasons(self, project: str, tasks: Sequence[str]) -> None:
        """Deletes the reasons for the places of some tasks.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            if tasks:
                self._connection.hdel(_why_key(project), *tasks)

    def why(self, project: str, task: str) -> Json | None:
        """Returns the explanation of a task's place; None if there is none.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            raw = cast("bytes | None", self._connection.hget(_why_key(project), task))
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


_KNOWN = "xlt:known"


def _why_key(project: str) -> str:
    return f"xlt:why:{project}"


def _key(project: str) -> str:
    return f"xlt:project:{project}"


def _new_key(project: str) -> str:
    return f"xlt:new:{project}"
