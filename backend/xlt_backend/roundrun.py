"""One round of a project: snapshot, decide, train, judge, save, score, select, publish, switch.

Every step may be the last one (the process is killed): what is saved is found by the next round,
what is not is done again. Label Studio is switched to a version only when all its predictions are
there, and the version becomes the active one only after that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.errors import CancelledError, DivergedError, StoreError, XltError
from xlt.recheck import Recheck
from xlt.schema import Example
from xlt.store import ProjectStore
from xlt_backend import (
    adaptation,
    draws,
    ordering,
    relabelling,
    rounds,
    snapshots,
    versionfiles,
    worth,
)
from xlt_backend.adaptation import Record
from xlt_backend.bench import Bench
from xlt_backend.convert import PublishRow
from xlt_backend.draws import Ledger
from xlt_backend.errors import RedisDownError
from xlt_backend.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.ordering import Order
from xlt_backend.projectstate import ProjectState
from xlt_backend.rounds import Action, Decision, Snapshot
from xlt_backend.roundtools import Right, Tools
from xlt_backend.snapshots import Taken

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a round learned of its project before it began.

    Attributes:
        key: The project's name in the store.
        options: Its options.
        interface: What is labelled.
        config: Hyper-parameters.
        base: The encoder before any adaptation.
        record: What is known of its adaptation.
        versions: Its models.
        bench: Where they are made.
    """

    key: str
    options: ProjectOptions
    interface: Interface
    config: dict[str, Any]
    base: str
    record: Record
    versions: ProjectStore
    bench: Bench


