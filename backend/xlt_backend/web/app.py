"""The web server: the routes that Label Studio and people call. Thin: parse, call, answer."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xlt.errors import ConfigError, NoVersionError, StoreError, XltError
from xlt_backend.errors import RedisDownError, UnsupportedConfigError
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.wire import (
    MAX_BODY_BYTES,
    SECRET_HEADER,
    TRAIN_EVENTS,
    HealthAnswer,
    PredictAnswer,
    PredictRequest,
    SetupAnswer,
    SetupRequest,
    VersionsAnswer,
    WebhookAnswer,
    WebhookEvent,
    WireResult,
)
from xlt_backend.options import ProjectOptions
from xlt_backend.service.events import Service
from xlt_backend.service.predict import Inference
from xlt_backend.web.metrics import Measures

logger = logging.getLogger(__name__)

#: Largest body of an event; Label Studio sends tasks and annotations with it.
MAX_EVENT_BYTES = 4 * 1024 * 1024

_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the routes work with.

    Attributes:
        service: The use cases.
        inference: Answers /predict.
        measures: Counts and times.
        secret: Shared secret of the webhooks.
        basic_auth: User and password of all other routes; None: open.
        open_metrics: /metrics asks for no password.
        background: Run in threads while the server runs; each ends when its event is set.
    """

    service: Service
    inference: Inference
    measures: Measures
    secret: str
    basic_auth: tuple[str, str] | None = None
    open_metrics: bool = False
    background: Sequence[Callable[[threading.Event], None]] = ()


def create_app(parts: Parts) -> FastAPI:
    """The web application; does no work before it is served."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ended = threading.Event()
        for work in parts.background:
            threading.Thread(target=work, args=(ended,), daemon=True).start()
        yield
        ended.set()

    app = FastAPI(title="xlt", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, parts=parts)
    _label_studio_routes(app, parts)
    _people_routes(app, parts)
    _errors(app)
    return app


def _label_studio_routes(app: FastAPI, parts: Parts) -> None:
    service = parts.service

    @app.get("/")
    @app.get("/health")
    async def health() -> HealthAnswer:
        return HealthAnswer()

    @app.post("/setup")
    async def setup(request: Request) -> SetupAnswer:
        body = await _read(request, SetupRequest, MAX_EVENT_BYTES)
        return SetupAnswer(model_version=await run_in_threadpool(service.setup, body))

    @app.post("/predict")
    async def predict(request: Request) -> PredictAnswer:
        raw = await _bytes(request, MAX_BODY_BYTES)
        return await run_in_threadpool(_predict, parts, raw)

    @app.post("/webhook")
    async def webhook(request: Request) -> Response:
        event = await _read(request, WebhookEvent, MAX_EVENT_BYTES)
        if not request.state.trusted and event.action not in TRAIN_EVENTS:
            return _refused("/webhook")
        heard = await run_in_threadpool(service.hear, event)
        parts.measures.heard(event.action, heard.status)
        answer = WebhookAnswer(status=heard.status, job=heard.job)
        return JSONResponse(answer.model_dump(exclude_none=True), status_code=201)

    @app.get("/versions")
    async def versions(project: str | None = None) -> VersionsAnswer:
        return VersionsAnswer(versions=await run_in_threadpool(service.versions, project))


def _predict(parts: Parts, raw: bytes) -> PredictAnswer:
    """Parses and answers in a thread: a body with all tasks of a project is large."""
    return answer_predict(parts, _parse(raw, PredictRequest))


def answer_predict(parts: Parts, body: PredictRequest) -> PredictAnswer:
    """As many results as tasks, in their order; empty ones where nothing can be said."""
    project = str(body.project_id) if body.project_id is not None else ""
    key, label_config, options = body.project or "", body.label_config, ProjectOptions()
    try:
        state = parts.service.state(project)
        options = ProjectOptions.from_extra_params(state.extra_params)
        key, label_config = state.key or key, label_config or state.label_config
    except (RedisDownError, ConfigError) as error:
        logger.warning("/predict of project %s goes on without its options: %s", project, error)
    try:
        interface = Interface.from_label_config(label_config or "")
    except UnsupportedConfigError as error:
        logger.info("/predict of project %s answered empty: %s", project, error)
        return PredictAnswer(results=[WireResult() for _ in body.tasks])
    with parts.measures.predicting(len(body.tasks)):
        return parts.inference.predict(key, body.tasks, interface, options)


def _people_routes(app: FastAPI, parts: Parts) -> None:
    service = parts.service

    @app.get("/status")
    async def status(project: str | None = None, task: str | None = None) -> Response:
        def look() -> dict[str, Any]:
            known = service.projects()
            if project is not None and project not in known:
                raise HTTPException(404, f"project {project} is not known; known: {list(known)}")
            if task is not None:
                if project is None:
                    raise HTTPException(
                        400, "a task is asked for with its project: project=…&task=…"
                    )
                return service.why(project, task)
            names = known if project is None else (project,)
            return {"projects": {name: service.status(name) for name in names}}

        return JSONResponse(await run_in_threadpool(look))

    @app.post("/cancel")
    async def cancel(project: str) -> Response:
        done = await run_in_threadpool(service.cancel, project)
        return JSONResponse({"status": "ok: the round stops" if done else "nothing runs"})

    @app.get("/metrics")
    async def metrics() -> Response:
        content, kind = await run_in_threadpool(parts.measures.exposed)
        return Response(content, media_type=kind)


# Who may ask ------------------------------------------------------------------------------------


class Guard:
    """Lets requests through that may ask, counts and times all of them. Plain ASGI: it is hot."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._open = {"/health", "/"} | ({"/metrics"} if parts.open_metrics else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, path = Request(scope), scope["path"]
        trusted = has_password(request.headers, self._parts.basic_auth)
        if path == "/webhook":
            trusted = trusted or has_secret(request.headers, self._parts.secret)
        # The order to train comes to /webhook too, and with the password only where there is one.
        request.state.trusted = trusted
        allowed = trusted or path in self._open or self._parts.basic_auth is None
        with self._parts.measures.answering(path) as note:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    note(message["status"])
                await send(message)

            answer = self._app if allowed else _refused(path)
            await answer(scope, receive, noted)


