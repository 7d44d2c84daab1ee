"""Parts of pages that change while people look: server-sent events with their HTML."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from xlt.errors import XltError
from xlt_backend.page.headers import FRESH

#: Largest number of pages that are followed at the same time.
_STREAMS = 100


@dataclass(frozen=True, kw_only=True)
class Live:
    """Streams of changing parts.

    Attributes:
        every_s: Seconds between two looks.
        lasts_s: Seconds after which a stream ends; the browser opens the next one by itself.
    """

    every_s: float = 1.0
    lasts_s: float = 60.0
    _free: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_STREAMS), repr=False)

    def stream(self, look: Callable[[], Mapping[str, str]]) -> Response:
        """Returns a stream with each part when it has changed, the first time with all.

        Args:
            look: Returns the HTML of each part by the id of its element.

        If too many pages are followed, it is empty, and the browser asks again later.
        """
        headers = {**FRESH, "X-Accel-Buffering": "no"}  # a proxy passes each event on at once
        return StreamingResponse(
            self._events(look), media_type="text/event-stream", headers=headers
        )

    async def _events(self, look: Callable[[], Mapping[str, str]]) -> AsyncIterator[str]:
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
        finally:
            self._free.release()
