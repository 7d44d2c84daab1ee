"""Step that trains a model, judges it against the active version, and saves it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from xlt.config import TrainConfig
from xlt.errors import DivergedError
from xlt.models.card import origin
from xlt.store.versions import ProjectStore
from xlt_backend.names import published
from xlt_backend.rounds import versions
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.rounds.judge import judge
from xlt_backend.rounds.known import comparison_of
from xlt_backend.rounds.progress import Progress
from xlt_backend.rounds.snapshot import Snapshot

logger = logging.getLogger(__name__)


def train(progress: Progress, context: Context, snapshot: Snapshot, decision: Decision) -> Decision:
    """Trains, judges and saves a model; returns what to do with it.

    Raises:
        DivergedError: If the training diverged; it is not repeated on the same labels.
    """
    progress.enter("train")
    store, workspace, task = context.versions, context.workspace, snapshot.task
    active = store.current()
    rival = versions.reading_of(store, active, task, context.options.rename)
    compared = active if rival is not None and snapshot.audit else None
    try:
        folder = workspace.train(
            snapshot.train,
            snapshot.audit,
            snapshot.pool,
            data=decision.data,
            active=None if compared is None else store.open(compared),
            sibling=versions.folder_of(store, active),
        )
    except DivergedError:
        progress.report(failed_hash=decision.data)
        raise
    progress.enter("judge")
    credit, rivals = versions.audit_credit(folder, task, snapshot.audit, rival)
    unseen = versions.unseen(store, compared, snapshot.audit)
    judgement = judge(credit[unseen], None if rivals is None else rivals[unseen])
    progress.enter("save")
    progress.fence()
    measured = {k: v for k, v in workspace.measured.items() if k != "active_error"}
    learner, choice = _learner(context, measured)
    if choice:
        logger.info("project %s: %s", progress.project, choice)
    version = versions.save(
        store,
        folder,
        task,
        train=snapshot.train,
        audit=snapshot.audit,
        data=decision.data,
        judgement=judgement,
        encoder=origin(
            context.base,
            adapted=context.config["encoder"] != context.base,
            frozen=learner == "frozen",
        ),
        day=datetime.fromtimestamp(progress.tools.now(), UTC).date(),
        choice=choice,
        details={"reason": decision.reason, "config": context.config, **measured},
    )
    workspace.keep(folder, version, snapshot.train, snapshot.pool)
    reason = f"{decision.reason}; {judgement.reason}"
    if snapshot.unlearned:
        names = ", ".join(map(repr, snapshot.unlearned))
        reason += f"; labels that it cannot learn, because only audit tasks have them: {names}"
        logger.warning("project %s, %s: %s", progress.project, version, reason)
    decision = replace(decision, trained=True, reason=reason)
    if store.current() != active:
        return _overtaken(progress, store, snapshot, decision, version)
    if not judgement.worse:
        return replace(decision, action=Action.PUBLISH, version=version)
    store.refuse(version, judgement.reason)
    logger.warning(
        "project %s: %s is not promoted: %s", progress.project, version, judgement.reason
    )
    action = Action.INSERT if snapshot.unscored else Action.NOTHING
    if active and rival and snapshot.shown != published(active, rival.changed):
        action = Action.PUBLISH
    return replace(decision, action=action, version=active)


def _overtaken(
    progress: Progress,
    store: ProjectStore,
    snapshot: Snapshot,
    decision: Decision,
    version: str,
) -> Decision:
    """Keeps a version back that was judged against one that a person replaced meanwhile."""
    active = store.current()
    why = f"{active} became the active version while it was trained: promote it to use it"
    store.refuse(version, why)
    logger.warning("project %s: %s is not promoted: %s", progress.project, version, why)
    action = Action.PUBLISH if snapshot.open_ids else Action.NOTHING
    return replace(decision, action=action, version=active, active=active)


def _learner(context: Context, measured: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the learner of a training, and why it was chosen; empty if the settings name it."""
    if compared := comparison_of(measured):
        return compared["chosen"], compared["words"]
    return TrainConfig.from_mapping(context.config).resolved().learner, ""
