"""Routes of the web server, for Label Studio and for people: parse, call a use case, answer."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from xlt.errors import ConfigError, NoVersionError, StoreError, XltError
from xlt_backend.errors import (
    BusyError,
    NotExplainedError,
    NotFoundError,
    NotSearchedError,
    RedisDownError,
    UnknownProjectError,
    UnsupportedConfigError,
)
from xlt_backend.labelstudio.wire import (
    MAX_BODY_BYTES,
    TRAIN_EVENTS,
    HealthAnswer,
    PredictAnswer,
    PredictRequest,
    SetupAnswer,
    SetupRequest,
    VersionsAnswer,
    WebhookAnswer,
    WebhookEvent,
)
from xlt_backend.page.headers import wants_page
from xlt_backend.page.live import Live
from xlt_backend.page.projects import projects_page
from xlt_backend.page.routes import add_pages
from xlt_backend.page.site import Site
from xlt_backend.service.predict import answer_predict
from xlt_backend.service.search import FOUND, Wanted
from xlt_backend.web.guard import Guard, error_answer, unauthorized
from xlt_backend.web.parts import Parts

logger = logging.getLogger(__name__)

#: Largest body of an event in bytes; it holds tasks and annotations.
MAX_EVENT_BYTES = 4 * 1024 * 1024

#: Errors of requests that cannot be answered as they are.
_REFUSED = (ConfigError, UnsupportedConfigError, NotExplainedError, NotSearchedError)

_Body = TypeVar("_Body", bound=BaseModel)


def create_app(parts: Parts, live: Live | None = None) -> FastAPI:
    """Returns the web application; its background work starts when it is served.

    Args:
        parts: What its routes work with.
        live: Streams of the page; None for those that people need.
    """
    site = _site(parts, live or Live())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ended = threading.Event()
        for work in parts.background:
            threading.Thread(target=work, args=(ended,), daemon=True).start()
        yield
        ended.set()

    app = FastAPI(title="xlt", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, parts=parts)
    _root_route(app, site)
    _label_studio_routes(app, parts)
    _people_routes(app, parts)
    _explain_route(app, parts)
    _search_route(app, parts)
    add_pages(app, site)
    _errors(app, site)
    return app


def _site(parts: Parts, live: Live) -> Site:
    return Site(
        service=parts.service,
        queue=parts.queue,
        versions=parts.versions,
        controls=parts.controls,
        secret=parts.secret,
        label_studio_url=parts.label_studio_url,
        explainer=parts.explainer,
        searcher=parts.searcher,
        live=live,
    )


def _root_route(app: FastAPI, site: Site) -> None:
    @app.get("/", response_model=None)
    async def root(request: Request) -> Response | HealthAnswer:
        return await projects_page(site, request) if wants_page(request.headers) else HealthAnswer()


def _label_studio_routes(app: FastAPI, parts: Parts) -> None:
    service = parts.service

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
            return unauthorized("/webhook")
        outcome = await run_in_threadpool(service.handle, event)
        parts.metrics.count_event(event.action, outcome.status)
        answer = WebhookAnswer(status=outcome.status, job=outcome.job)
        return JSONResponse(answer.model_dump(exclude_none=True), status_code=201)

    @app.get("/versions")
    async def versions(project: str | None = None) -> VersionsAnswer:
        return VersionsAnswer(versions=await run_in_threadpool(service.versions, project))


def _predict(parts: Parts, raw: bytes) -> PredictAnswer:
    """Parses and answers a request; in a thread, since the body may hold all tasks of a project."""
    return answer_predict(parts.service, parts.inference, _parse(raw, PredictRequest))


def _people_routes(app: FastAPI, parts: Parts) -> None:
    service = parts.service

    @app.get("/status")
    async def status(
        project: str | None = None, task: str | None = None, detail: bool = False
    ) -> Response:
        def look() -> dict[str, Any]:
            known = service.projects()
            if project is not None and project not in known:
                raise HTTPException(404, f"unknown project {project}; known: {list(known)}")
            if task is not None:
                if project is None:
                    raise HTTPException(400, "task needs its project: ?project=…&task=…")
                return service.why(project, task)
            names = known if project is None else (project,)
            return {"projects": {name: _reported(parts, name, detail) for name in names}}

        return JSONResponse(await run_in_threadpool(look))

    @app.post("/cancel")
    async def cancel(request: Request, project: str) -> Response:
        by = request.state.user or "POST /cancel"
        done = await run_in_threadpool(lambda: parts.controls.cancel(project, by=by))
        return JSONResponse({"status": "ok: the round stops" if done else "nothing runs"})

    @app.get("/metrics")
    async def metrics() -> Response:
        content, kind = await run_in_threadpool(parts.metrics.export)
        return Response(content, media_type=kind)


def _explain_route(app: FastAPI, parts: Parts) -> None:
    @app.get("/explain")
    async def explain(project: str, task: str) -> Response:
        known = await run_in_threadpool(parts.service.projects)
        if project not in known:
            raise HTTPException(404, f"unknown project {project[:40]}; known: {list(known)}")
        return JSONResponse(await run_in_threadpool(parts.explainer.explain, project, task))


def _search_route(app: FastAPI, parts: Parts) -> None:
    @app.get("/search")
    async def search(
        project: str, q: str = "", like: str = "", lang: str = "", limit: int = FOUND
    ) -> Response:
        known = await run_in_threadpool(parts.service.projects)
        if project not in known:
            raise HTTPException(404, f"unknown project {project[:40]}; known: {list(known)}")
        wanted = Wanted(query=q, like=like, lang=lang, limit=limit)
        return JSONResponse(await run_in_threadpool(parts.searcher.search, project, wanted))


def _reported(parts: Parts, project: str, detail: bool) -> dict[str, Any]:
    """Returns a project's status, what runs its active version, and in detail its quality."""
    status = parts.service.status(project)
    status |= {"served": parts.served(status["key"])}
    if detail and status["key"]:
        status["quality"] = parts.versions.quality(project).to_json()
    return status


