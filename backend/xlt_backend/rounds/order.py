"""Order of a project's waiting tasks: from scores to the rows that are published. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xlt.data.examples import Example
from xlt.payoff.shadow import FALLBACK_SHARE
from xlt.review.labels import Review
from xlt.sampling.build import ModelView, Tasks, build_pool
from xlt.sampling.control import random_key
from xlt.sampling.select import Pick, Pool, SamplerOptions, select
from xlt.sampling.transfer import Transfer
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Scores
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.relabelling import Relabelling
from xlt.tasks.task import Suggestion
from xlt_backend.labelstudio.convert import PublishRow, to_row
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.scores import insert_scores, queue_scores
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.review import LISTED, ReviewQueue
from xlt_backend.rounds.snapshot import Snapshot, in_audit
from xlt_backend.trainer.scorecache import Cached

#: Number of places, from the front of the queue, that /status explains: Redis keeps them.
EXPLAINED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """The facts that an order rests on, beside the tasks.

    Attributes:
        scores: Scores of the pool and of the training examples.
        calibration: Of the model; None without a model: tasks get a place but no suggestion.
        reading: The reading of the model in the labels of now; None for the same labels.
        accuracy: Language -> the model's accuracy on audit labels.
        review: The review of the labels; None: tasks that have an answer come last.
        transfer: How well source labels teach the target languages; None if unknown.
        fallen_back: Whether most tasks are drawn at random, see `xlt.payoff.shadow.falls_back`.
        seed: Same seed, same order.
    """

    scores: Cached
    calibration: Calibration | None = None
    reading: Relabelling | None = None
    accuracy: Mapping[str, Mapping[str, float]]
    review: Review | None = None
    transfer: Transfer | None = None
    fallen_back: bool = False
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The queue of a project.

    Attributes:
        rows: One per waiting task and per suspect label, the one to label next first.
        picks: The waiting tasks that have a text, with the reasons for their places.
        waiting: Number of waiting tasks.
        review: The labelled tasks among them, and the finished ones.
    """

    rows: Sequence[PublishRow]
    picks: Sequence[Pick]
    waiting: int
    review: ReviewQueue

    def reasons(self, version: str) -> dict[str, dict[str, Any]]:
        """Maps the first `EXPLAINED` tasks to the reasons for their places, JSON-ready.

        Args:
            version: The version that the order is published as.
        """
        return {
            pick.id: {
                "version": version,
                "place": pick.rank + 1,
                "of": self.waiting,
                "lang": pick.lang,
                "slot": pick.slot,
                "uncertainty": pick.uncertainty,
                "reason": pick.reason,
                "neighbours": list(pick.neighbours),
            }
            for pick in self.picks[:EXPLAINED]
        }


def make_order(
    snapshot: Snapshot,
    evidence: Evidence,
    interface: Interface,
    options: ProjectOptions,
    *,
    salt: str,
) -> Order:
    """Orders the waiting tasks, the one to label next first; those without text come last.

    Those that people want next come before all others, which are ordered as if these did not wait.
    Tasks that have an answer compete with the others by how suspect their label is. The most
    suspect finished tasks get a row too: Label Studio sorts the tab that lists them by its score.

    Args:
        snapshot: The waiting and the labelled tasks.
        evidence: Scores and measurements.
        interface: The labelling interface.
        options: The project's options.
        salt: The project's name; decides which tasks are audit tasks.
    """
    scores = evidence.scores.rows(snapshot.pool)
    predictions = _predictions(snapshot, scores, evidence)
    taken = {*snapshot.answers, *snapshot.first}
    unlabelled = [row for row, e in enumerate(snapshot.pool) if e.id not in taken]
    picks: Sequence[Pick] = ()
    if unlabelled:
        pool = _pool(unlabelled, scores, predictions, snapshot, evidence, options, salt)
        rng = np.random.default_rng(evidence.seed)
        picks = select(pool, _sampler(options, evidence), rng).picks
    review = ReviewQueue.build(
        evidence.review,
        pool=snapshot.pool,
        audit=snapshot.audit,
        answers=snapshot.answers,
        beliefs=None if predictions is None else predictions.beliefs.take(unlabelled),
    )
    finished = {text.id for text in review.finished[: _most_finished(options)]}
    merged = [*_chosen(snapshot, predictions), *review.merged(picks, len(finished))]
    opened = [pick for pick in merged if pick.id not in finished]
    waiting = len(snapshot.open_ids)
    places = queue_scores([pick.id for pick in merged], snapshot.unusable, finished, waiting)
    suggestions = _suggestions(snapshot, predictions, options)
    texts = {example.id: example.texts for example in snapshot.pool}
    rows = [
        to_row(
            int(id),
            interface,
            score=place,
            suggestion=suggestions.get(id),
            texts=texts.get(id, ()),
        )
        for id, place in places.items()
    ]
    return Order(
        rows=sorted(rows, key=lambda row: row.score),
        picks=[replace(pick, rank=rank) for rank, pick in enumerate(opened)],
        waiting=waiting,
        review=review,
    )


