"""Step that measures the payoff of labels, and of choosing them instead of drawing them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xlt.data.examples import Example
from xlt.errors import CancelledError, XltError
from xlt.payoff.transfer import transfer_of
from xlt.sampling.transfer import Transfer
from xlt.tasks.probes import has_probe
from xlt_backend.rounds import ledger as ledgers
from xlt_backend.rounds import payoff
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.decide import Decision
from xlt_backend.rounds.forecast import forecast_of
from xlt_backend.rounds.progress import Progress
from xlt_backend.rounds.snapshot import Snapshot

logger = logging.getLogger(__name__)


def measure_transfer(
    progress: Progress, context: Context, train: Sequence[Example], rng: np.random.Generator
) -> Transfer | None:
    """Measures how well source labels teach the target languages.

    Returns:
        None if the quota does not need it, the task has no probes, or it fails; the usual share is
        taken then.
    """
    options = context.options
    if options.quota != "adaptive" or not train:
        return None
    task, sources = context.interface.task, options.source_languages
    if not has_probe(task):
        return None
    return progress.attempt(
        lambda: transfer_of(train, context.vectors(train), task, sources, rng),
        "transfer is not measured",
    )


def measure_payoff(
    progress: Progress, context: Context, snapshot: Snapshot, decision: Decision
) -> None:
    """Measures the payoff; decides whether the next order is drawn at random.

    The new order is published by now: the round succeeds even if this fails.
    """
    progress.enter("measure")
    ledger = ledgers.read(context.versions).settled(snapshot.labelled_at, snapshot.digests)
    try:
        measured = payoff.measure(
            snapshot.train,
            snapshot.audit,
            snapshot.pool,
            context.interface.task,
            ledger,
            context.vectors,
            context.options,
            labelled_at=snapshot.labelled_at,
            salt=context.key,
            rng=np.random.default_rng(decision.seed),
        )
        progress.fence()
        ledgers.write(context.versions, replace(ledger, fallen_back=measured.fallen_back))
    except CancelledError:
        raise
    except XltError as error:
        logger.warning("project %s: payoff is not measured: %s", progress.project, error)
        return
    log = logger.warning if measured.fallen_back else logger.info
    log("project %s: %s", progress.project, measured.words)
    forecasts = forecast_of(context.versions, np.random.default_rng(decision.seed))
    for lang, own in measured.report["languages"].items():
        own["forecast"] = forecasts.get(lang, {"words": payoff.EARLY})
    progress.report(payoff=measured.report)
