"""From scores to the rows that are published: the whole pool in the order of the sampler. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.calibrate import Calibration
from xlt.sampling.select import Pick, Pool, Selection, select
from xlt_backend import rounds, snapshots
from xlt_backend.convert import PublishRow, rank_to_score, to_row
from xlt_backend.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds import Snapshot
from xlt_backend.scorecache import Cached

#: Places that are explained in /status, the first ones of the queue: Redis keeps them.
EXPLAINED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A project's queue.

    Attributes:
        rows: One per waiting task, the one to label next first.
        picks: The same tasks, those without text aside, with the reasons for their places.
    """

    rows: Sequence[PublishRow]
    picks: Sequence[Pick]

    def reasons(self, version: str) -> dict[str, dict[str, Any]]:
        """Task id -> why it stands where it stands in the order that `version` is published with.

        Of the first `EXPLAINED` tasks; JSON-ready.
        """
        return {
            pick.id: {
                "version": version,
                "place": pick.rank + 1,
                "of": len(self.rows),
                "lang": pick.lang,
                "slot": pick.slot,
                "uncertainty": pick.uncertainty,
                "reason": pick.reason,
                "neighbours": list(pick.neighbours),
            }
            for pick in self.picks[:EXPLAINED]
        }


@dataclass(frozen=True, kw_only=True)
class Sorter:
    """How one project's pool is put in order.

    Attributes:
        interface: What is labelled.
        options: The project's options.
        key: The project's name; decides which tasks are audit tasks.
        accuracy: Language -> what audit labels say of the model.
        seed: Same seed, same order.
    """

    interface: Interface
    options: ProjectOptions
    key: str
    accuracy: Mapping[str, Mapping[str, float]]
    seed: int

    def order(self, snapshot: Snapshot, cached: Cached, calibration: Calibration | None) -> Order:
        """One row for each waiting task, the one to label next first; those without text last.

        Args:
            snapshot: What waits, and what is labelled.
            cached: Scores of both.
            calibration: Of the model; None: there is none, tasks get a place but no suggestion.
        """
        probabilities = None
        if calibration is not None and snapshot.pool:
            langs = [example.lang for example in snapshot.pool]
            probabilities = calibration.apply(cached.rows(snapshot.pool).logits, langs)
        row_of = {example.id: row for row, example in enumerate(snapshot.pool)}
        n = len(snapshot.open_ids)
        picks = self._select(snapshot, cached, probabilities).picks if snapshot.pool else ()
        rows = []
        for pick in picks:
            label, confidence = None, 0.0
            if probabilities is not None:
                of_task = probabilities[row_of[pick.id]]  # (C,)
                label = snapshot.spec.labels[int(of_task.argmax())]
                confidence = float(of_task.max())
            score = rank_to_score(pick.rank, n)
            rows.append(
                to_row(
                    int(pick.id), self.interface, score=score, label=label, confidence=confidence
                )
            )
        for rank, id in enumerate(snapshot.unusable, start=len(rows)):
            rows.append(to_row(int(id), self.interface, score=rank_to_score(rank, n)))
        return Order(rows=rows, picks=picks)

    def _select(
        self, snapshot: Snapshot, cached: Cached, probabilities: NDArray[np.float64] | None
    ) -> Selection:
        judges = [snapshots.in_audit(e, self.options, self.key) for e in snapshot.pool]
        labelled: dict[str, Any] = {}
        if snapshot.train:
            labelled["labelled_vectors"] = cached.rows(snapshot.train).vectors
            labelled["labelled_langs"] = [example.lang for example in snapshot.train]
            labelled["labelled_ids"] = [example.id for example in snapshot.train]
        pool = Pool(
            ids=[example.id for example in snapshot.pool],
            langs=[example.lang for example in snapshot.pool],
            probabilities=probabilities,
            vectors=cached.rows(snapshot.pool).vectors,
            audit=np.array(judges, np.bool_),
            labelled_counts=dict(Counter(example.lang for example in snapshot.train)),
            audit_counts=dict(Counter(example.lang for example in snapshot.audit)),
            accuracies={lang: float(score["low"]) for lang, score in self.accuracy.items()},
            **labelled,
        )
        return select(pool, self.options.sampler(), np.random.default_rng(self.seed))


def inserted(rows: Sequence[PublishRow], snapshot: Snapshot) -> list[PublishRow]:
    """Of a new order only the tasks that have no place yet, put between those that have one."""
    new = [(at, row) for at, row in enumerate(rows) if str(row.task_id) not in snapshot.scored]
    published = [snapshot.scored[id] for id in snapshot.open_ids if id in snapshot.scored]
    places = [at / max(1, len(rows)) for at, _ in new]
    scores = rounds.insert_scores(published, places)
    return [replace(row, score=score) for (_, row), score in zip(new, scores, strict=True)]
