"""Snapshot of a project: its tasks and labels as Label Studio has them at one moment. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from xlt.data.examples import Example
from xlt.identification.identify import Identify, with_languages
from xlt.sampling.audit import is_audit
from xlt.tasks.metrics import without_answers
from xlt.tasks.task import AnyTask
from xlt_backend.labelstudio.convert import (
    Unusable,
    Votes,
    first_used,
    texts_of,
    to_example,
    votes_of,
)
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.reader import parse_time
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.changes import Label, same_texts

#: Digest of a task without text.
NO_TEXT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The tasks and labels of a project at one moment.

    Attributes:
        task: The project's task.
        train: Labelled examples that models are trained on.
        audit: Labelled examples that only judge and calibrate.
        pool: Tasks that still wait for annotators, for the first answer or for one more.
        disputed: Examples whose annotators do not agree on a label.
        answers: Task id -> annotator -> answer, of all tasks with answers of which none is marked
            as ground truth.
        unusable: Ids of waiting tasks without text; they are served last.
        scored: Task id -> published score of the version that the project shows, if it was
            published for the text that the task has now.
        shown: The project's `model_version`.
        texts: Number of texts of an example.
        labelled_at: Id of each labelled example -> when it was labelled, seconds since the epoch;
            0 if unknown.
        first: Ids of waiting tasks that people want labelled next, in this order. Audit tasks are
            not among them: they keep the places that they are drawn for.
    """

    task: AnyTask
    train: tuple[Example, ...] = ()
    audit: tuple[Example, ...] = ()
    pool: tuple[Example, ...] = ()
    disputed: tuple[Example, ...] = ()
    answers: Mapping[str, Mapping[str, Hashable]] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()
    scored: Mapping[str, float] = field(default_factory=dict)
    shown: str | None = None
    texts: int = 1
    labelled_at: Mapping[str, float] = field(default_factory=dict)
    first: tuple[str, ...] = ()

    @property
    def open_ids(self) -> tuple[str, ...]:
        """Ids of all tasks that wait for annotators."""
        return (*(example.id for example in self.pool), *self.unusable)

    @property
    def labelled(self) -> tuple[Example, ...]:
        """All labelled examples."""
        return (*self.train, *self.audit)

    @property
    def languages(self) -> list[str]:
        """Languages of the texts that are labelled or wait, each text once."""
        parts = (*self.train, *self.audit, *self.pool, *self.disputed)
        return list({example.id: example.lang for example in parts}.values())

    @property
    def unscored(self) -> tuple[str, ...]:
        """Ids of waiting tasks that have no score of the version that the project shows."""
        return tuple(id for id in self.open_ids if id not in self.scored)

    @property
    def misplaced(self) -> bool:
        """True if the tasks that people want next are not at the head, in their order."""
        own = [self.scored.get(id, 1.0) for id in self.first]
        rest = min(
            (self.scored.get(id, 1.0) for id in set(self.open_ids) - set(self.first)), default=1.0
        )
        return own != sorted(own) or (bool(own) and own[-1] >= rest)

    def with_first(self, tasks: Sequence[str], options: ProjectOptions, salt: str) -> Snapshot:
        """Returns the snapshot with the tasks that people want next, of those that wait.

        Args:
            tasks: Their ids, in order.
            options: The project's options.
            salt: The project's name; decides which tasks are audit tasks.
        """
        free = {
            e.id for e in self.pool if e.id not in self.answers and not in_audit(e, options, salt)
        }
        return replace(self, first=tuple(task for task in tasks if task in free))

    @property
    def unlearned(self) -> list[str]:
        """Labels that only audit tasks have, so that no model can learn them."""
        unlearned, unjudged = (
            without_answers(self.task, [example.answer for example in part])
            for part in (self.train, self.audit)
        )
        return [label for label in unlearned if label not in unjudged]

    @property
    def given(self) -> list[str]:
        """Labels that an answer has."""
        answers = [example.answer for example in (*self.train, *self.audit)]
        missing = without_answers(self.task, answers)
        return [label for label in self.task.labels if label not in missing]

    @property
    def labels(self) -> dict[str, Label]:
        """Task id -> label of each labelled example."""
        return {e.id: label_of(e, self.task) for e in (*self.train, *self.audit)}

    @property
    def digests(self) -> dict[str, str]:
        """Task id -> digest of its text; `NO_TEXT` for waiting tasks without text."""
        examples = (*self.train, *self.audit, *self.pool, *self.disputed)
        return dict.fromkeys(self.unusable, NO_TEXT) | {e.id: e.digest for e in examples}