def _refused(path: str) -> Response:
    what = f"the header {SECRET_HEADER} or Basic auth" if path == "/webhook" else "Basic auth"
    headers = {} if path == "/webhook" else {"WWW-Authenticate": 'Basic realm="xlt"'}
    return JSONResponse({"error": f"{path} needs {what}"}, status_code=401, headers=headers)


def has_secret(headers: Mapping[str, str], secret: str) -> bool:
    """Whether a request has the webhooks' shared secret."""
    given = headers.get(SECRET_HEADER, "")
    return bool(given) and hmac.compare_digest(given.encode(), secret.encode())


def has_password(headers: Mapping[str, str], expected: tuple[str, str] | None) -> bool:
    """Whether a request has this user and password (Basic auth); never where there is none."""
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if expected is None or kind.lower() != "basic":
        return False
    try:
        given = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, ":".join(expected).encode())


# What is asked ----------------------------------------------------------------------------------


async def _bytes(request: Request, limit: int) -> bytes:
    """The body, as far as it may go; nothing more is read."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise HTTPException(413, f"the body has {declared} bytes; at most {limit} are read")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise HTTPException(413, f"the body is longer than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


async def _read(request: Request, kind: type[_Body], limit: int) -> _Body:
    return _parse(await _bytes(request, limit), kind)


def _parse(raw: bytes, kind: type[_Body]) -> _Body:
    try:
        return kind.model_validate(json.loads(raw))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise HTTPException(400, f"{where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {str(error)[:200]}") from None


# What goes wrong --------------------------------------------------------------------------------


def _errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return JSONResponse({"error": str(error.detail)}, status_code=error.status_code)

    @app.exception_handler(XltError)
    async def known(request: Request, error: XltError) -> Response:
        status = 500
        if isinstance(error, RedisDownError):
            status = 503
        elif isinstance(error, NoVersionError):
            status = 404
        elif isinstance(error, StoreError):
            status = 503
        elif isinstance(error, (ConfigError, UnsupportedConfigError)):
            status = 400
        logger.error("%s: %s", request.url.path, error)
        return JSONResponse({"error": str(error)}, status_code=status)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> Response:
        number = secrets.token_hex(4)
        logger.error("%s: error %s", request.url.path, number, exc_info=error)
        words = f"internal error {number}: the log of xlt says more"
        return JSONResponse({"error": words}, status_code=500)
