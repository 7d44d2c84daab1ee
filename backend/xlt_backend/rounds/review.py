"""Which labelled tasks should be looked at again, and where they stand in the queue. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.review.labels import Doubtful, Recheck, recheck
from xlt.sampling.select import Pick
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.snapshot import Snapshot

#: So many doubtful labels are listed ...
LISTED = 50
#: ... in this tab of the Data Manager.
TAB = "Labels to check"
#: A task with so many answers is not shown again: people will not agree on it.
_MOST_ANSWERS = 3

Vectors = Callable[[Sequence[Example]], NDArray[np.float32]]


def look(snapshot: Snapshot, vectors: Vectors, rng: np.random.Generator) -> Recheck | None:
    """Doubts all labels but the ground truth; None where there are too few.

    Args:
        snapshot: What is labelled, by whom.
        vectors: Gives (N, H) of an encoder that has not seen the labels.
        rng: Draws folds.
    """
    labelled = (*snapshot.train, *snapshot.audit, *snapshot.disputed)
    examples = [example for example in labelled if example.id in snapshot.answers]
    if not examples:
        return None
    return recheck(examples, snapshot.answers, vectors(examples), snapshot.spec, rng)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rivals:
    """Labelled tasks beside the unlabelled ones that they compete with for annotators.

    A labelled task stands behind as many unlabelled ones as are more doubtful than it.

    Attributes:
        found: Doubts of labels; None: nothing is known, all stand behind.
        unlabelled: (N,) doubts of the unlabelled tasks.
    """

    found: Recheck | None = None
    unlabelled: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def behind(self, doubt: float) -> int:
        """How many unlabelled tasks stand before a label of this doubt."""
        return int((self.unlabelled > doubt).sum())

    def merged(self, picks: Sequence[Pick], answered: Sequence[Example | Doubtful]) -> list[Pick]:
        """Unlabelled tasks in their order, with labelled ones where their doubts put them.

        Args:
            picks: Unlabelled tasks by rank.
            answered: Tasks that have an answer.
        """
        known = {} if self.found is None else {text.id: text for text in self.found.texts}
        places = [
            (self.behind(known[e.id].doubt) if e.id in known else len(picks), _pick(e, known))
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

    def finished(self, snapshot: Snapshot) -> list[Doubtful]:
        """Labelled tasks that wait for nobody, the most doubtful first; no audit tasks.

        Audit labels that were looked at again where a model disagrees would flatter models.
        """
        others = {example.id for example in (*snapshot.pool, *snapshot.audit)}
        texts = () if self.found is None else self.found.texts
        return [text for text in texts if text.id not in others]

    def to_reopen(self, snapshot: Snapshot, options: ProjectOptions) -> list[Doubtful]:
        """Finished tasks that earn one more answer: they would stand within the batch.

        None where nobody but the one annotator could give it.
        """
        people = {who for said in snapshot.answers.values() for who in said}
        waiting = sum(example.id in snapshot.answers for example in snapshot.pool)
        room = int(options.relabel_share * options.batch) - waiting
        if len(people) < 2 or room <= 0:
            return []
        earned = [
            text
            for text in self.finished(snapshot)
            if len(text.answers) < min(_MOST_ANSWERS, len(people))
            and self.behind(text.doubt) < options.batch
        ]
        return earned[:room]

    def listed(self, snapshot: Snapshot) -> list[dict[str, Any]]:
        """The most doubtful finished labels, JSON-ready."""
        return [
            {
                "task": text.id,
                "lang": text.lang,
                "answers": dict(text.answers),
                "expected": text.expected,
                "doubt": round(text.doubt, 4),
                "unlabelled_before": self.behind(text.doubt),
                "reason": text.reason,
            }
            for text in self.finished(snapshot)[:LISTED]
        ]

    def annotators(self) -> dict[str, dict[str, float]]:
        """Annotator -> quality in [0, 1] and the answers that it rests on, JSON-ready."""
        if self.found is None:
            return {}
        given = self.found.given
        return {
            who: {"quality": round(quality, 4), "answers": given[who]}
            for who, quality in self.found.quality.items()
        }


def _pick(example: Example | Doubtful, known: dict[str, Doubtful]) -> Pick:
    text = known.get(example.id)
    waits = "has an answer already"
    return Pick(
        id=example.id,
        lang=example.lang,
        rank=0,
        slot="relabel",
        uncertainty=None if text is None else text.doubt,
        reason=waits if text is None else f"{waits}: {text.reason}",
    )
