"""What a round does beside its order: checks labels, measures their worth, prunes, adapts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.errors import CancelledError, StoreError, XltError
from xlt.review.labels import Recheck
from xlt.sampling.transfer import Transfer, transfer_of
from xlt_backend.names import is_ours
from xlt_backend.rounds import adaptation, payoff, review
from xlt_backend.rounds import ledger as draws
from xlt_backend.rounds.adaptation import Record
from xlt_backend.rounds.course import Context, Course
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.rounds.ledger import Ledger
from xlt_backend.rounds.order import Order
from xlt_backend.rounds.snapshot import Snapshot

logger = logging.getLogger(__name__)

T = TypeVar("T")


def drawn(course: Course, context: Context) -> Ledger:
    """How tasks were drawn; nothing where that cannot be read: it is measured anew then."""
    try:
        return Ledger.from_json(context.versions.note(draws.LEDGER))
    except StoreError as error:
        logger.warning("project %s: %s; what was drawn is forgotten", course.project, error)
        return Ledger()


def _vectors(context: Context, examples: Sequence[Example]) -> NDArray[np.float32]:
    """Of the encoder before it was trained, (N, D)."""
    return context.bench.scores(None, None, examples).rows(examples).vectors


def _if_possible(course: Course, look: Callable[[], T | None], otherwise: str) -> T | None:
    """What `look` finds; None, and a warning, where it fails: tasks wait for the order."""
    try:
        return look()
    except CancelledError:
        raise
    except XltError as error:
        logger.warning("project %s: %s: %s", course.project, otherwise, error)
        return None


def recheck(course: Course, context: Context, snapshot: Snapshot, *, seed: int) -> Recheck | None:
    """Doubts the labels, by vectors of the encoder that none of them trained.

    None where that encoder fails: tasks wait for the order, not for this.
    """
    course.enter("recheck")
    rng = np.random.default_rng(seed)
    return _if_possible(
        course,
        lambda: review.look(snapshot, partial(_vectors, context), rng),
        "labels are not looked at",
    )


def transfer(course: Course, context: Context, snapshot: Snapshot, *, seed: int) -> Transfer | None:
    """What labels of the source are worth to the targets, by the same vectors.

    None where they cannot be had, too: the order takes the usual share then.
    """
    options = context.options
    if options.quota != "adaptive" or not snapshot.train:
        return None
    rng, train = np.random.default_rng(seed), snapshot.train
    return _if_possible(
        course,
        lambda: transfer_of(train, _vectors(context, train), options.source_languages, rng),
        "transfer is not measured",
    )


def show_again(course: Course, context: Context, snapshot: Snapshot, order: Order) -> None:
    """Lists doubtful labels for people, and asks for another answer where that is wanted."""
    rivals = order.rivals
    listed = rivals.listed(snapshot)
    course.report(doubtful=listed, annotators=rivals.annotators())
    if rivals.found is None:
        return
    course.enter("recheck")
    course.fence()
    client = course.tools.label_studio
    client.list_tasks(course.id, review.TAB, [int(item["task"]) for item in listed])
    again = rivals.to_reopen(snapshot, context.options)
    client.reopen(course.id, {int(text.id): len(text.answers) + 1 for text in again})


def measure(course: Course, context: Context, snapshot: Snapshot, data: str) -> None:
    """Measures what labels are worth; decides whether the next order is drawn at random.

    The new order is out, nothing waits for this: where it cannot be done, the round has done
    its work all the same.
    """
    course.enter("measure")

    ledger = drawn(course, context).settled(snapshot.labelled_at)
    try:
        found = payoff.measure(
            snapshot,
            ledger,
            partial(_vectors, context),
            context.options,
            salt=context.key,
            rng=np.random.default_rng(int(data[:8], 16)),
        )
        course.fence()
        ledger = replace(ledger, fallen_back=found.fallen_back)
        context.versions.write_note(draws.LEDGER, ledger.to_json())
    except CancelledError:
        raise
    except XltError as error:
        logger.warning("project %s: what labels are worth: %s", course.project, error)
        return
    say = logger.warning if found.fallen_back else logger.info
    say("project %s: %s", course.project, found.words)
    course.report(payoff=found.report)


def prune(course: Course, context: Context) -> None:
    """Deletes predictions and versions that are not needed any more; only what is ours.

    What has to wait for a quiet hour is left to the round that the reconciler then asks for.
    """
    course.enter("prune")
    client, versions = course.tools.label_studio, context.versions
    shown = client.project(course.id).model_version
    stored = client.versions(course.id)
    ours = {name for name in stored if is_ours(name)}
    old = ours - {shown} if shown in stored else set()  # else none of them can be deleted
    if old:
        foreign = [name for name in stored if name not in ours]
        old -= set(client.prune_predictions(course.id, foreign))
    course.report(shown=shown if shown in ours else "", leftovers=len(old))
    context.bench.forget(versions.prune(context.options.keep_versions))


def adapt(course: Course, context: Context, snapshot: Snapshot, decision: Decision) -> None:
    """Adapts the encoder, or judges it anew, in a quiet hour and until other work is asked for.

    Where labels decide otherwise than before, a training is ordered.
    """
    settings, client, base = course.tools.settings, course.tools.label_studio, context.base
    record, labels = context.record, len(snapshot.train)
    wanted = adaptation.purpose(base, snapshot, context.options, settings)
    due = adaptation.is_due(record, wanted, labels)
    course.report(adaptation_due=due, adaptation="" if wanted is None else record.reason)
    if wanted is None or not due:
        return
    if decision.action is not Action.NOTHING or not client.quiet(course.id):
        return
    course.enter("adapt")
    place = context.bench.folder
    asked, adapted = Record(purpose=wanted, base=base), place / f"adapted-{wanted[:16]}"
    try:
        with course.interruptible():
            found = context.bench.adapt(
                snapshot.train,
                snapshot.pool,
                base,
                adapted=adapted,
                source=adaptation.source_of(snapshot, context.options),
                translations=settings.translations,
                lexicon=settings.lexicon,
            )
        now = adaptation.decided(found, asked, adapted, labels)
    except CancelledError:
        if course.must_stop():
            raise
        return  # it goes on in the next quiet hour
    except XltError as error:
        now = replace(asked, reason=str(error), hopeless=True)
    adaptation.write(place, now)
    adaptation.forget_others(place, adapted)
    logger.info("project %s: adaptation: %s", course.project, now.reason)
    course.report(adaptation=now.reason, adaptation_due=False)
    if adaptation.encoder_of(now, base) != context.config["encoder"]:
        course.tools.states.order(course.project)
