"""Streams: only what changed, bounded, and alive while Redis is away."""

from __future__ import annotations

import asyncio

from xlt_backend.errors import RedisDownError
from xlt_backend.page import live
from xlt_backend.page.live import Live


def read(stream: Live, look) -> list[str]:
    """The data lines of a whole stream."""

    async def all_of() -> list[str]:
        return [str(part) async for part in stream.stream("page", look).body_iterator]

    return [part for part in asyncio.run(all_of()) if part.startswith("data: ")]


def test_a_part_is_sent_when_it_has_changed():
    """Five looks, three different pages: three events."""
    looks = iter([{"a": "1"}, {"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "3"}])

    assert len(read(Live(every_s=0.001, lasts_s=0.005), lambda: next(looks))) == 3


def test_the_stream_goes_on_when_redis_is_back():
    """A page that is open while Redis restarts loses nothing."""
    looks = iter([{"a": "1"}, None, {"a": "2"}])

    def look() -> dict[str, str]:
        found = next(looks)
        if found is None:
            raise RedisDownError("Redis does not answer")
        return found

    assert len(read(Live(every_s=0.001, lasts_s=0.003), look)) == 2


def test_the_number_of_streams_is_bounded(monkeypatch):
    """One more is empty and asked for again later; an ended one makes room."""
    monkeypatch.setattr(live, "_STREAMS", 1)
    stream = Live(every_s=0.001, lasts_s=0.001)

    async def both() -> list[list[str]]:
        first = stream.stream("page", lambda: {"a": "1"}).body_iterator
        begun = [str(await anext(first))]
        second = [
            str(part) async for part in stream.stream("page", lambda: {"a": "1"}).body_iterator
        ]
        begun += [str(part) async for part in first]
        third = [
            str(part) async for part in stream.stream("page", lambda: {"a": "1"}).body_iterator
        ]
        return [begun, second, third]

    first, second, third = asyncio.run(both())
    assert first == third
    assert second == ["retry: 30000\n\n"]


def test_pages_that_show_the_same_share_their_looks(monkeypatch):
    """A hundred viewers of 50 projects cost what one does."""
    monkeypatch.setattr(live, "monotonic", lambda: 5.0)
    looks = []
    stream = Live(every_s=0.001, lasts_s=0.003)

    async def follow(shown: str) -> list[str]:
        def look() -> dict[str, str]:
            looks.append(shown)
            return {"a": shown}

        return [str(part) async for part in stream.stream(shown, look).body_iterator]

    async def many() -> list[list[str]]:
        return await asyncio.gather(*(follow(shown) for shown in "xxxxxy"))

    found = asyncio.run(many())

    assert sorted(looks) == ["x", "y"]
    assert '"html": "y"' in "".join(found[-1])


def test_streams_end_when_the_server_stops():
    """An open page does not keep the server from stopping."""
    stream = Live(every_s=0.001, lasts_s=1000)

    async def follow() -> int:
        parts = 0
        async for _ in stream.stream("page", lambda: {"a": "1"}).body_iterator:
            parts += 1
            if parts == 5:
                stream.end()
        return parts

    assert asyncio.run(asyncio.wait_for(follow(), 20)) < 10
