"""Periodic work in a thread, shared among processes so that one at a time does it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

from xlt.errors import XltError
from xlt_backend.queue.state import StateStore

logger = logging.getLogger(__name__)

#: A function that runs until the event is set.
Timer = Callable[[threading.Event], None]


def every(seconds: float, work: Callable[[], None]) -> Timer:
    """Returns a timer that calls `work` periodically and logs its errors, repeated ones once."""

    def run(ended: threading.Event) -> None:
        logged = ""
        while True:
            try:
                work()
                logged = ""
            except XltError as error:
                if str(error) != logged:
                    logger.warning("%s", error)
                logged = str(error)
            except Exception:
                logger.exception("periodic work failed; it continues")
            if ended.wait(seconds):
                return

    return run


def by_one_process(
    states: StateStore, duty: str, interval_s: float, work: Callable[[], None]
) -> Callable[[], None]:
    """Returns `work` as a function that skips it if any process did it in the last interval."""
    holder = f"{socket.gethostname()}:{os.getpid()}"

    def run() -> None:
        if states.claim(duty, holder, interval_s):
            work()

    return run
