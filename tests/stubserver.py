"""A web server of a few lines, for tests that need the other end of a connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


#: Status and body; text is sent as it is, anything else as JSON.
Answer = tuple[int, Any]


@dataclass(kw_only=True)
class Stub:
    """A running server.

    Attributes:
        url: Its address.
        requests: What arrived so far.
    """

    url: str
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def paths(self, method: str) -> list[str]:
        """Paths of the requests with this method."""
        return [request.path for request in self.requests if request.method == method]

    def wait_for(self, wanted: Callable[[Request], bool], timeout_s: float = 10.0) -> Request:
        """The first request that is wanted, which may be still to come."""
        with self.arrived:
            found = self.arrived.wait_for(
                lambda: next((r for r in self.requests if wanted(r)), None), timeout_s
            )
        assert found is not None, f"not among {self.requests}"
        return found


@contextmanager
def serving(answer: Callable[[Request], Answer]) -> Iterator[Stub]:
    """Serve `answer` on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(method=self.command, path=self.path, headers=headers, body=body)
            with stub.arrived:
                stub.requests.append(request)
                stub.arrived.notify_all()
            status, said = answer(request)
            content = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
