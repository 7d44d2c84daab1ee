"""First step of a round: reads the project and decides what is due."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from xlt.review.people import people
from xlt_backend.labelstudio.client import ProjectInfo
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState
from xlt_backend.rounds import adaptation, named, steering, versions
from xlt_backend.rounds import ledger as ledgers
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.decide import Decision, data_hash, decide
from xlt_backend.rounds.labels import faults_in_words, label_changes
from xlt_backend.rounds.progress import Progress
from xlt_backend.rounds.snapshot import ProjectReading, Snapshot, read_project
from xlt_backend.rounds.unused import by_reason, problems
from xlt_backend.rounds.weeks import weeks_of
from xlt_backend.trainer.workspace import Workspace

logger = logging.getLogger(__name__)

#: File of the working folder with what frozen encoders say of texts.
TEXTS = "texts.sqlite3"
#: Largest number of unusable tasks that the project's state lists.
_LISTED = 100


def look(progress: Progress) -> tuple[Context, Snapshot, Decision]:
    """Reads the project from Label Studio and decides what the round does."""
    progress.enter("snapshot")
    tools = progress.tools
    state = tools.states.get(progress.project)
    tools.states.take_new(progress.project)
    activity = tools.label_studio.activity(progress.id)
    info = tools.label_studio.project(progress.id)
    progress.report(key=info.key, title=info.title, label_config=info.label_config)
    context = _context(progress, info, state)
    tasks = list(tools.label_studio.tasks(progress.id))
    reading = _read(progress, context, info.model_version, tasks)
    context = _named(progress, context, reading.snapshot.languages, tasks)
    steering.keep_first(context.versions, reading.snapshot.open_ids)
    chosen = reading.snapshot.with_first(context.steering.first, context.options, context.key)
    reading = replace(reading, snapshot=chosen)
    decision = _decide(progress, context, reading, state)
    labels, audit_labels = reading.label_counts()
    unused = by_reason(reading.unused)
    progress.report(
        labels=labels,
        audit_labels=audit_labels,
        tasks=reading.tasks,
        open_tasks=len(reading.snapshot.open_ids),
        unusable=dict(list(reading.reasons.items())[:_LISTED]),
        unused=unused,
        people=_people(reading.snapshot),
        weeks=weeks_of(reading.snapshot.labelled, reading.snapshot.labelled_at),
        identified=reading.identified,
        missing=decision.missing,
        changed=decision.changed,
        changes=decision.changes.to_json(),
        label_changes=decision.labels,
        needed=decision.needed,
        due_at=decision.due_at,
        activity=activity,
    )
    progress.forget_reasons(keep=reading.snapshot.open_ids)
    news = reading.identified if reading.identified != state.identified else ""
    for line in filter(None, (news, problems(unused), faults_in_words(decision.labels))):
        logger.warning("project %s: %s", progress.project, line)
    return context, reading.snapshot, decision


def _people(snapshot: Snapshot) -> dict[str, dict[str, dict[str, float]]]:
    """Returns the work of each annotator by language, JSON-ready."""
    langs = {example.id: example.lang for example in (*snapshot.labelled, *snapshot.disputed)}
    found = people(snapshot.task, snapshot.answers, langs)
    return {who: {lang: cell.to_json() for lang, cell in own.items()} for who, own in found.items()}


def _context(progress: Progress, info: ProjectInfo, state: ProjectState) -> Context:
    tools = progress.tools
    extra_params = tools.label_studio.options(progress.id)
    if extra_params is None:  # Label Studio knows xlt by another address: use those of /setup
        extra_params = state.extra_params
    progress.report(extra_params=extra_params)
    store = tools.store.project(info.key)
    set_by_people = steering.read(store)
    options = set_by_people.applied(ProjectOptions.from_extra_params(extra_params))
    interface = Interface.from_options(info.label_config, options)
    config = asdict(options.training(tools.settings.encoder))
    work = tools.settings.home / "work"
    folder = work / info.key
    base, record = config["encoder"], adaptation.read(folder)
    config["encoder"] = adaptation.encoder_of(record, base)
    progress.report(config_error="", notes=list(interface.notes))
    workspace = Workspace(
        folder=folder,
        task=interface.task,
        config=config,
        threads=tools.settings.threads,
        nice=tools.settings.nice,
        run=progress.run_trainer,
        cache=work / TEXTS,
        cache_bytes=tools.settings.text_cache_mb * 2**20,
        trackers=tools.settings.trackers,
        tracker_folder=tools.settings.home / "tensorboard",
    )
    return Context(
        key=info.key,
        options=options,
        interface=interface,
        config=config,
        base=base,
        record=record,
        versions=store,
        workspace=workspace,
        steering=set_by_people,
        forced=state.forced,
    )


def _read(
    progress: Progress, context: Context, shown: str, tasks: Sequence[Mapping[str, Any]]
) -> ProjectReading:
    placed = ((int(task["id"]), task.get("predictions_score")) for task in tasks if shown)
    return read_project(
        tasks,
        context.interface,
        context.options,
        salt=context.key,
        shown=shown,
        scores={id: float(score) for id, score in placed if score is not None},
        identify=progress.tools.identify,
        published=ledgers.read(context.versions).texts(shown),
    )


def _named(
    progress: Progress, context: Context, langs: Sequence[str], tasks: Sequence[Mapping[str, Any]]
) -> Context:
    """Looks up the names in the options; returns the context with those that stand for others."""
    lines = named.unanswered(context.options, langs, tasks)
    progress.report(unanswered=lines)
    for line in lines:
        logger.warning("project %s: %s", progress.project, line)
    return replace(context, options=named.resolve(context.options, langs))


def _decide(
    progress: Progress, context: Context, reading: ProjectReading, state: ProjectState
) -> Decision:
    now, snapshot = progress.tools.now(), reading.snapshot
    known, damaged = versions.known(
        context.versions, failed_hash=state.failed_hash, first_new_at=state.first_new_at
    )
    progress.fault = damaged[0] if damaged else ""
    decision = decide(
        snapshot,
        known,
        context.options,
        data=data_hash(snapshot, context.config),
        forced=state.forced > state.forced_served,
        now=now,
        paused=context.steering.paused,
    )
    active = known.version(known.active)
    labels = label_changes(
        None if active is None else active.task,
        snapshot.task,
        context.options.rename,
        reading.unused,
        snapshot.given,
    )
    decision = replace(decision, labels=labels)
    first = None if decision.changed == 0 else (state.first_new_at or now)
    progress.report(first_new_at=first)
    logger.info("project %s: %s (%s)", progress.project, decision.action.value, decision.reason)
    return decision
