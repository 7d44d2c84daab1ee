"""From the tasks of a project to what a round decides on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from xlt.data.examples import UNKNOWN_LANGUAGE, Example, TaskSpec
from xlt.sampling.audit import is_audit
from xlt_backend.labelstudio.convert import Unusable, label_of, to_example
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.reader import parse_time
from xlt_backend.options import ProjectOptions

#: Most probable language of each text, with its probability.
Identify = Callable[[Sequence[str]], Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A snapshot, and what people should know of it.

    Attributes:
        snapshot: What the round decides on.
        reasons: Task id -> why it is unusable.
        tasks: All tasks.
    """

    snapshot: Snapshot
    reasons: Mapping[str, str]
    tasks: int

    def label_counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Language -> labels to train on; language -> labels to judge by."""
        train, audit = self.snapshot.train, self.snapshot.audit
        return dict(Counter(e.lang for e in train)), dict(Counter(e.lang for e in audit))


def take(
    tasks: Sequence[Mapping[str, Any]],
    interface: Interface,
    options: ProjectOptions,
    *,
    salt: str,
    shown: str | None,
    scores: Mapping[int, float],
    identify: Identify,
) -> Taken:
    """What the tasks say, put into the places where a round looks for it.

    Args:
        tasks: All tasks of the project, as Label Studio exports them.
        interface: What is labelled.
        options: The project's options.
        salt: Decides, with its id, whether a task is an audit task.
        shown: The project's `model_version`.
        scores: Task id -> score of its prediction of that version.
        identify: Asked for the languages of texts that nobody named.
    """
    waiting = {str(task["id"]) for task in tasks if not task.get("is_labeled")}
    examples: list[Example] = []
    reasons: dict[str, str] = {}
    for task in tasks:
        found = to_example(task, interface, options)
        if isinstance(found, Unusable):
            reasons[found.id] = found.reason
        else:
            examples.append(found)
    examples = with_languages(examples, identify)
    judges = {e.id for e in examples if in_audit(e, options, salt)}
    labelled = [e for e in examples if e.label is not None]
    answers = _answers(tasks, interface)
    snapshot = Snapshot(
        spec=interface.spec,
        train=tuple(e for e in labelled if e.id not in judges),
        audit=tuple(e for e in labelled if e.id in judges),
        pool=tuple(e for e in examples if e.id in waiting),
        disputed=tuple(e for e in examples if e.label is None and e.id in answers),
        answers=answers,
        unusable=tuple(sorted((id for id in reasons if id in waiting), key=int)),
        scored={str(id): score for id, score in scores.items()},
        shown=shown or None,
        labelled_at=_labelled_at(tasks, {e.id for e in labelled}),
    )
    return Taken(snapshot=snapshot, reasons=reasons, tasks=len(tasks))


def _labelled_at(tasks: Sequence[Mapping[str, Any]], labelled: Set[str]) -> dict[str, float]:
    """When tasks got their first answer."""
    found = {}
    for task in tasks:
        if str(task["id"]) in labelled:
            given = [a for a in task.get("annotations") or () if not a.get("was_cancelled")]
            times = [_seconds(a.get("created_at")) for a in given]
            found[str(task["id"])] = min((time for time in times if time), default=0.0)
    return found


def _seconds(stamp: object) -> float:
    """Seconds since the epoch; 0 for what is no time stamp."""
    try:
        return parse_time(str(stamp)).timestamp() if stamp else 0.0
    except ValueError:
        return 0.0


def _answers(
    tasks: Sequence[Mapping[str, Any]], interface: Interface
) -> dict[str, Mapping[str, str]]:
    """Task id -> annotator -> label; what is ground truth is not asked again."""
    verdicts = {
        str(task["id"]): label_of(task, interface) for task in tasks if task.get("annotations")
    }
    return {id: v.answers for id, v in verdicts.items() if v.answers and not v.ground_truth}


def in_audit(example: Example, options: ProjectOptions, salt: str) -> bool:
    """Whether a task's label judges models; translations of a text judge together."""
    return is_audit(example.group_key, share=options.audit_share, salt=salt)


def with_languages(examples: Sequence[Example], identify: Identify) -> list[Example]:
    """The examples, with the language of those that do not say it as `identify` finds it."""
    silent = [index for index, e in enumerate(examples) if e.lang == UNKNOWN_LANGUAGE]
    named = list(examples)
    if silent:
        found = identify([examples[index].text for index in silent])
        for index, (lang, _) in zip(silent, found, strict=True):
            named[index] = replace(examples[index], lang=lang)
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that Label Studio knows of a project at one moment, as xlt sees it.

    Attributes:
        spec: What is labelled.
        train: Labelled examples that models are trained on.
        audit: Labelled examples that only judge and calibrate.
        pool: Tasks that still wait for annotators, for the first or for one more.
        disputed: Examples whose annotators do not agree on a label.
        answers: Task id -> annotator -> label, of all tasks that somebody answered and nobody
            marked as ground truth.
        unusable: Ids of waiting tasks that have no text; they are served last.
        scored: Published score of each waiting task that has one, by id: of the version that
            the project shows.
        shown: The project's `model_version`.
        labelled_at: Task id -> when it was labelled, seconds since the epoch, of all labelled
            examples; 0 where that is not known.
    """

    spec: TaskSpec
    train: tuple[Example, ...] = ()
    audit: tuple[Example, ...] = ()
    pool: tuple[Example, ...] = ()
    disputed: tuple[Example, ...] = ()
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()
    scored: Mapping[str, float] = field(default_factory=dict)
    shown: str | None = None
    labelled_at: Mapping[str, float] = field(default_factory=dict)

    @property
    def open_ids(self) -> tuple[str, ...]:
        """Every task that waits for annotators."""
        return (*(example.id for example in self.pool), *self.unusable)

    @property
    def unscored(self) -> tuple[str, ...]:
        """Waiting tasks without a score of the version that the project shows."""
        return tuple(id for id in self.open_ids if id not in self.scored)

    @property
    def labels(self) -> dict[str, str]:
        """Task id -> label, of all labelled examples."""
        labelled = (*self.train, *self.audit)
        return {example.id: example.label for example in labelled if example.label is not None}
