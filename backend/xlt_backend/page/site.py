"""The site: templates, words, headers and forms of all pages, and the use cases behind them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from importlib import resources
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from xlt_backend.page import forms
from xlt_backend.page.headers import FRESH
from xlt_backend.page.live import Live
from xlt_backend.page.names import language_name
from xlt_backend.page.words import Words, catalogues, choose
from xlt_backend.service.controls import Controls
from xlt_backend.service.events import Service
from xlt_backend.service.explain import Explainer
from xlt_backend.service.known import utc
from xlt_backend.service.ports import RoundQueue
from xlt_backend.service.search import Searcher
from xlt_backend.service.versions import Versions

#: Pages of each project: key of the name, and end of the address.
SECTIONS = (
    ("project.menu", ""),
    ("review.menu", "/review"),
    ("versions.menu", "/versions"),
    ("queue.menu", "/queue"),
    ("search.menu", "/search"),
    ("people.menu", "/annotators"),
)

#: Field of an address that chooses the language of the page.
_LANGUAGE = "page-language"
_COOKIE, _YEAR_S = "xlt-language", 365 * 24 * 3600
#: Name of people in the log if the server asks for no password.
_WITHOUT_NAME = "the page"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The use cases that pages show and call, and what every page needs.

    Attributes:
        service: Status of projects.
        queue: Queue of rounds.
        versions: Use cases about versions.
        controls: Use cases that steer a project.
        secret: Secret of this server, which forms are bound to.
        label_studio_url: Address at which browsers reach Label Studio, for links.
        explainer: Reasons for suggestions; None in reports.
        searcher: Finds waiting tasks; None in reports.
        live: Streams of the parts of pages that change.
        now: Returns seconds since the epoch.
    """

    service: Service
    queue: RoundQueue
    versions: Versions
    controls: Controls
    secret: str = field(repr=False)
    label_studio_url: str
    explainer: Explainer | None = None
    searcher: Searcher | None = None
    live: Live = field(default_factory=Live)
    now: Callable[[], float] = time.time

    # Answers ----------------------------------------------------------------------------------

    def page(
        self, request: Request, template: str, status: int = 200, **values: object
    ) -> Response:
        """Returns a page.

        Args:
            request: The request.
            template: Name of the template.
            status: HTTP status.
            values: Values for the template, beside those of every page.
        """
        words = self.words(request)
        token = forms.make_token(self.secret, _user(request), self.now())
        html = render(
            template,
            words,
            path=request.url.path,
            languages=tuple(catalogues().values()),
            sections=SECTIONS,
            token=token,
            **values,
        )
        response = HTMLResponse(html, status, headers={**FRESH, "Content-Language": words.lang})
        if request.query_params.get(_LANGUAGE) == words.lang:
            response.set_cookie(_COOKIE, words.lang, max_age=_YEAR_S, httponly=True, samesite="lax")
        return response

    def error(self, request: Request, status: int, message: str) -> Response:
        """Returns a page that says what went wrong."""
        return self.page(request, "error.html", status, code=status, message=message)

    def see(self, address: str) -> Response:
        """Sends the browser to a page of this server, after a form was handled."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or not address.startswith("/"):
            raise AssertionError(f"expected a path of this server, got {address!r}")
        return RedirectResponse(address, 303, headers=FRESH)

    # Requests ---------------------------------------------------------------------------------

    def words(self, request: Request) -> Words:
        """Returns the texts in the language of a request."""
        return choose(
            request.query_params.get(_LANGUAGE),
            request.cookies.get(_COOKIE),
            request.headers.get("accept-language", ""),
        )

    def person(self, request: Request) -> str:
        """Returns the name of the person who sends a request, for the log of who did what."""
        return _user(request) or _WITHOUT_NAME

    async def form(self, request: Request) -> dict[str, str]:
        """Reads a form that one of our pages sent for this person.

        Raises:
            HTTPException: 403 if another page sent it; 400 or 413 if it cannot be read.
        """
        return await forms.read_form(request, self.secret, _user(request), self.now())

    async def known(self, project: str) -> None:
        """Checks that xlt knows a project.

        Raises:
            HTTPException: 404 if xlt does not know it.
            RedisDownError: If Redis does not answer.
        """
        known = await run_in_threadpool(self.service.projects)
        if project not in known:
            names = ", ".join(known) or "none"
            raise HTTPException(404, f"unknown project {project[:40]}; known: {names}")


def render(template: str, words: Words, /, **values: object) -> str:
    """Returns a template as HTML in the language of these words."""
    name = partial(language_name, lang=words.lang)
    return _environment().get_template(template).render(t=words, name=name, **values)


def asset(name: str) -> str:
    """Returns the address of a static file, which changes with its content."""
    return f"/static/{name}?{_digest(name)}"


@cache
def _digest(name: str) -> str:
    content = (resources.files(__package__) / "static" / name).read_bytes()
    return sha256(content).hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(str(__package__)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    environment.filters |= {"iso": utc, "day_time": _day_time}
    return environment


def _day_time(seconds: float) -> str:
    """Returns a time for people, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _user(request: Request) -> str:
    """Returns the user whose password the guard has checked; empty without one."""
    return str(getattr(request.state, "user", ""))
