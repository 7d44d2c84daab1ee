"""Last step of a round in an idle project: adapts the encoder to the project's languages."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from xlt.data.examples import Example
from xlt.errors import CancelledError, XltError
from xlt_backend.rounds import adaptation
from xlt_backend.rounds.adaptation import Record
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.rounds.progress import Progress

logger = logging.getLogger(__name__)


def adapt(
    progress: Progress,
    context: Context,
    train: Sequence[Example],
    pool: Sequence[Example],
    decision: Decision,
) -> None:
    """Adapts the encoder, or judges the adaptation again, until other work is requested.

    If the labels choose another encoder than before, a training is requested.
    """
    settings, base, record = progress.tools.settings, context.base, context.record
    purpose = adaptation.purpose(base, (*train, *pool), context.options, settings)
    due = adaptation.is_due(record, purpose, len(train))
    progress.report(adaptation_due=due, adaptation="" if purpose is None else record.reason)
    if purpose is None or not due:
        return
    if decision.action is not Action.NOTHING or not progress.tools.label_studio.quiet(progress.id):
        return
    progress.enter("adapt")
    new = _adapted(progress, context, train, pool, Record(purpose=purpose, base=base))
    if new is None:
        return
    logger.info("project %s: adaptation: %s", progress.project, new.reason)
    progress.report(adaptation=new.reason, adaptation_due=False)
    if adaptation.encoder_of(new, base) != context.config["encoder"]:
        progress.tools.states.request_training(progress.project)


def _adapted(
    progress: Progress,
    context: Context,
    train: Sequence[Example],
    pool: Sequence[Example],
    asked: Record,
) -> Record | None:
    """Makes and judges the adaptation, and keeps its record; None if it was interrupted."""
    folder, settings = context.workspace.folder, progress.tools.settings
    adapted = folder / f"adapted-{asked.purpose[:16]}"
    try:
        with progress.interruptible():
            result = context.workspace.adapt(
                train,
                pool,
                asked.base,
                adapted=adapted,
                source=adaptation.source_of((*train, *pool), context.options),
                translations=settings.translations,
                lexicon=settings.lexicon,
            )
        record = adaptation.decided(result, asked, adapted, len(train))
    except CancelledError:
        if progress.must_stop():
            raise
        return None  # a later round goes on with it
    except XltError as error:
        record = replace(asked, reason=str(error), hopeless=True)
    adaptation.write(folder, record)
    adaptation.forget_others(folder, adapted)
    return record