class Round:
    """One round of one project."""

    def __init__(self, project: str, right: Right, tools: Tools) -> None:
        self._project = project
        self._id = int(project)
        self._right = right
        self._tools = tools
        self._begin = time.monotonic()
        self._phase = ""
        self._damaged = ""
        self._trained = False
        self._yields = False  # whether other work may interrupt

    def run(self) -> Decision:
        """Does what there is to do; returns what that was.

        Raises:
            XltError: If it could not be done; the state says why, and nothing is half done.
        """
        try:
            return self._run()
        except CancelledError:
            self._report(phase="cancelled", done=0, total=0, losses={})
            raise
        except Exception as error:
            words = f"{self._phase}: {_in_a_line(error)}"
            self._report(
                phase=f"failed in {self._phase}",
                done=0,
                total=0,
                losses={},
                last_error=words,
                last_error_at=self._tools.now(),
            )
            raise

    def _run(self) -> Decision:
        self._enter("snapshot")
        state = self._tools.states.get(self._project)
        self._tools.states.take_new(self._project)
        activity = self._tools.label_studio.activity(self._id)
        context, taken = self._look(state)
        snapshot = taken.snapshot
        data = rounds.data_hash(snapshot, context.config)
        decision = self._decide(context, snapshot, state, data)
        self._describe(taken, decision, activity)
        if decision.action is Action.TRAIN:
            decision = self._train(context, snapshot, decision, data)
        if decision.action is not Action.NOTHING:
            self._publish(context, snapshot, decision, data)
        if self._trained:
            self._measure(context, snapshot, data)
        self._prune(context)
        self._adapt(context, snapshot, decision)
        self._finish(context, decision, forced=state.forced)
        return decision

    # What there is ---------------------------------------------------------------------------

    def _look(self, state: ProjectState) -> tuple[Context, Taken]:
        client, tools = self._tools.label_studio, self._tools
        info = client.project(self._id)
        key = info.key
        self._report(key=key, title=info.title, label_config=info.label_config)
        extra_params = client.options(self._id)
        if extra_params is None:  # known under another address: what /setup said counts
            extra_params = state.extra_params
        self._report(extra_params=extra_params)
        options = ProjectOptions.from_extra_params(extra_params)
        interface = Interface.from_label_config(info.label_config)
        config = asdict(options.training(tools.settings.encoder))
        place = tools.settings.home / "work" / key
        base, record = config["encoder"], adaptation.read(place)
        config["encoder"] = adaptation.encoder_of(record, base)
        self._report(config_error="", notes=list(interface.notes))
        bench = Bench(
            folder=place,
            spec=interface.spec,
            config=config,
            threads=tools.settings.threads,
            nice=tools.settings.nice,
            run=self._run_trainer,
        )
        shown = info.model_version
        taken = snapshots.take(
            client.tasks(self._id),
            interface,
            options,
            salt=key,
            shown=shown,
            scores=client.scores(self._id, shown) if shown else {},
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
        now = self._tools.now()
        known, damaged = versionfiles.known(
            context.versions, failed_hash=state.failed_hash, first_new_at=state.first_new_at
        )
        self._damaged = damaged[0] if damaged else ""
        forced = state.forced > state.forced_served
        decision = rounds.decide(
            snapshot, known, context.options, data=data, forced=forced, now=now
        )
        first = None if decision.changed == 0 else (state.first_new_at or now)
        self._report(first_new_at=first)
        logger.info("project %s: %s (%s)", self._project, decision.action.value, decision.reason)
        return decision

    def _describe(self, taken: Taken, decision: Decision, activity: str) -> None:
        """Tells people, and the web server, what the snapshot showed."""
        labels, audit_labels = taken.label_counts()
        self._report(
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
        self._enter("train")
        versions, bench = context.versions, context.bench
        active = versions.current()
        rival = versionfiles.comparable(versions, active, snapshot)
        try:
            folder = bench.train(snapshot, data=data, active=rival)
        except DivergedError:
            self._report(failed_hash=data)
            raise
        self._enter("judge")
        verdict = rounds.judge(*versionfiles.right_answers(folder, snapshot))
        self._enter("save")
        self._fence()
        measured = {k: v for k, v in bench.measured.items() if k != "active_error"}
        details = {"reason": decision.reason, "config": context.config, **measured}
        version = versionfiles.save(
            versions, folder, snapshot, data=data, verdict=verdict, details=details
        )
        bench.keep(folder, version, snapshot)
        self._trained = True
        reason = f"{decision.reason}; {verdict.reason}"
        if not verdict.worse:
            return replace(decision, action=Action.PUBLISH, version=version, reason=reason)
        versions.refuse(version, verdict.reason)
        logger.warning("project %s: %s kept back: %s", self._project, version, verdict.reason)
        action = Action.INSERT if snapshot.unscored else Action.NOTHING
        return replace(decision, action=action, version=active, reason=reason)

    def _publish(self, context: Context, snapshot: Snapshot, decision: Decision, data: str) -> None:
        """Scores what has no score, puts the pool in order, publishes it and switches to it."""
        model = None if decision.action is Action.START else decision.version
        now = datetime.fromtimestamp(self._tools.now(), timezone.utc)
        version = model or f"start-{now:%Y%m%dT%H%M%S}"
        self._enter("score")
        folder = context.versions.open(model) if model else None
        cached = context.bench.scores(model, folder, (*snapshot.pool, *snapshot.train))
        self._enter("select")
        ledger = self._ledger(context).settled(snapshot.labelled_at)
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
            doubts = self._recheck(context, snapshot, seed=sorter.seed)
        order = sorter.order(snapshot, cached, calibration, doubts)
        rows = order.rows
        client, inserting = self._tools.label_studio, decision.action is Action.INSERT
        if not inserting and client.versions(self._id).get(version):
            # Half an order, of a round that was killed: what is there keeps its place.
            snapshot = replace(snapshot, scored=_by_id(client.scores(self._id, version)))
            rows = ordering.inserted(rows, snapshot)
        elif inserting:
            rows = ordering.inserted(rows, snapshot)
        self._enter("publish", total=len(rows))
        self._fence()
        ledger = ledger.noted(version, order.picks, rows)
        context.versions.write_note(draws.LEDGER, ledger.to_json())
        client.publish(self._id, version, rows)
        self._explain(order.reasons(version), rows, anew=not inserting)
        if not inserting:
            ledger = ledger.served(version, snapshot.shown, self._tools.now())
            self._switch(context, version, model, decision.reason, ledger)
            self._show_again(context, snapshot, order)

    def _recheck(self, context: Context, snapshot: Snapshot, *, seed: int) -> Recheck | None:
        """Doubts the labels, by vectors of the encoder that none of them trained.

        None where that encoder fails: tasks wait for the order, not for this.
        """
        self._enter("recheck")

        def vectors(examples: Sequence[Example]) -> NDArray[np.float32]:
            return context.bench.scores(None, None, examples).rows(examples).vectors

        try:
            return relabelling.look(snapshot, vectors, np.random.default_rng(seed))
        except CancelledError:
            raise
        except XltError as error:
            logger.warning("project %s: labels are not looked at: %s", self._project, error)
            return None

    def _show_again(self, context: Context, snapshot: Snapshot, order: Order) -> None:
        """Lists doubtful labels for people, and asks for another answer where that is wanted."""
        rivals = order.rivals
        listed = rivals.listed(snapshot)
        self._report(doubtful=listed, annotators=rivals.annotators())
        if rivals.found is None:
            return
        self._enter("recheck")
        self._fence()
        client = self._tools.label_studio
        client.list_tasks(self._id, relabelling.TAB, [int(item["task"]) for item in listed])
        again = rivals.to_reopen(snapshot, context.options)
        client.reopen(self._id, {int(text.id): len(text.answers) + 1 for text in again})

    def _switch(
        self, context: Context, version: str, model: str | None, reason: str, ledger: Ledger
    ) -> None:
        self._enter("switch")
        self._fence()
        context.versions.write_note(draws.LEDGER, ledger.to_json())
        client, versions = self._tools.label_studio, context.versions
        client.switch(self._id, version)
        if model is not None and versions.current() != model:
            versions.promote(model, reason)

    def _ledger(self, context: Context) -> Ledger:
        """How tasks were drawn; nothing where that cannot be read: it is measured anew then."""
        try:
            return Ledger.from_json(context.versions.note(draws.LEDGER))
        except StoreError as error:
            logger.warning("project %s: %s; what was drawn is forgotten", self._project, error)
            return Ledger()

    def _measure(self, context: Context, snapshot: Snapshot, data: str) -> None:
        """Measures what labels are worth; decides whether the next order is drawn at random.

        The new order is out, nothing waits for this: where it cannot be done, the round has done
        its work all the same.
        """
        self._enter("measure")

        def vectors(examples: Sequence[Example]) -> NDArray[np.float32]:
            return context.bench.scores(None, None, examples).rows(examples).vectors

        ledger = self._ledger(context).settled(snapshot.labelled_at)
        try:
            found = worth.measure(
                snapshot,
                ledger,
                vectors,
                context.options,
                salt=context.key,
                rng=np.random.default_rng(int(data[:8], 16)),
            )
            self._fence()
            ledger = replace(ledger, fallen_back=found.fallen_back)
            context.versions.write_note(draws.LEDGER, ledger.to_json())
        except CancelledError:
            raise
        except XltError as error:
            logger.warning("project %s: what labels are worth: %s", self._project, error)
            return
        say = logger.warning if found.fallen_back else logger.info
        say("project %s: %s", self._project, found.words)
        self._report(payoff=found.report)

    def _prune(self, context: Context) -> None:
        """Deletes predictions and versions that are not needed any more; only what is ours.

        What has to wait for a quiet hour is left to the round that the reconciler then asks for.
        """
        self._enter("prune")
        client, versions = self._tools.label_studio, context.versions
        shown = client.project(self._id).model_version
        stored = client.versions(self._id)
        ours = {name for name in stored if rounds.is_ours(name)}
        old = ours - {shown} if shown in stored else set()  # else none of them can be deleted
        if old:
            foreign = [name for name in stored if name not in ours]
            old -= set(client.prune_predictions(self._id, foreign))
        self._report(shown=shown if shown in ours else "", leftovers=len(old))
        context.bench.forget(versions.prune(context.options.keep_versions))

    def _adapt(self, context: Context, snapshot: Snapshot, decision: Decision) -> None:
        """Adapts the encoder, or judges it anew, in a quiet hour and until other work is asked for.

        Where labels decide otherwise than before, a training is ordered.
        """
        settings, client, base = self._tools.settings, self._tools.label_studio, context.base
        record, labels = context.record, len(snapshot.train)
        wanted = adaptation.purpose(base, snapshot, context.options, settings)
        due = adaptation.is_due(record, wanted, labels)
        self._report(adaptation_due=due, adaptation="" if wanted is None else record.reason)
        if wanted is None or not due:
            return
        if decision.action is not Action.NOTHING or not client.quiet(self._id):
            return
        self._enter("adapt")
        place = context.bench.folder
        asked, adapted = Record(purpose=wanted, base=base), place / f"adapted-{wanted[:16]}"
        self._yields = True
        try:
            source = adaptation.source_of(snapshot, context.options)
            found = context.bench.adapt(
                snapshot, base, adapted=adapted, source=source,
                translations=settings.translations, lexicon=settings.lexicon,
            )  # fmt: skip
            now = adaptation.decided(found, asked, adapted, labels)
        except CancelledError:
            if self._must_stop():
                raise
            return  # it goes on in the next quiet hour
        except XltError as error:
            now = replace(asked, reason=str(error), hopeless=True)
        finally:
            self._yields = False
        adaptation.write(place, now)
        adaptation.forget_others(place, adapted)
        logger.info("project %s: adaptation: %s", self._project, now.reason)
        self._report(adaptation=now.reason, adaptation_due=False)
        if adaptation.encoder_of(now, base) != context.config["encoder"]:
            self._tools.states.order(self._project)

    # The process, the state, the right -------------------------------------------------------

    def _run_trainer(self, folder: Path) -> dict[str, Any]:
        spent = time.monotonic() - self._begin
        return self._tools.trainer(
            folder,
            timeout_s=max(1.0, self._tools.settings.round_timeout_s - spent),
            on_progress=self._progress,
            should_stop=self._should_stop,
        )

    def _progress(self, said: Mapping[str, Any]) -> None:
        self._report(
            phase=str(said.get("phase")),
            done=int(said.get("done") or 0),
            total=int(said.get("total") or 0),
            losses=said.get("losses") or {},
        )

    def _should_stop(self) -> bool:
        return self._must_stop() or (self._yields and self._right.others_wait())

    def _must_stop(self) -> bool:
        return self._right.lost or self._tools.stopping() or self._right.cancelled()

    def _fence(self) -> None:
        """Goes on only as long as no other worker runs a round of this project.

        Raises:
            CancelledError: If one does, or this round is to stop.
        """
        try:
            if not self._right.renew():
                raise CancelledError("another worker took this round over")
        except RedisDownError as error:
            logger.warning("project %s: %s; nobody can take over either", self._project, error)
        if self._should_stop():
            raise CancelledError("the round was asked to stop")

    def _enter(self, phase: str, *, total: int = 0) -> None:
        self._phase = phase
        self._report(phase=phase, done=0, total=total, losses={})

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
                "seconds": round(time.monotonic() - self._begin, 3),
                "phases": measured.get("seconds", {}),
                "peak_rss_bytes": measured.get("peak_rss_bytes"),
                "ended_at": self._tools.now(),
            }
        self._report(**values)
        self._phase = "done"

    def _explain(
        self, reasons: Mapping[str, Any], rows: Sequence[PublishRow], *, anew: bool
    ) -> None:
        """Tells Redis why the tasks of these rows stand where they stand."""
        said = {id: reasons[id] for id in (str(row.task_id) for row in rows) if id in reasons}
        try:
            self._tools.states.explain(self._project, said, anew=anew)
        except RedisDownError as error:
            logger.warning("project %s: not explained: %s", self._project, error)

    def _report(self, **values: Any) -> None:  # noqa: ANN401 - fields of ProjectState
        """Tells Redis; a round does not end because nobody can read about it."""
        try:
            self._tools.states.put(self._project, **values)
        except RedisDownError as error:
            logger.warning("project %s: not reported: %s", self._project, error)


def _by_id(scores: Mapping[int, float]) -> dict[str, float]:
    return {str(task): score for task, score in scores.items()}


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, XltError) else f"{type(error).__name__}: {text}"
