"""One round of a project: snapshot, decide, train, judge, save, score, select, publish, switch.

Every step may be the last one (the process is killed): what is saved is found by the next round,
what is not is done again. Label Studio is switched to a version only when all its predictions are
there, and the version becomes the active one only after that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from xlt.errors import CancelledError, DivergedError, XltError
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState
from xlt_backend.rounds import adaptation, extras
from xlt_backend.rounds import ledger as draws
from xlt_backend.rounds import order as ordering
from xlt_backend.rounds import snapshot as snapshots
from xlt_backend.rounds import versions as versionfiles
from xlt_backend.rounds.course import Context, Course
from xlt_backend.rounds.decide import Action, Decision, data_hash, decide
from xlt_backend.rounds.judge import judge
from xlt_backend.rounds.ledger import Ledger
from xlt_backend.rounds.ports import Right, Tools
from xlt_backend.rounds.snapshot import Snapshot, Taken
from xlt_backend.trainer.bench import Bench

logger = logging.getLogger(__name__)


class Round:
    """One round of one project."""

    def __init__(self, project: str, right: Right, tools: Tools) -> None:
        self._course = Course(project, right, tools)
        self._damaged = ""
        self._trained = False

    def run(self) -> Decision:
        """Does what there is to do; returns what that was.

        Raises:
            XltError: If it could not be done; the state says why, and nothing is half done.
        """
        try:
            return self._run()
        except CancelledError:
            self._course.report(phase="cancelled", done=0, total=0, losses={})
            raise
        except Exception as error:
            words = f"{self._course.phase}: {_in_a_line(error)}"
            self._course.report(
                phase=f"failed in {self._course.phase}",
                done=0,
                total=0,
                losses={},
                last_error=words,
                last_error_at=self._course.tools.now(),
            )
            raise

    def _run(self) -> Decision:
        self._course.enter("snapshot")
        state = self._course.tools.states.get(self._course.project)
        self._course.tools.states.take_new(self._course.project)
        activity = self._course.tools.label_studio.activity(self._course.id)
        context, taken = self._look(state)
        snapshot = taken.snapshot
        data = data_hash(snapshot, context.config)
        decision = self._decide(context, snapshot, state, data)
        self._describe(taken, decision, activity)
        if decision.action is Action.TRAIN:
            decision = self._train(context, snapshot, decision, data)
        if decision.action is not Action.NOTHING:
            self._publish(context, snapshot, decision, data)
        if self._trained:
            extras.measure(self._course, context, snapshot, data)
        extras.prune(self._course, context)
        extras.adapt(self._course, context, snapshot, decision)
        self._finish(context, decision, forced=state.forced)
        return decision

    # What there is ---------------------------------------------------------------------------

    def _look(self, state: ProjectState) -> tuple[Context, Taken]:
        client, tools = self._course.tools.label_studio, self._course.tools
        info = client.project(self._course.id)
        key = info.key
        self._course.report(key=key, title=info.title, label_config=info.label_config)
        extra_params = client.options(self._course.id)
        if extra_params is None:  # known under another address: what /setup said counts
            extra_params = state.extra_params
        self._course.report(extra_params=extra_params)
        options = ProjectOptions.from_extra_params(extra_params)
        interface = Interface.from_label_config(info.label_config)
        config = asdict(options.training(tools.settings.encoder))
        place = tools.settings.home / "work" / key
        base, record = config["encoder"], adaptation.read(place)
        config["encoder"] = adaptation.encoder_of(record, base)
        self._course.report(config_error="", notes=list(interface.notes))
        bench = Bench(
            folder=place,
            spec=interface.spec,
            config=config,
            threads=tools.settings.threads,
            nice=tools.settings.nice,
            run=self._course.run_trainer,
        )
        shown = info.model_version
        taken = snapshots.take(
            client.tasks(self._course.id),
            interface,
            options,
            salt=key,
            shown=shown,
            scores=client.scores(self._course.id, shown) if shown else {},
            identify=tools.identify,
        )
        context = Context(
            key=key,
            options=options,
            interface=interface,
            config=config,
            base=base,
            record=record,
            versions=tools.store.project(key),
            bench=bench,
        )
        return context, taken

    def _decide(
        self, context: Context, snapshot: Snapshot, state: ProjectState, data: str
    ) -> Decision:
        now = self._course.tools.now()
        known, damaged = versionfiles.known(
            context.versions, failed_hash=state.failed_hash, first_new_at=state.first_new_at
        )
        self._damaged = damaged[0] if damaged else ""
        forced = state.forced > state.forced_served
        decision = decide(snapshot, known, context.options, data=data, forced=forced, now=now)
        first = None if decision.changed == 0 else (state.first_new_at or now)
        self._course.report(first_new_at=first)
        logger.info(
            "project %s: %s (%s)", self._course.project, decision.action.value, decision.reason
        )
        return decision

    def _describe(self, taken: Taken, decision: Decision, activity: str) -> None:
        """Tells people, and the web server, what the snapshot showed."""
        labels, audit_labels = taken.label_counts()
        self._course.report(
            labels=labels,
            audit_labels=audit_labels,
            tasks=taken.tasks,
            open_tasks=len(taken.snapshot.open_ids),
            unusable=dict(list(taken.reasons.items())[:100]),
            changed=decision.changed,
            needed=decision.needed,
            due_at=decision.due_at,
            activity=activity,
        )

    # What is made ----------------------------------------------------------------------------

    def _train(
        self, context: Context, snapshot: Snapshot, decision: Decision, data: str
    ) -> Decision:
        """Trains, judges and saves; what to do with the result."""
        self._course.enter("train")
        versions, bench = context.versions, context.bench
        active = versions.current()
        rival = versionfiles.comparable(versions, active, snapshot)
        try:
            folder = bench.train(
                snapshot.train, snapshot.audit, snapshot.pool, data=data, active=rival
            )
        except DivergedError:
            self._course.report(failed_hash=data)
            raise
        self._course.enter("judge")
        verdict = judge(*versionfiles.right_answers(folder, snapshot))
        self._course.enter("save")
        self._course.fence()
        measured = {k: v for k, v in bench.measured.items() if k != "active_error"}
        details = {"reason": decision.reason, "config": context.config, **measured}
        version = versionfiles.save(
            versions, folder, snapshot, data=data, verdict=verdict, details=details
        )
        bench.keep(folder, version, snapshot.train, snapshot.pool)
        self._trained = True
        reason = f"{decision.reason}; {verdict.reason}"
        if not verdict.worse:
            return replace(decision, action=Action.PUBLISH, version=version, reason=reason)
        versions.refuse(version, verdict.reason)
        logger.warning(
            "project %s: %s kept back: %s", self._course.project, version, verdict.reason
        )
        action = Action.INSERT if snapshot.unscored else Action.NOTHING
        return replace(decision, action=action, version=active, reason=reason)

    def _publish(self, context: Context, snapshot: Snapshot, decision: Decision, data: str) -> None:
        """Scores what has no score, puts the pool in order, publishes it and switches to it."""
        model = None if decision.action is Action.START else decision.version
        now = datetime.fromtimestamp(self._course.tools.now(), UTC)
        version = model or f"start-{now:%Y%m%dT%H%M%S}"
        self._course.enter("score")
        folder = context.versions.open(model) if model else None
        cached = context.bench.scores(model, folder, (*snapshot.pool, *snapshot.train))
        self._course.enter("select")
        ledger = extras.drawn(self._course, context).settled(snapshot.labelled_at)
        sorter = ordering.Sorter(
            interface=context.interface,
            options=context.options,
            key=context.key,
            accuracy=versionfiles.accuracy(context.versions, model),
            seed=int(data[:8], 16),
            fallen_back=ledger.fallen_back,
        )
        calibration = versionfiles.calibration(context.versions, model) if model else None
        doubts = None
        if model is not None and decision.action is not Action.INSERT:
            doubts = extras.recheck(self._course, context, snapshot, seed=sorter.seed)
            transfer = extras.transfer(self._course, context, snapshot, seed=sorter.seed)
            sorter = replace(sorter, transfer=transfer)
        order = sorter.order(snapshot, cached, calibration, doubts)
        rows = order.rows
        client, inserting = self._course.tools.label_studio, decision.action is Action.INSERT
        if not inserting and client.versions(self._course.id).get(version):
            # Half an order, of a round that was killed: what is there keeps its place.
            snapshot = replace(snapshot, scored=_by_id(client.scores(self._course.id, version)))
            rows = ordering.inserted(rows, snapshot)
        elif inserting:
            rows = ordering.inserted(rows, snapshot)
        self._course.enter("publish", total=len(rows))
        self._course.fence()
        ledger = ledger.noted(version, order.picks, rows)
        context.versions.write_note(draws.LEDGER, ledger.to_json())
        client.publish(self._course.id, version, rows)
        self._course.explain(order.reasons(version), rows, anew=not inserting)
        if not inserting:
            ledger = ledger.served(version, snapshot.shown, self._course.tools.now())
            self._switch(context, version, model, decision.reason, ledger)
            extras.show_again(self._course, context, snapshot, order)

    def _switch(
        self, context: Context, version: str, model: str | None, reason: str, ledger: Ledger
    ) -> None:
        self._course.enter("switch")
        self._course.fence()
        context.versions.write_note(draws.LEDGER, ledger.to_json())
        client, versions = self._course.tools.label_studio, context.versions
        client.switch(self._course.id, version)
        if model is not None and versions.current() != model:
            versions.promote(model, reason)

    def _finish(self, context: Context, decision: Decision, *, forced: int) -> None:
        current, measured = context.versions.current(), context.bench.measured
        values: dict[str, Any] = {
            "phase": "done",
            "done": 0,
            "total": 0,
            "losses": {},
            "last_error": self._damaged,
            "forced_served": forced,
            "model": current or "",
            "accuracy": versionfiles.accuracy(context.versions, current),
        }
        if self._trained:
            values |= {"changed": 0, "needed": context.options.retrain_after_labels}
            values |= {"due_at": None, "first_new_at": None}
        if self._trained or decision.action is not Action.NOTHING:
            values["last_round"] = {
                "trained": self._trained,
                "action": decision.action.value,
                "reason": decision.reason,
                "version": decision.version,
                "seconds": round(self._course.seconds, 3),
                "phases": measured.get("seconds", {}),
                "peak_rss_bytes": measured.get("peak_rss_bytes"),
                "ended_at": self._course.tools.now(),
            }
        self._course.report(**values)
        self._course.phase = "done"


def _by_id(scores: Mapping[int, float]) -> dict[str, float]:
    return {str(task): score for task, score in scores.items()}


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, XltError) else f"{type(error).__name__}: {text}"
