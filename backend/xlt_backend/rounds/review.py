"""Review of labels: tasks whose labels look wrong, and their places in the queue. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.review.labels import Review, SuspectLabel
from xlt.review.labels import review as review_labels
from xlt.sampling.select import Pick
from xlt.tasks.outputs import Outputs
from xlt.tasks.probes import NO_PROBE, has_probe
from xlt.tasks.task import AnyTask
from xlt_backend.options import ProjectOptions

logger = logging.getLogger(__name__)

#: Number of suspect labels that are listed ...
LISTED = 50
#: ... in this tab of the Data Manager.
TAB = "Labels to check"
#: Probability from which on the group's answer to a task is called sure.
SURE = 0.9
#: A task with this number of answers is not reopened: its annotators will not agree.
_MOST_ANSWERS = 3

Vectors = Callable[[Sequence[Example]], NDArray[np.float32]]


def review(
    labelled: Sequence[Example],
    answers: Mapping[str, Mapping[str, Hashable]],
    vectors: Vectors,
    task: AnyTask,
    rng: np.random.Generator,
) -> Review | None:
    """Reviews all labels except ground truth; returns None if there are too few, or no probes.

    Args:
        labelled: Examples that have answers, also those whose annotators disagree.
        answers: Task id -> annotator -> answer; those marked as ground truth have none here.
        vectors: Returns (N, H) of an encoder that was not trained on the labels.
        task: The project's task.
        rng: Draws folds.
    """
    examples = [example for example in labelled if example.id in answers]
    if not examples:
        return None
    if not has_probe(task):
        logger.info("labels of %s are not reviewed, %s", task.kind, NO_PROBE)
        return None
    return review_labels(examples, answers, vectors(examples), task, rng)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReviewQueue:
    """Labelled tasks that compete with the unlabelled ones for annotators.

    The place of a labelled task is the number of unlabelled tasks that are less certain than its
    label.

    Attributes:
        review: The review of the labels; None if there is none: labelled tasks come last.
        waiting: Tasks that have an answer and wait for one more.
        finished: Labelled tasks that wait for no annotator, the most suspect first. Audit tasks
            are left out: audit labels corrected where a model disagrees would flatter models.
        people: Number of annotators.
        unlabelled: (N,) suspicion of the unlabelled tasks, see `xlt.review.labels.Review`.
    """

    review: Review | None = None
    waiting: tuple[Example, ...] = ()
    finished: tuple[SuspectLabel, ...] = ()
    people: int = 0
    unlabelled: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def build(
        cls,
        review: Review | None,
        *,
        pool: Sequence[Example],
        audit: Sequence[Example],
        answers: Mapping[str, Mapping[str, Hashable]],
        beliefs: Outputs | None,
    ) -> ReviewQueue:
        """Sorts the tasks that have an answer into waiting and finished ones.

        Args:
            review: The review of the labels.
            pool: All waiting tasks.
            audit: Labelled examples that judge models.
            answers: Task id -> annotator -> answer.
            beliefs: Beliefs of the unlabelled waiting tasks; None without a model.
        """
        elsewhere = {example.id for example in (*pool, *audit)}
        suspects = () if review is None else review.labels
        queue = cls(
            review=review,
            waiting=tuple(example for example in pool if example.id in answers),
            finished=tuple(text for text in suspects if text.id not in elsewhere),
            people=len({annotator for votes in answers.values() for annotator in votes}),
        )
        if review is None or beliefs is None:
            return queue
        return replace(queue, unlabelled=review.unlabelled(beliefs))

    def before(self, suspicion: float) -> int:
        """Counts the unlabelled tasks that come before a label this suspect."""
        return int((self.unlabelled > suspicion).sum())

    def merged(self, picks: Sequence[Pick], finished: int) -> list[Pick]:
        """Inserts labelled tasks into the order of the unlabelled ones.

        Args:
            picks: Unlabelled tasks by rank.
            finished: Number of finished tasks to insert, beside all that wait.
        """
        known = {} if self.review is None else {text.id: text for text in self.review.labels}
        answered: list[Example | SuspectLabel] = [*self.waiting, *self.finished[:finished]]
        places = [
            (self.before(known[e.id].suspicion) if e.id in known else len(picks), _pick(e, known))
            for e in answered
        ]
        places.sort(key=lambda item: (item[0], -(item[1].uncertainty or 0.0)))
        merged: list[Pick] = []
        for place, pick in enumerate(picks):
            while places and places[0][0] <= place:
                merged.append(places.pop(0)[1])
            merged.append(pick)
        merged += [pick for _, pick in places]
        return [replace(pick, rank=rank) for rank, pick in enumerate(merged)]

    def to_reopen(self, options: ProjectOptions) -> list[SuspectLabel]:
        """Lists finished tasks that should get one more answer: they would be in the batch.

        Empty if the project has one annotator only.
        """
        room = int(options.relabel_share * options.batch) - len(self.waiting)
        if self.people < 2 or room <= 0:
            return []
        earned = [
            text
            for text in self.finished
            if len(text.votes) < min(_MOST_ANSWERS, self.people)
            and self.before(text.suspicion) < options.batch
        ]
        return earned[:room]

    def listed(self, task: AnyTask) -> list[dict[str, Any]]:
        """Lists the most suspect finished labels, JSON-ready."""
        return [
            {
                "task": text.id,
                "lang": text.lang,
                "answers": {who: task.plain(vote) for who, vote in text.votes.items()},
                "expected": task.plain(text.expected),
                "doubt": round(text.suspicion, 4),
                "unlabelled_before": self.before(text.suspicion),
                "reason": text.reason,
                "certainty": None if text.certainty is None else round(text.certainty, 4),
            }
            for text in self.finished[:LISTED]
        ]

    def certainty(self) -> dict[str, dict[str, int]]:
        """Counts tasks by language: all, those with several answers, and those that are sure.

        Sure are those whose answer of the group is right with `SURE` probability, by all answers
        and the model. Empty if answers are not classes of a distribution.
        """
        labels = () if self.review is None else self.review.labels
        counts: dict[str, dict[str, int]] = {}
        for text in sorted(labels, key=lambda text: text.lang):
            if text.certainty is not None:
                own = counts.setdefault(text.lang, {"tasks": 0, "several": 0, "sure": 0})
                own["tasks"] += 1
                own["several"] += len(text.votes) > 1
                own["sure"] += text.certainty >= SURE
        return counts

    def annotators(self) -> dict[str, dict[str, float]]:
        """Maps annotators to their quality in [0, 1] and its number of answers, JSON-ready."""
        if self.review is None:
            return {}
        given = self.review.given
        return {
            annotator: {"quality": round(quality, 4), "answers": given[annotator]}
            for annotator, quality in self.review.quality.items()
        }


def _pick(example: Example | SuspectLabel, known: Mapping[str, SuspectLabel]) -> Pick:
    text = known.get(example.id)
    reason = "has an answer already"
    return Pick(
        id=example.id,
        lang=example.lang,
        rank=0,
        slot="relabel",
        uncertainty=None if text is None else text.suspicion,
        reason=reason if text is None else f"{reason}: {text.reason}",
    )