def inserted(
    rows: Sequence[PublishRow],
    open_ids: Sequence[str],
    places: Mapping[str, float],
    first: Collection[str] = (),
) -> list[PublishRow]:
    """Keeps the rows of tasks that have no place yet, with scores between those that have one.

    Args:
        rows: A new order.
        open_ids: All waiting tasks.
        places: Task id -> published score.
        first: Ids of tasks that come before all others.
    """
    new = [
        (0 if str(row.task_id) in first else at, row)
        for at, row in enumerate(rows)
        if str(row.task_id) not in places
    ]
    published = [places[id] for id in open_ids if id in places]
    scores = insert_scores(published, [at / max(1, len(rows)) for at, _ in new])
    return [replace(row, score=score) for (_, row), score in zip(new, scores, strict=True)]


def _chosen(snapshot: Snapshot, predictions: Predictions | None) -> list[Pick]:
    """Returns the tasks that people want next; they were not drawn, so they have no chance."""
    rows = {example.id: row for row, example in enumerate(snapshot.pool)}
    return [
        Pick(
            id=id,
            lang=snapshot.pool[rows[id]].lang,
            rank=rank,
            slot="chosen",
            uncertainty=None if predictions is None else float(predictions.uncertainty[rows[id]]),
            reason="chosen by people",
        )
        for rank, id in enumerate(snapshot.first)
    ]


def _predictions(snapshot: Snapshot, scores: Scores, evidence: Evidence) -> Predictions | None:
    """Makes the predictions of the pool; None without a model or without a pool."""
    calibration, reading = evidence.calibration, evidence.reading
    if calibration is None or not snapshot.pool:
        return None
    langs = [example.lang for example in snapshot.pool]
    if reading is None:
        return interpret(snapshot.task, scores, langs, calibration)
    return reading.read(interpret(reading.source, scores, langs, calibration))


def _pool(
    unlabelled: Sequence[int],
    scores: Scores,
    predictions: Predictions | None,
    snapshot: Snapshot,
    evidence: Evidence,
    options: ProjectOptions,
    salt: str,
) -> Pool:
    """Builds the sampler's pool of the unlabelled rows of the snapshot's pool."""
    examples = [snapshot.pool[row] for row in unlabelled]
    train = snapshot.train
    model = None
    if predictions is not None:
        uncertainty = predictions.uncertainty[np.array(unlabelled, dtype=np.intp)]
        model = ModelView(uncertainty=uncertainty, measure=snapshot.task.measures[0])
    return build_pool(
        _tasks(examples, scores.take(unlabelled)),
        _tasks(train, evidence.scores.rows(train)) if train else None,
        audit=np.array([in_audit(e, options, salt) for e in examples], np.bool_),
        model=model,
        judged_langs=[example.lang for example in snapshot.audit],
        accuracies={lang: float(score["low"]) for lang, score in evidence.accuracy.items()},
        transfer=evidence.transfer,
        random_keys=np.array([random_key(example.id, salt=salt) for example in examples]),
    )


def _tasks(examples: Sequence[Example], scores: Scores) -> Tasks:
    return Tasks(
        ids=[example.id for example in examples],
        langs=[example.lang for example in examples],
        texts=[example.input for example in examples],
        vectors=scores.vectors,
    )


def _sampler(options: ProjectOptions, evidence: Evidence) -> SamplerOptions:
    sampler = options.sampler()
    if not evidence.fallen_back:
        return sampler
    return replace(sampler, control_share=max(sampler.control_share, FALLBACK_SHARE))


def _most_finished(options: ProjectOptions) -> int:
    """Returns the number of finished tasks that get a row."""
    return max(LISTED, int(options.relabel_share * options.batch))


def _suggestions(
    snapshot: Snapshot, predictions: Predictions | None, options: ProjectOptions
) -> dict[str, Suggestion]:
    """Maps tasks to the model's suggestion; a second annotator answers without one."""
    if predictions is None:
        return {}
    hidden = snapshot.answers if options.relabel_share else {}
    pairs = zip(snapshot.pool, predictions.suggestions, strict=True)
    return {example.id: suggestion for example, suggestion in pairs if example.id not in hidden}
