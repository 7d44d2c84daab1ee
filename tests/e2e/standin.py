"""A stand-in for our web server: what Label Studio asks of it, and what was asked."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.stubserver import Answer, Request, Stub, serving
from xlt_backend.labelstudio.wire import SECRET_HEADER

SECRET = "a-shared-secret"


@contextmanager
def standing_in(basic_auth: tuple[str, str] | None = None) -> Iterator[Stub]:
    """Answers /health, /setup, /webhook and /metrics as our server does."""
    heard: Counter[str] = Counter()

    def answer(request: Request) -> Answer:
        path = request.path
        if path == "/health":
            return 200, {"status": "UP", "model_class": "xlt"}
        if path == "/webhook":
            if request.headers.get(SECRET_HEADER.lower()) != SECRET:
                return 401, {"error": "the header is missing"}
            heard[request.body["action"]] += 1
            return 201, {"status": "ok"}
        if basic_auth and request.headers.get("authorization") != basic(*basic_auth):
            return 401, {"error": "Basic auth is missing"}
        if path == "/setup":
            return 200, {"model_version": ""}
        if path == "/metrics":
            lines = [
                f'xlt_events_total{{action="{action}",outcome="ok"}} {count}'
                for action, count in heard.items()
            ]
            return 200, "\n".join(["# TYPE xlt_events_total counter", *lines, ""])
        return 404, {"error": f"no {path}"}

    with serving(answer) as stub:
        yield stub


def basic(user: str, password: str) -> str:
    """The header of Basic auth."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
