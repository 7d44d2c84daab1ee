"""A bounded stream of HTTP requests at a fixed rate, and how long each answer took."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Requests of one kind.

    Attributes:
        name: What the result is called.
        method: HTTP method.
        path: Path on the service.
        rate_per_s: Requests begun per second, whether or not earlier ones were answered.
        body: Makes the JSON body of the i-th request; None for none.
        headers: Further headers.
        accept: Whether an answer's body is what was asked for.
    """

    name: str
    method: str
    path: str
    rate_per_s: float
    body: Callable[[int], object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accept: Callable[[bytes], bool] = lambda answer: True


@dataclass(slots=True, kw_only=True)
class Latencies:
    """What a stream met: seconds from the moment a request was due, and failures."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def percentile_ms(self, q: float) -> float:
        """The q-th percentile (0-100), nearest rank, in milliseconds."""
        if not self.seconds:
            return float("nan")
        ordered = sorted(self.seconds)
        rank = max(0, min(len(ordered) - 1, -(-int(q * len(ordered)) // 100) - 1))
        return 1000 * ordered[rank]

    def summary(self) -> dict[str, float]:
        """Count, failures and percentiles, for JSON."""
        return {
            "requests": len(self.seconds) + self.failed,
            "failed": self.failed,
            "p50_ms": round(self.percentile_ms(50), 2),
            "p99_ms": round(self.percentile_ms(99), 2),
            "max_ms": round(self.percentile_ms(100), 2),
        }


def basic(user: str, password: str) -> dict[str, str]:
    """The Authorization header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def run(url: str, stream: Stream, until: Callable[[], bool], *, threads: int = 8) -> Latencies:
    """Send one stream's requests, each on a connection of its own, until told to stop.

    A request that had to wait for a free thread counts from when it was due (no coordinated
    omission).
    """
    found = Latencies()
    lock = threading.Lock()
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        i = 0
        while not until():
            due = begun + i / stream.rate_per_s
            time.sleep(max(0.0, due - time.perf_counter()))
            pool.submit(_one, url, stream, i, due, found, lock)
            i += 1
    return found


def _one(
    url: str, stream: Stream, i: int, due: float, found: Latencies, lock: threading.Lock
) -> None:
    ok = False
    host = urlsplit(url).netloc
    body = json.dumps(stream.body(i)).encode() if stream.body else None
    headers = {"Content-Type": "application/json", **stream.headers}
    try:
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request(stream.method, stream.path, body, headers)
        answer = connection.getresponse()
        body_read = answer.read()
        ok = answer.status < 300 and stream.accept(body_read)
        connection.close()
    except OSError:
        ok = False
    seconds = time.perf_counter() - due
    with lock:
        if ok:
            found.seconds.append(seconds)
        else:
            found.failed += 1
