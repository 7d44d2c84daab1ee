"""Report of a project: its page as one file that needs no server, and its numbers as JSON."""

from __future__ import annotations

from dataclasses import asdict
from importlib import resources
from typing import Any

from markupsafe import Markup

from xlt import __version__
from xlt_backend.page.project import read_quality, read_versions, read_view, values_of
from xlt_backend.page.site import Site, render
from xlt_backend.page.words import Words
from xlt_backend.service.known import check_known


def report_html(site: Site, project: str, words: Words) -> str:
    """Returns the measurements of a project as HTML with its style, without scripts.

    Raises:
        UnknownProjectError: If xlt does not know the project.
        RedisDownError: If Redis does not answer.
        StoreError: If the store cannot be read.
    """
    check_known(project, site.service.projects())
    style = (resources.files(__package__) / "static" / "style.css").read_text("utf-8")
    values = values_of(site, read_view(site, project), words)
    return render(
        "report.html",
        words,
        style=Markup(style),
        at=site.now(),
        version=__version__,
        printed=True,
        **values,
    )


def report_json(site: Site, project: str) -> dict[str, Any]:
    """Returns what `/status` says of a project in detail, and its versions, oldest first.

    Raises:
        UnknownProjectError: If xlt does not know the project.
        RedisDownError: If Redis does not answer.
        StoreError: If the store cannot be read.
    """
    check_known(project, site.service.projects())
    rows = [asdict(row) for row in reversed(read_versions(site, project))]
    status = site.service.status(project) | {"quality": read_quality(site, project).to_json()}
    return {"status": status, "versions": rows}
