"""Step that orders the waiting tasks, publishes the order, and switches Label Studio to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from xlt.errors import StaleVersionError
from xlt.tasks.relabelling import Relabelling
from xlt_backend.labelstudio.client import Published
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.names import published
from xlt_backend.rounds import ledger as ledgers
from xlt_backend.rounds import versions
from xlt_backend.rounds.changes import same_texts
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.rounds.ledger import Ledger
from xlt_backend.rounds.order import Evidence, Order, inserted, make_order
from xlt_backend.rounds.progress import Progress
from xlt_backend.rounds.snapshot import Snapshot
from xlt_backend.rounds.steps.payoff import measure_transfer
from xlt_backend.rounds.steps.review import review_labels
from xlt_backend.rounds.unused import LISTED, left_out_words

logger = logging.getLogger(__name__)


def publish(progress: Progress, context: Context, snapshot: Snapshot, decision: Decision) -> Order:
    """Orders the waiting tasks and publishes them; a new order is served from then on."""
    model = None if decision.action is Action.START else decision.version
    rename = context.options.rename
    reading = versions.reading_of(context.versions, model, snapshot.task, rename)
    version = _version(progress, model, reading)
    digests = snapshot.digests
    ledger = ledgers.read(context.versions).settled(snapshot.labelled_at, digests)
    evidence = _evidence(progress, context, snapshot, decision)
    evidence = replace(evidence, reading=reading, fallen_back=ledger.fallen_back)
    order = make_order(snapshot, evidence, context.interface, context.options, salt=context.key)
    inserting = decision.action is Action.INSERT
    places = _places(progress, snapshot, version, ledger)
    rows = order.rows if places is None else _inserted(order, snapshot, places)
    progress.enter("publish", total=len(rows))
    progress.fence()
    ledger = ledger.noted(version, order.picks, rows, digests)
    ledgers.write(context.versions, ledger)
    stored = progress.tools.label_studio.publish(progress.id, version, rows)
    _report_left_out(progress, stored, added=inserting)
    progress.explain(order.reasons(version), rows, replace=not inserting)
    if not inserting:
        ledger = ledger.served(version, snapshot.shown, progress.tools.now())
        _switch(progress, context, version, ledger)
        if model is not None and context.versions.current() != model:
            _promote(context, model, decision)
    return order


def show_chosen(
    progress: Progress, context: Context, snapshot: Snapshot, decision: Decision
) -> Snapshot:
    """Publishes the version that a person chose, before another one is trained.

    Returns:
        The snapshot, with what Label Studio shows now.
    """
    publish(
        progress,
        context,
        snapshot,
        replace(decision, action=Action.PUBLISH, version=decision.first),
    )
    shown = progress.tools.label_studio.project(progress.id).model_version
    progress.report(shown=shown, model=decision.first)
    return replace(snapshot, shown=shown)


def _promote(context: Context, model: str, decision: Decision) -> None:
    """Makes the published version the active one, unless a person chose another meanwhile.

    Raises:
        StaleVersionError: If so; the next round shows the version that the person chose.
    """
    try:
        context.versions.promote(model, decision.reason, seen=decision.active)
    except StaleVersionError as error:
        context.versions.refuse(model, str(error))
        raise


def _report_left_out(progress: Progress, stored: Published, *, added: bool) -> None:
    """Reports predictions that bulk import left out; those `added` join those of their order."""
    if added and not (stored.singly or stored.bare):
        return
    before = progress.tools.states.get(progress.project).left_out if added else {}
    tasks = [*before.get("tasks", ()), *map(str, stored.bare)]
    left_out = {
        "singly": before.get("singly", 0) + len(stored.singly),
        "bare": before.get("bare", 0) + len(stored.bare),
        "tasks": list(dict.fromkeys(tasks))[:LISTED],
    }
    if not left_out["singly"] and not left_out["bare"]:
        left_out = {}
    progress.report(left_out=left_out)
    if stored.singly or stored.bare:
        log = logger.warning if stored.bare else logger.info
        log("project %s: %s", progress.project, left_out_words(left_out))


def _version(progress: Progress, model: str | None, reading: Relabelling | None) -> str:
    """Names an order: by its model and the labels that this is read in, if it has one."""
    if model is not None:
        return model if reading is None else published(model, reading.changed)
    return f"start-{datetime.fromtimestamp(progress.tools.now(), UTC):%Y%m%dT%H%M%S}"


def _evidence(
    progress: Progress, context: Context, snapshot: Snapshot, decision: Decision
) -> Evidence:
    """Scores the texts that have no score; reviews the labels if the order is a new one."""
    model = None if decision.action is Action.START else decision.version
    progress.enter("score")
    folder = context.versions.open(model) if model else None
    scores = context.workspace.scores(model, folder, (*snapshot.pool, *snapshot.train))
    progress.enter("select")
    seed = decision.seed
    review = transfer = None
    if model is not None and decision.action is not Action.INSERT:
        labelled = (*snapshot.train, *snapshot.audit, *snapshot.disputed)
        review = review_labels(
            progress, context, labelled, snapshot.answers, np.random.default_rng(seed)
        )
        transfer = measure_transfer(progress, context, snapshot.train, np.random.default_rng(seed))
    return Evidence(
        scores=scores,
        calibration=versions.calibration(context.versions, model) if model else None,
        accuracy=versions.accuracy(context.versions, model),
        review=review,
        transfer=transfer,
        seed=seed,
    )


def _places(
    progress: Progress, snapshot: Snapshot, version: str, ledger: Ledger
) -> dict[str, float] | None:
    """Returns the places that tasks have in an order already, from this or from a killed round.

    Predictions that were published for another text than a task has now are deleted first, and
    those of tasks that people want next, if these are not at the head.

    Returns:
        None if the order is new.
    """
    studio = progress.tools.label_studio
    if not studio.versions(progress.id).get(version):
        return None
    places = {str(task): score for task, score in studio.scores(progress.id, version).items()}
    digests, texts = snapshot.digests, ledger.texts(version)
    stale = {
        id
        for id in snapshot.open_ids
        if id in places and not same_texts(texts.get(id, ""), digests[id])
    }
    if stale:
        logger.info("project %s: the texts of %d tasks were replaced", progress.project, len(stale))
    if snapshot.misplaced:
        stale |= places.keys() & set(snapshot.first)
    if stale:
        progress.fence()
        studio.withdraw(progress.id, version, sorted(map(int, stale)))
    return {id: score for id, score in places.items() if id not in stale}


def _inserted(order: Order, snapshot: Snapshot, places: Mapping[str, float]) -> list[PublishRow]:
    return inserted(order.rows, snapshot.open_ids, places, snapshot.first)


def _switch(progress: Progress, context: Context, version: str, ledger: Ledger) -> None:
    progress.enter("switch")
    progress.fence()
    ledgers.write(context.versions, ledger)
    progress.tools.label_studio.switch(progress.id, version)
