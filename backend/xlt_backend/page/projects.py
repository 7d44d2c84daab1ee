"""Page *Projects*: what each learns, how far it is, and what stops it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from xlt.errors import StoreError, XltError
from xlt_backend.errors import UnknownProjectError
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.page.phases import Phase, phase_of
from xlt_backend.page.site import Site, render
from xlt_backend.page.troubles import Trouble, troubles_of
from xlt_backend.page.words import Words
from xlt_backend.queue.state import ProjectState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A project at a glance.

    Attributes:
        id: Label Studio's id.
        title: Title in Label Studio; empty before the first round.
        kind: Kind of task that it learns; empty if its interface cannot be learned.
        labels: Labels of the task.
        measure: Name of what accuracy means for this kind, such as `F1`.
        version: The active version; empty before the first.
        missing: Answers that are missing before a model can be trained, in words; may be empty.
        phase: Phase of its round.
        troubles: Errors, each with its fix.
        trained: Number of labels that train, in all languages.
        audit: Number of labels that judge, in all languages.
        languages: Number of languages with labels.
        open_tasks: Number of tasks that wait for annotators.
        tasks: Number of all tasks.
        paused_by: Person who paused it; empty if it is not paused.
    """

    id: str
    title: str
    kind: str
    labels: tuple[str, ...]
    measure: str
    version: str
    missing: str
    phase: Phase
    troubles: tuple[Trouble, ...]
    trained: int
    audit: int
    languages: int
    open_tasks: int
    tasks: int
    paused_by: str = ""


def summary_of(id: str, state: ProjectState, queue: str) -> Summary:
    """Returns a project at a glance, without the decisions of people.

    Args:
        id: Label Studio's id.
        state: Its state.
        queue: Status of its rounds.
    """
    kind, labels, measure = _learned(state.label_config, _as_text(state.extra_params))
    counts, audit = state.labels, state.audit_labels
    return Summary(
        id=id,
        title=state.title,
        kind=kind,
        labels=labels,
        measure=measure,
        version=state.model,
        missing=state.missing,
        phase=phase_of(state, queue),
        troubles=troubles_of(state),
        trained=sum(counts.values()),
        audit=sum(audit.values()),
        languages=len({lang for part in (counts, audit) for lang, n in part.items() if n}),
        open_tasks=state.open_tasks,
        tasks=state.tasks,
    )


def look(site: Site, project: str) -> Summary:
    """Reads a project at a glance; from Redis alone, since pages do so every second.

    Raises:
        RedisDownError: If Redis does not answer.
    """
    return summary_of(project, site.service.state(project), site.queue.status(project))


def with_people(site: Site, project: Summary) -> Summary:
    """Adds what people decided about a project; nothing if its store cannot be read."""
    try:
        return replace(project, paused_by=site.controls.steering(project.id).paused_by)
    except UnknownProjectError:  # its first round is to come
        return project
    except StoreError as error:
        logger.warning("the page does not know whether %s is paused: %s", project.id, error)
        return project


def progress(site: Site, projects: Sequence[str], words: Words) -> dict[str, str]:
    """Returns the part of each project that changes during a round, by its id in the page.

    Raises:
        RedisDownError: If Redis does not answer.
    """
    return {
        f"progress-{id}": render("progress.html", words, project=look(site, id)) for id in projects
    }


def add(app: FastAPI, site: Site) -> None:
    """Adds the routes of the page; `/` answers it to browsers."""

    @app.get("/projects")
    async def projects(request: Request) -> Response:
        return await projects_page(site, request)

    @app.get("/events")
    async def events(request: Request, project: str | None = None) -> Response:
        words = site.words(request)
        if project is not None:
            await site.known(project)

        def changing() -> dict[str, str]:
            shown = site.service.projects() if project is None else (project,)
            return progress(site, shown, words)

        return site.live.stream((project, words.lang), changing)


async def projects_page(site: Site, request: Request) -> Response:
    """Answers with the page."""

    def read() -> list[Summary]:
        return [with_people(site, look(site, project)) for project in site.service.projects()]

    summaries = await run_in_threadpool(read)
    return site.page(request, "projects.html", projects=summaries)


def _as_text(extra_params: object) -> str:
    if extra_params is None or isinstance(extra_params, str):
        return extra_params or ""
    return json.dumps(extra_params)


@lru_cache(maxsize=256)
def _learned(label_config: str, extra_params: str) -> tuple[str, tuple[str, ...], str]:
    """Returns kind, labels and measure of an interface; empty if it cannot be learned."""
    try:
        options = ProjectOptions.from_extra_params(extra_params)
        interface = Interface.from_options(label_config, options)
    except XltError:
        return "", (), ""
    return interface.task.kind, interface.labels, interface.task.measure