# Bodies of requests ------------------------------------------------------------------------------


async def _bytes(request: Request, limit: int) -> bytes:
    """Returns the body of a request; refuses one of more than `limit` bytes before reading on."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise HTTPException(413, f"the body has {declared} bytes; the limit is {limit}")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise HTTPException(413, f"the body is longer than the limit of {limit} bytes")
        parts.append(part)
    return b"".join(parts)


async def _read(request: Request, kind: type[_Body], limit: int) -> _Body:
    return _parse(await _bytes(request, limit), kind)


def _parse(raw: bytes, kind: type[_Body]) -> _Body:
    try:
        return kind.model_validate(json.loads(raw))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the body"
        raise HTTPException(400, f"{field}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {str(error)[:200]}") from None


# Errors ------------------------------------------------------------------------------------------


def _errors(app: FastAPI, site: Site) -> None:
    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return _error(site, request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _error(site, request, 400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")

    @app.exception_handler(XltError)
    async def known(request: Request, error: XltError) -> Response:
        logger.error("%s: %s", request.url.path, error)
        return _error(site, request, _status(error), str(error))

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> Response:
        number = secrets.token_hex(4)
        logger.error("%s: error %s", request.url.path, number, exc_info=error)
        return _error(site, request, 500, f"internal error {number}; see the log of xlt")


def _status(error: XltError) -> int:
    """Returns the HTTP status of an error."""
    if isinstance(error, (NoVersionError, UnknownProjectError, NotFoundError)):
        return 404
    if isinstance(error, (RedisDownError, StoreError, BusyError)):
        return 503
    return 400 if isinstance(error, _REFUSED) else 500


def _error(site: Site, request: Request, status: int, message: str) -> Response:
    """Says what went wrong: by a page to browsers, by JSON to others."""
    if wants_page(request.headers):
        return site.error(request, status, message)
    return error_answer(status, message)
