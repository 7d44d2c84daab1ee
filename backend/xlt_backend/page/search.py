"""Page *Search*: waiting tasks that a query in any language means, to be labelled next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from xlt_backend.errors import BusyError, NotFoundError, NotSearchedError
from xlt_backend.page.names import language_tag
from xlt_backend.page.site import Site
from xlt_backend.service.search import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The content of the page.

    Attributes:
        wanted: What is searched for.
        langs: Number of waiting tasks by language.
        tasks: What is found, as /search answers it.
        note: Why nothing is, in English; empty if something is, or if nothing is searched for.
    """

    wanted: Wanted
    langs: Mapping[str, int]
    tasks: tuple[Mapping[str, Any], ...] = ()
    note: str = ""


def look(site: Site, project: str, wanted: Wanted) -> Shown:
    """Reads the content of the page.

    Raises:
        XltError: If Redis or the store do not answer.
    """
    assert site.searcher is not None, "only reports have none, and no routes"
    langs = site.controls.front(project).langs
    if not wanted.query and not wanted.like:
        return Shown(wanted=wanted, langs=langs)
    try:
        tasks = tuple(site.searcher.search(project, wanted)["tasks"])
    except (BusyError, NotFoundError, NotSearchedError) as error:
        return Shown(wanted=wanted, langs=langs, note=str(error))
    return Shown(wanted=wanted, langs=langs, tasks=tasks)


def add(app: FastAPI, site: Site) -> None:
    """Adds the route of the page."""

    @app.get("/projects/{project}/search")
    async def search(
        request: Request, project: str, q: str = "", like: str = "", lang: str = ""
    ) -> Response:
        await site.known(project)
        wanted = Wanted(query=q, like=like, lang=lang)
        shown = await run_in_threadpool(look, site, project, wanted)
        return site.page(
            request,
            "search.html",
            project=project,
            shown=shown,
            tag=language_tag,
            studio=site.label_studio_url,
        )
