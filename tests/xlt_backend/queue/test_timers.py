"""Work that repeats: it survives its errors and is done by one process at a time."""

from __future__ import annotations

import logging
import threading

from xlt.errors import XltError
from xlt_backend.queue.state import StateStore
from xlt_backend.queue.timers import by_one_process, every


def test_it_repeats_until_it_is_ended_whatever_happens(caplog):
    """Errors of ours are told once, others with their traceback; the timer goes on."""
    ended = threading.Event()
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) < 4:
            raise XltError("Redis does not answer")
        if len(calls) == 4:
            raise ZeroDivisionError
        ended.set()

    with caplog.at_level(logging.WARNING):
        every(0.001, work)(ended)

    assert len(calls) == 5
    assert caplog.text.count("Redis does not answer") == 1
    assert "ZeroDivisionError" in caplog.text


def test_one_process_at_a_time(redis):
    """Who comes within the term of another does nothing."""
    calls: list[str] = []
    states = StateStore(redis)
    first = by_one_process(states, "tick", 60, lambda: calls.append("first"))
    second = by_one_process(states, "tick", 60, lambda: calls.append("second"))
    other = by_one_process(states, "reconcile", 60, lambda: calls.append("other"))
    for work in (first, second, other, first):
        work()

    assert calls == ["first", "other"]
