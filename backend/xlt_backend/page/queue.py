"""Page *Queue*: the next tasks, why they come next, and what people can do about it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from xlt_backend.options import ProjectOptions
from xlt_backend.page.site import Site
from xlt_backend.page.versions import LOG_LINES
from xlt_backend.rounds.steering import Action, Steering
from xlt_backend.service.queue import Front


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The page's content.

    Attributes:
        front: The next tasks.
        lang: Language that they are filtered by; empty for all.
        slot: Slot that they are filtered by; empty for all.
        steering: What people set.
        option: The option `quota` of the project, for people.
        running: Whether a round runs now.
        log: The last lines of the log, newest first.
    """

    front: Front
    lang: str
    slot: str
    steering: Steering
    option: str
    running: bool
    log: tuple[Action, ...]


def look(site: Site, project: str, *, lang: str, slot: str) -> Shown:
    """Reads what the page shows.

    Raises:
        XltError: If the project is unknown, or if Redis or the store do not answer.
    """
    options = ProjectOptions.from_extra_params(site.service.state(project).extra_params)
    return Shown(
        front=site.controls.front(project, lang=lang, slot=slot),
        lang=lang,
        slot=slot,
        steering=site.controls.steering(project),
        option=quota_words(options.quota),
        running=site.queue.status(project) == "running",
        log=site.versions.log(project)[:LOG_LINES],
    )


def quota_words(quota: str | dict[str, float]) -> str:
    """Returns a quota for people."""
    if isinstance(quota, str):
        return quota
    return ", ".join(f"{lang} {weight:g}" for lang, weight in sorted(quota.items()))


def add(app: FastAPI, site: Site) -> None:
    """Adds the routes of the page."""

    @app.get("/projects/{project}/queue")
    async def queue(request: Request, project: str, lang: str = "", slot: str = "") -> Response:
        await site.known(project)
        shown = await run_in_threadpool(lambda: look(site, project, lang=lang, slot=slot))
        return site.page(
            request, "queue.html", project=project, shown=shown, studio=site.label_studio_url
        )