def label_of(example: Example, task: AnyTask) -> Label:
    """Returns the label of a labelled example."""
    return Label(task.plain(example.answer), example.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectReading:
    """A snapshot of a project, and what people should know about its tasks.

    Attributes:
        snapshot: The snapshot.
        reasons: Task id -> why it is unusable.
        tasks: Number of all tasks.
        unused: Reason -> ids of the tasks with an annotation that is not used, one for each.
        identified: Languages found for tasks that name none, in words; empty if all name theirs.
    """

    snapshot: Snapshot
    reasons: Mapping[str, str]
    tasks: int
    unused: Mapping[str, Sequence[str]] = field(default_factory=dict)
    identified: str = ""

    def label_counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Counts labels by language: those to train on, and audit labels."""
        train, audit = self.snapshot.train, self.snapshot.audit
        return dict(Counter(e.lang for e in train)), dict(Counter(e.lang for e in audit))


def read_project(
    tasks: Sequence[Mapping[str, Any]],
    interface: Interface,
    options: ProjectOptions,
    *,
    salt: str,
    shown: str | None,
    scores: Mapping[int, float],
    identify: Identify,
    published: Mapping[str, str] | None = None,
) -> ProjectReading:
    """Reads a project's tasks; reads the labels of each task once.

    Args:
        tasks: All tasks of the project, as Label Studio exports them.
        interface: The project's labelling interface.
        options: The project's options.
        salt: Decides, with its id, whether a task is an audit task.
        shown: The project's `model_version`.
        scores: Task id -> score of its prediction of that version.
        identify: Identifies the language of texts whose task does not name it.
        published: Task id -> digest of the text that this score was published for, if known.
    """
    waiting = {str(task["id"]) for task in tasks if not task.get("is_labeled")}
    examples: list[Example] = []
    reasons: dict[str, str] = {}
    answers: dict[str, Mapping[str, Hashable]] = {}
    unused: dict[str, list[str]] = {}
    used = first_used(tasks, interface)
    for task in tasks:
        texts = texts_of(task, interface)
        votes = votes_of(task, interface, () if isinstance(texts, Unusable) else texts, used)
        if votes.answers and not votes.ground_truth:
            answers[str(task["id"])] = votes.answers
        example = to_example(task, interface, options, votes)
        if isinstance(example, Unusable):
            reasons[example.id] = example.reason
        else:
            examples.append(example)
        for reason in _unused(votes, example, interface.task):
            unused.setdefault(reason, []).append(str(task["id"]))
    found = with_languages(examples, identify, options.languages)
    examples = found.examples
    judges = {e.id for e in examples if in_audit(e, options, salt)}
    labelled = [e for e in examples if e.answer is not None]
    snapshot = Snapshot(
        task=interface.task,
        train=tuple(e for e in labelled if e.id not in judges),
        audit=tuple(e for e in labelled if e.id in judges),
        pool=tuple(e for e in examples if e.id in waiting),
        disputed=tuple(e for e in examples if e.answer is None and e.id in answers),
        answers=answers,
        unusable=tuple(sorted((id for id in reasons if id in waiting), key=int)),
        shown=shown or None,
        texts=len(interface.text_keys),
        labelled_at=_labelled_at(tasks, {e.id for e in labelled}),
    )
    snapshot = replace(snapshot, scored=_scored(scores, published or {}, snapshot.digests))
    return ProjectReading(
        snapshot=snapshot,
        reasons=reasons,
        tasks=len(tasks),
        unused=unused,
        identified=found.line(""),
    )


def _scored(
    scores: Mapping[int, float], published: Mapping[str, str], digests: Mapping[str, str]
) -> dict[str, float]:
    """Leaves out scores that were published for another text than the task has now."""
    return {
        str(id): score
        for id, score in scores.items()
        if same_texts(published.get(str(id), ""), digests.get(str(id), ""))
    }


def _unused(votes: Votes, example: Example | Unusable, task: AnyTask) -> list[str]:
    """Returns why a task's annotations are not used, a reason for each."""
    reasons = list(votes.unused)
    if isinstance(example, Unusable):
        reasons += [example.reason] * len(votes.answers)
    elif votes.answers and example.answer is None:
        reasons += [task.agree(votes.answers).reason] * len(votes.answers)
    return reasons


def _labelled_at(tasks: Sequence[Mapping[str, Any]], labelled: Set[str]) -> dict[str, float]:
    """Maps labelled tasks to the time of their first answer."""
    first = {}
    for task in tasks:
        if str(task["id"]) in labelled:
            given = [a for a in task.get("annotations") or () if not a.get("was_cancelled")]
            times = [_seconds(a.get("created_at")) for a in given]
            first[str(task["id"])] = min((time for time in times if time), default=0.0)
    return first


def _seconds(stamp: object) -> float:
    """Returns seconds since the epoch; 0 if it is not a time stamp."""
    try:
        return parse_time(str(stamp)).timestamp() if stamp else 0.0
    except ValueError:
        return 0.0


def in_audit(example: Example, options: ProjectOptions, salt: str) -> bool:
    """Returns whether a task's label judges models; translations of a text judge together.

    The draw is by id and not by text: a text that is corrected stays on its side. Another task
    that gets the id is drawn as fairly as any, since no id has to do with the text it stands for.
    """
    return is_audit(example.group_key, share=options.audit_share, salt=salt)
