"""One round of a project: look, train, publish, review labels, measure, prune, adapt.

A round may be killed in any step. The next round finds what was saved and repeats the rest: Label
Studio is switched to a version only after all its predictions are stored, and the version becomes
the active one only after that.
"""

from __future__ import annotations

from typing import Any

from xlt.errors import CancelledError
from xlt_backend.rounds import versions
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.rounds.known import comparison_of
from xlt_backend.rounds.labels import after_training
from xlt_backend.rounds.pace import pace_of
from xlt_backend.rounds.ports import Lease, Tools
from xlt_backend.rounds.progress import Progress
from xlt_backend.rounds.snapshot import Snapshot
from xlt_backend.rounds.steps.adapt import adapt
from xlt_backend.rounds.steps.look import look
from xlt_backend.rounds.steps.payoff import measure_payoff
from xlt_backend.rounds.steps.prune import prune
from xlt_backend.rounds.steps.publish import publish, show_chosen
from xlt_backend.rounds.steps.review import drop_suspects, list_suspects
from xlt_backend.rounds.steps.train import train


class Round:
    """One round of one project."""

    def __init__(self, project: str, lease: Lease, tools: Tools) -> None:
        self._progress = Progress(project, lease, tools)

    def run(self) -> Decision:
        """Does what is due in the project; returns what it did.

        Raises:
            XltError: If that failed; the project's state says why, and nothing is left half done.
        """
        try:
            return self._run()
        except CancelledError:
            self._progress.report(phase="cancelled", done=0, total=0, losses={})
            raise
        except Exception as error:
            self._progress.report_failure(error)
            raise

    def _run(self) -> Decision:
        progress = self._progress
        context, snapshot, decision = look(progress)
        drop_suspects(progress, decision.changes)
        if decision.first is not None:
            snapshot = show_chosen(progress, context, snapshot, decision)
        if decision.action is Action.TRAIN:
            decision = train(progress, context, snapshot, decision)
        if decision.action is not Action.NOTHING:
            order = publish(progress, context, snapshot, decision)
            if decision.action is not Action.INSERT:
                list_suspects(progress, context, order.review)
        if decision.trained:
            measure_payoff(progress, context, snapshot, decision)
        prune(progress, context)
        if not context.steering.paused:
            adapt(progress, context, snapshot.train, snapshot.pool, decision)
        _finish(progress, context, snapshot, decision)
        return decision


def _finish(progress: Progress, context: Context, snapshot: Snapshot, decision: Decision) -> None:
    """Reports the end of the round."""
    pace = pace_of(context.options, snapshot.task, len(snapshot.open_ids))
    current, measured = context.versions.current(), context.workspace.measured
    values: dict[str, Any] = {
        "phase": "done",
        "done": 0,
        "total": 0,
        "losses": {},
        "last_error": progress.fault,
        "wait_s": pace.seconds,
        "forced_served": context.forced,
        "model": current or "",
        "accuracy": versions.accuracy(context.versions, current),
    }
    if decision.trained:
        values |= {"changed": 0, "changes": {}, "needed": pace.labels}
        values |= {"due_at": None, "first_new_at": None}
    if decision.trained and decision.version == current:
        values["label_changes"] = after_training(decision.labels)
    if decision.trained or decision.action is not Action.NOTHING:
        values["last_round"] = {
            "trained": decision.trained,
            "action": decision.action.value,
            "reason": decision.reason,
            "version": decision.version,
            "seconds": round(progress.seconds, 3),
            "learner": comparison_of(measured).get("words", ""),
            "phases": measured.get("seconds", {}),
            "peak_rss_bytes": measured.get("peak_rss_bytes"),
            "ended_at": progress.tools.now(),
        }
    progress.report(**values)
    progress.phase = "done"
