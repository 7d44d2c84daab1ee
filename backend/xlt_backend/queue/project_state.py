"""The state of a project: what the web server shows of it, and what the next round reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        identified: Languages found for tasks that name none; empty if all name theirs.
        unanswered: Languages and fields that options name and no task has, a line for each.
        doubtful: Suspect labels to review first: task, answers, expected label, doubt, reason.
        annotators: Quality in [0, 1] by annotator, and the number of answers behind it.
        people: Work of each annotator by language: answers, compared, agreement, low, high.
        certainty: By language: number of `tasks` whose answers count, of those with `several`
            answers, and of those whose group answer is right with 90 % probability (`sure`).
        weeks: Number of labels by language and Monday of the week, the last half year.
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
    identified: str = ""
    unanswered: list[str] = field(default_factory=list)
    doubtful: list[Mapping[str, Any]] = field(default_factory=list)
    annotators: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    certainty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    weeks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
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
