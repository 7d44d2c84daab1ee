"""Parts of pages that change while people look: server-sent events with their HTML."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Event, Lock
from time import monotonic

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from xlt.errors import XltError
from xlt_backend.page.headers import FRESH

#: Largest number of pages that are followed at the same time.
_STREAMS = 100

Parts = Mapping[str, str]


class _Look:
    """The last look at what several pages show, so that each pays for a part of it only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at = float("-inf")
        self._parts: Parts = {}

    def __call__(self, look: Callable[[], Parts], lasts_s: float) -> Parts:
        """Returns the parts as they were at most `lasts_s` ago, or while another page looks."""
        if monotonic() - self._at >= lasts_s and self._lock.acquire(blocking=False):
            try:
                self._parts = look()
                self._at = monotonic()
            finally:
                self._lock.release()
        return self._parts


@dataclass(frozen=True, kw_only=True)
class Live:
    """Streams of changing parts.

    Attributes:
        every_s: Seconds between two looks.
        lasts_s: Seconds after which a stream ends; the browser opens the next one by itself.
    """

    every_s: float = 1.0
    lasts_s: float = 60.0
    _ended: Event = field(default_factory=Event, repr=False)
    _looks: dict[Hashable, _Look] = field(default_factory=dict, repr=False)
    _free: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_STREAMS), repr=False)

    def stream(self, shown: Hashable, look: Callable[[], Parts]) -> Response:
        """Returns a stream with each part when it has changed, the first time with all.

        If too many pages are followed, it is empty, and the browser asks again later.

        Args:
            shown: Names what is looked at; pages that show the same share their looks.
            look: Returns the HTML of each part by the id of its element.
        """
        headers = {**FRESH, "X-Accel-Buffering": "no"}  # a proxy passes each event on at once
        shared = self._looks.setdefault(shown, _Look())
        events = self._events(lambda: shared(look, self.every_s / 2))
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    def end(self) -> None:
        """Ends all streams within `every_s`, so that the server can stop."""
        self._ended.set()

    async def _events(self, look: Callable[[], Parts]) -> AsyncIterator[str]:
        if not self._free.acquire(blocking=False):
            yield "retry: 30000\n\n"
            return
        sent: dict[str, str] = {}
        try:
            yield "retry: 2000\n\n"
            for _ in range(max(1, round(self.lasts_s / self.every_s))):
                try:
                    parts = await run_in_threadpool(look)
                except XltError:  # Redis is away for a moment: the page keeps what it shows
                    parts = {}
                for id, html in parts.items():
                    if sent.get(id) != html:
                        sent[id] = html
                        yield f"data: {json.dumps({'id': id, 'html': html})}\n\n"
                yield ":\n\n"  # fails if the browser has gone
                await asyncio.sleep(self.every_s)
                if self._ended.is_set():
                    break
        finally:
            self._free.release()
