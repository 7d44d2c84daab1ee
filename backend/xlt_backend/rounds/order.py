"""From scores to the rows that are published: the whole pool in the order of the sampler. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.scripts import held_back
from xlt.payoff.arms import FALLBACK_SHARE
from xlt.review.labels import Recheck
from xlt.sampling.control import lot
from xlt.sampling.select import Pick, Pool, Selection, select
from xlt.sampling.transfer import Transfer
from xlt.tasks.calibration import Calibration
from xlt_backend.labelstudio.convert import PublishRow, to_row
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.scores import insert_scores, rank_to_score
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds import snapshot as snapshots
from xlt_backend.rounds.review import LISTED, Rivals
from xlt_backend.rounds.snapshot import Snapshot
from xlt_backend.trainer.scorecache import Cached

#: Places that are explained in /status, the first ones of the queue: Redis keeps them.
EXPLAINED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A project's queue.

    Attributes:
        rows: One per waiting task and per doubtful label, the one to label next first.
        picks: The waiting tasks, those without text aside, with the reasons for their places.
        of: How many tasks wait.
        rivals: Doubts of labels, beside those of unlabelled tasks.
    """

    rows: Sequence[PublishRow]
    picks: Sequence[Pick]
    of: int
    rivals: Rivals

    def reasons(self, version: str) -> dict[str, dict[str, Any]]:
        """Task id -> why it stands where it stands in the order that `version` is published with.

        Of the first `EXPLAINED` tasks; JSON-ready.
        """
        return {
            pick.id: {
                "version": version,
                "place": pick.rank + 1,
                "of": self.of,
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
        transfer: What labels of the source are worth to the targets; None: not known.
        fallen_back: Whether most tasks are drawn at random, see `xlt.payoff.arms.falls_back`.
    """

    interface: Interface
    options: ProjectOptions
    key: str
    accuracy: Mapping[str, Mapping[str, float]]
    seed: int
    transfer: Transfer | None = None
    fallen_back: bool = False

    def order(
        self,
        snapshot: Snapshot,
        cached: Cached,
        calibration: Calibration | None,
        doubts: Recheck | None = None,
    ) -> Order:
        """One row for each waiting task, the one to label next first; those without text last.

        Tasks that were answered already compete with the others by how doubtful their label is. The
        most doubtful of those that wait for nobody have a row too: Label Studio sorts them by it.

        Args:
            snapshot: What waits, and what is labelled.
            cached: Scores of both.
            calibration: Of the model; None: there is none, tasks get a place but no suggestion.
            doubts: Of the labels; None: tasks that were answered already come last.
        """
        fresh = replace(
            snapshot, pool=tuple(e for e in snapshot.pool if e.id not in snapshot.answers)
        )
        probabilities = _probabilities(fresh.pool, cached, calibration)
        picks = self._select(fresh, cached, probabilities).picks if fresh.pool else ()
        rivals = Rivals(found=doubts)
        if doubts is not None and probabilities is not None:
            rivals = replace(rivals, unlabelled=doubts.unlabelled_doubt(probabilities))
        answered = [e for e in snapshot.pool if e.id in snapshot.answers]
        most = max(LISTED, int(self.options.relabel_share * self.options.batch))
        checked = rivals.finished(snapshot)[:most]
        merged = rivals.merged(picks, [*answered, *checked])
        finished = {text.id for text in checked}
        opened = [pick for pick in merged if pick.id not in finished]
        opened = [replace(pick, rank=rank) for rank, pick in enumerate(opened)]
        suggestions = self._suggestions(snapshot, cached, calibration)
        n = len(snapshot.open_ids)
        rows = [self._row(pick.id, rank_to_score(pick.rank, n), suggestions) for pick in opened]
        for rank, id in enumerate(snapshot.unusable, start=len(rows)):
            rows.append(self._row(id, rank_to_score(rank, n), {}))
        gaps, before = [], 0
        for pick in merged:
            if pick.id in finished:
                gaps.append((pick.id, (before + 0.5) / (n + 1)))
            else:
                before += 1
        scores = insert_scores([row.score for row in rows], [place for _, place in gaps])
        rows += [self._row(id, score, {}) for (id, _), score in zip(gaps, scores, strict=True)]
        return Order(rows=sorted(rows, key=lambda r: r.score), picks=opened, of=n, rivals=rivals)

    def _row(self, id: str, score: float, said: Mapping[str, tuple[str, float]]) -> PublishRow:
        label, confidence = said.get(id, (None, 0.0))
        return to_row(int(id), self.interface, score=score, label=label, confidence=confidence)

    def _suggestions(
        self, snapshot: Snapshot, cached: Cached, calibration: Calibration | None
    ) -> dict[str, tuple[str, float]]:
        """Task id -> label and confidence; who is asked once more answers without a suggestion."""
        again = snapshot.answers if self.options.relabel_share else {}
        shown = [example for example in snapshot.pool if example.id not in again]
        p = _probabilities(shown, cached, calibration)
        if p is None:
            return {}
        best = p.argmax(axis=1).tolist()
        return {
            example.id: (snapshot.spec.labels[label], float(p[row, label]))
            for row, (example, label) in enumerate(zip(shown, best, strict=True))
        }

    def _select(
        self, snapshot: Snapshot, cached: Cached, probabilities: NDArray[np.float64] | None
    ) -> Selection:
        judges = [snapshots.in_audit(e, self.options, self.key) for e in snapshot.pool]
        labelled: dict[str, Any] = {}
        if snapshot.train:
            labelled["labelled_vectors"] = cached.rows(snapshot.train).vectors
            labelled["labelled_langs"] = [example.lang for example in snapshot.train]
            labelled["labelled_ids"] = [example.id for example in snapshot.train]
        ids = [example.id for example in snapshot.pool]
        langs = [example.lang for example in snapshot.pool]
        pool = Pool(
            ids=ids,
            langs=langs,
            held_back=held_back(ids, [example.text for example in snapshot.pool], langs),
            probabilities=probabilities,
            vectors=cached.rows(snapshot.pool).vectors,
            audit=np.array(judges, np.bool_),
            labelled_counts=dict(Counter(example.lang for example in snapshot.train)),
            audit_counts=dict(Counter(example.lang for example in snapshot.audit)),
            accuracies={lang: float(score["low"]) for lang, score in self.accuracy.items()},
            transfer=self.transfer,
            lots=np.array([lot(example.id, salt=self.key) for example in snapshot.pool]),
            **labelled,
        )
        options = self.options.sampler()
        if self.fallen_back:
            options = replace(options, control_share=max(options.control_share, FALLBACK_SHARE))
        return select(pool, options, np.random.default_rng(self.seed))


def _probabilities(
    examples: Sequence[Example], cached: Cached, calibration: Calibration | None
) -> NDArray[np.float64] | None:
    """Class probabilities (N, C); None where there is no model or nothing to ask it."""
    if calibration is None or not examples:
        return None
    return calibration.apply(cached.rows(examples).logits, [example.lang for example in examples])


def inserted(rows: Sequence[PublishRow], snapshot: Snapshot) -> list[PublishRow]:
    """Of a new order only the tasks that have no place yet, put between those that have one."""
    new = [(at, row) for at, row in enumerate(rows) if str(row.task_id) not in snapshot.scored]
    published = [snapshot.scored[id] for id in snapshot.open_ids if id in snapshot.scored]
    places = [at / max(1, len(rows)) for at, _ in new]
    scores = insert_scores(published, places)
    return [replace(row, score=score) for (_, row), score in zip(new, scores, strict=True)]
