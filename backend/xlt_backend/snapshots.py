"""From the tasks of a project to what a round decides on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from xlt.sampling.audit import is_audit
from xlt.schema import UNKNOWN_LANGUAGE, Example
from xlt_backend.convert import Unusable, label_of, to_example
from xlt_backend.interface import Interface
from xlt_backend.labelstudio_read import parse_time
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds import Snapshot

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
