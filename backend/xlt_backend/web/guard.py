"""Authentication and metrics of every request, before a route handles it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xlt_backend.labelstudio.wire import SECRET_HEADER, ErrorAnswer
from xlt_backend.page.forms import is_own
from xlt_backend.page.headers import wants_page
from xlt_backend.web.credentials import has_password, has_secret
from xlt_backend.web.parts import Parts

logger = logging.getLogger(__name__)

#: Shortest time between two warnings about refused events.
_WARN_EVERY_S = 60.0
_UNAUTHORIZED = 401
#: Methods that change nothing. Pages of other sites can make a browser send the others, with the
#: password that it keeps.
_SAFE = frozenset({"GET", "HEAD"})


class Refusals:
    """Events that came without credentials, and a warning about them now and then.

    Label Studio does not show that its events are refused: without the warning, a person who
    connected xlt by hand would wait for rounds in vain.
    """

    def __init__(self) -> None:
        self._count = 0
        self._warned_s = float("-inf")

    def note(self) -> None:
        """Counts a refused event."""
        self._count += 1
        if time.monotonic() - self._warned_s < _WARN_EVERY_S:
            return
        logger.warning(
            "events without the header %s are refused (%d so far): a webhook was added by hand; "
            "`xlt connect --project ID` corrects it",
            SECRET_HEADER,
            self._count,
        )
        self._warned_s = time.monotonic()


class Guard:
    """Middleware that authenticates, counts and times every request.

    Plain ASGI, since it runs for every request.
    """

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._refusals = Refusals()
        self._open = {"/health", "/"} | ({"/metrics"} if parts.open_metrics else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, path = Request(scope), scope["path"]
        auth = self._parts.basic_auth
        trusted = has_password(request.headers, auth)
        request.state.user = auth[0] if auth and trusted else ""
        if path == "/webhook":
            trusted = trusted or has_secret(request.headers, self._parts.secret)
        # START_TRAINING comes to /webhook without the secret, with the password if one is set.
        request.state.trusted = trusted
        allowed = trusted or auth is None or self._is_open(path, request.headers)
        with self._parts.metrics.answering(path) as note:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    note(message["status"])
                    if path == "/webhook" and message["status"] == _UNAUTHORIZED:
                        self._refusals.note()
                await send(message)

            answer = self._app if allowed else unauthorized(path)
            if request.method not in _SAFE and not is_own(request.headers):
                answer = error_answer(403, f"{path} refuses requests that other sites' pages send")
            await answer(scope, receive, noted)

    def _is_open(self, path: str, headers: Mapping[str, str]) -> bool:
        """Returns whether a request needs no password: `/` tells browsers about projects."""
        return path in self._open and not (path == "/" and wants_page(headers))


def unauthorized(path: str) -> Response:
    """Returns the answer to a request without the credentials that its route needs."""
    needed = f"the header {SECRET_HEADER} or Basic auth" if path == "/webhook" else "Basic auth"
    headers = {} if path == "/webhook" else {"WWW-Authenticate": 'Basic realm="xlt"'}
    return error_answer(401, f"{path} needs {needed}", headers)


def error_answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Returns a response that says what went wrong, in one line."""
    return JSONResponse(ErrorAnswer(error=message).model_dump(), status, headers)
