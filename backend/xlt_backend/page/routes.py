"""Routes of all pages, and their static files."""

from __future__ import annotations

from importlib import resources

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from xlt_backend.page import (
    actions,
    annotators,
    project,
    projects,
    queue,
    review,
    search,
    task,
    versions,
)
from xlt_backend.page.headers import SECURITY
from xlt_backend.page.site import Site

#: Content type of each static file that is served.
_STATIC = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
#: The address of a file changes with its content.
_CACHED = {"Cache-Control": "private, max-age=31536000, immutable"}


def add_pages(app: FastAPI, site: Site) -> None:
    """Adds all pages to the web server."""
    for page in (projects, project, review, versions, queue, search, annotators, task, actions):
        page.add(app, site)

    @app.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _STATIC:
            raise HTTPException(404, f"no static file {name[:40]}")
        content = (resources.files(__package__) / "static" / name).read_bytes()
        return Response(content, headers={**SECURITY, **_CACHED}, media_type=_STATIC[name])
