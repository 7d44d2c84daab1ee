"""What Redis remembers of each project between rounds. All of it can be rebuilt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from xlt_backend.queue.connection import Connection, translated

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectState:
    """One project, as the web server shows it and the next round finds it.

    Attributes:
        key: Name of the project's folder of versions.
        title: For people.
        label_config: The labelling interface when it was last seen.
        extra_params: The project's options as Label Studio stores them.
        config_error: Why interface or options cannot be used; empty where they can.
        shown: Version whose predictions Label Studio shows; what /setup answers.
        model: The promoted version; empty before the first.
        phase: What the running round does, or how the last one ended.
        done: Steps of the phase that are done ...
        total: ... out of these.
        losses: Parts of the training loss by name.
        last_error: What went wrong last; empty after a round without a fault.
        last_error_at: When, seconds since the epoch.
        labels: Language -> labels that models are trained on.
        audit_labels: Language -> labels that judge models.
        accuracy: Language -> what audit labels say of the model.
        payoff: What labels are worth (`xlt_backend.rounds.payoff`): "choosing", and by language the
            accuracy on labels before they trained, what the last ones bought, and labels saved.
        tasks: All tasks.
        open_tasks: Tasks that wait for annotators.
        unusable: Task id -> why it has no text (the first hundred).
        notes: What xlt does not use of the interface.
        doubtful: The labels to check first: task, answers, expected label, doubt, reason.
        annotators: Annotator -> quality in [0, 1], and the answers that it rests on.
        changed: Labels that no version knows yet.
        needed: New labels after which a round is worth while.
        due_at: When one is due anyway, seconds since the epoch; None: never.
        first_new_at: When the first label that no version knows was seen.
        failed_hash: Data that a training diverged on.
        activity: Label Studio's signature when it was last read.
        adaptation: What is known of the encoder's adaptation to the project's languages.
        adaptation_due: It is to be made, or judged anew, in a quiet hour.
        leftovers: Versions of ours whose predictions are still to be deleted.
        forced: How often somebody ordered a training ...
        forced_served: ... and up to which order that was done.
        last_round: What the last round did: action, reason, version, seconds, peak_rss_bytes.
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
    notes: list[str] = field(default_factory=list)
    doubtful: list[Mapping[str, Any]] = field(default_factory=list)
    annotators: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    changed: int = 0
    needed: int = 1
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
    """The states of all projects; every field can be written alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, project: str) -> ProjectState:
        """A project's state; the defaults where nothing is known.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            raw = cast("dict[bytes, bytes]", self._connection.hgetall(_key(project)))
        values = {name.decode(): json.loads(value) for name, value in raw.items()}
        return ProjectState(**{name: value for name, value in values.items() if name in _NAMES})

    def some(self, project: str, *names: str) -> ProjectState | None:
        """A project's state with these fields only; None where the project is not known.

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
        found = zip(names, raw, strict=True)
        return ProjectState(**{name: json.loads(value) for name, value in found if value})

    def put(self, project: str, **values: Any) -> None:  # noqa: ANN401 - fields of ProjectState
        """Writes some fields, atomically.

        Raises:
            RedisDownError: If Redis does not answer.
            TypeError: If a field does not exist.
        """
        if unknown := set(values) - _NAMES:
            raise TypeError(f"no such field of ProjectState: {sorted(unknown)}")
        with translated():
            pipe = self._connection.pipeline()
            pipe.hset(_key(project), mapping={k: json.dumps(v) for k, v in values.items()})
            pipe.sadd(_KNOWN, project)
            pipe.execute()

    def order(self, project: str) -> int:
        """Counts an order to train; returns how many there were.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return int(self._connection.hincrby(_key(project), "forced", 1))

    def projects(self) -> tuple[str, ...]:
        """All projects with a state, sorted by number.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            known = cast("set[bytes]", self._connection.smembers(_KNOWN))
        return tuple(sorted((name.decode() for name in known), key=lambda name: (len(name), name)))

    def forget(self, project: str) -> None:
        """Drops a project's state.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(_key(project), _new_key(project), _why_key(project))
            self._connection.srem(_KNOWN, project)

    def add_new(self, project: str, tasks: Iterable[str]) -> int:
        """Notes tasks whose labels changed; returns how many differ since `take_new`.

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
        """Whether enough changed since `take_new`, or a training was ordered and not served.

        Whoever counts during a round compares with what an earlier one said; this is asked at the
        round's end, lest the last label before a training waits for the next.

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
        """Begins to count changed tasks anew: the snapshot that is taken next sees them.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(_new_key(project))

    def explain(self, project: str, reasons: Mapping[str, Json], *, anew: bool) -> None:
        """Notes why tasks stand where they stand in the queue.

        Args:
            project: The project.
            reasons: Task id -> what there is to say, JSON-ready.
            anew: It is a new order: what was said of the one before is dropped.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            pipe = self._connection.pipeline()
            if anew:
                pipe.delete(_why_key(project))
            if reasons:
                pipe.hset(_why_key(project), mapping={k: json.dumps(v) for k, v in reasons.items()})
            pipe.execute()

    def why(self, project: str, task: str) -> Json | None:
        """What was noted of a task; None: nothing.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            raw = cast("bytes | None", self._connection.hget(_why_key(project), task))
        return None if raw is None else cast("Json", json.loads(raw))

    def hold_office(self, office: str, holder: str, term_s: float) -> bool:
        """Whether `holder` may do what one process at a time does; lasts `term_s` seconds.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return bool(
                self._connection.set(
                    f"xlt:office:{office}", holder, nx=True, px=max(1, int(term_s * 1000))
                )
            )


_KNOWN = "xlt:known"


def _why_key(project: str) -> str:
    return f"xlt:why:{project}"


def _key(project: str) -> str:
    return f"xlt:project:{project}"


def _new_key(project: str) -> str:
    return f"xlt:new:{project}"
