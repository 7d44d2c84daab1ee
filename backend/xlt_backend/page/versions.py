"""Page *Versions*: what each version is, how two differ, and the files of one to take away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache, partial

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from markupsafe import Markup

from xlt.disk.archive import zipped
from xlt_backend.page.headers import FRESH
from xlt_backend.page.site import Site, render
from xlt_backend.page.words import Words, catalogues
from xlt_backend.rounds.steering import Action
from xlt_backend.service.rows import Row

#: Lines of the log that pages show.
LOG_LINES = 50
#: Tasks that two versions are compared on; `xlt versions compare` takes all.
COMPARED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The page's content.

    Attributes:
        rows: All versions, newest first.
        active: The active version; None before the first.
        before: The version that a roll-back goes to; None if there is none.
        log: The last lines of the log, newest first.
    """

    rows: tuple[Row, ...]
    active: str | None
    before: str | None
    log: tuple[Action, ...]

    def can_go(self, row: Row) -> bool:
        """Returns whether a version can be deleted: it is neither active nor the newest."""
        return row.name not in (self.active, self.rows[0].name)


def look(site: Site, project: str) -> Shown:
    """Reads what the page shows.

    Raises:
        XltError: If the project is unknown, or if Redis or the store do not answer.
    """
    active, before = site.versions.active(project)
    return Shown(
        rows=site.versions.all(project),
        active=active,
        before=before,
        log=site.versions.log(project)[:LOG_LINES],
    )


def scores_html(words: Words, row: Row) -> Markup:
    """Returns labels and accuracy of a version by language as HTML."""
    numbers = json.dumps([dict(row.labels), {k: dict(v) for k, v in row.accuracy.items()}])
    return _scores_html(words.lang, row.name, numbers)


@lru_cache(maxsize=512)  # they never change, and a page has a table for each version
def _scores_html(lang: str, name: str, numbers: str) -> Markup:
    labels, accuracy = json.loads(numbers)
    row = {"name": name, "labels": labels, "accuracy": accuracy}
    return Markup(render("scores.html", catalogues()[lang], row=row))


def add(app: FastAPI, site: Site) -> None:
    """Adds the routes of the page."""

    @app.get("/projects/{project}/versions")
    async def versions(request: Request, project: str) -> Response:
        await site.known(project)
        shown = await run_in_threadpool(look, site, project)
        scores = partial(scores_html, site.words(request))
        return site.page(request, "versions.html", project=project, shown=shown, scores=scores)

    @app.get("/projects/{project}/versions/compare")
    async def compare(request: Request, project: str, one: str = "", other: str = "") -> Response:
        await site.known(project)
        found = await run_in_threadpool(
            lambda: site.versions.compare(project, one, other, most=COMPARED)
        )
        return site.page(
            request, "compare.html", project=project, found=found, studio=site.label_studio_url
        )

    @app.get("/projects/{project}/versions/{version}/download")
    async def download(request: Request, project: str, version: str) -> Response:
        await site.known(project)
        name, folder = await run_in_threadpool(
            lambda: site.versions.folder(project, version, by=site.person(request))
        )
        headers = {**FRESH, "Content-Disposition": f'attachment; filename="{name}.zip"'}
        return StreamingResponse(
            zipped(folder, name), media_type="application/zip", headers=headers
        )
