"""Work that is done again and again in a thread, and by one process at a time."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

from xlt.errors import XltError
from xlt_backend.queue.state import StateStore

logger = logging.getLogger(__name__)

#: Runs until the event is set.
Timer = Callable[[threading.Event], None]


def every(seconds: float, work: Callable[[], None]) -> Timer:
    """Calls `work` every so many seconds; what it raises is logged, once per message."""

    def run(ended: threading.Event) -> None:
        said = ""
        while True:
            try:
                work()
                said = ""
            except XltError as error:
                if str(error) != said:
                    logger.warning("%s", error)
                said = str(error)
            except Exception:
                logger.exception("a timer's work failed; it goes on")
            if ended.wait(seconds):
                return

    return run


def in_office(
    states: StateStore, office: str, term_s: float, work: Callable[[], None]
) -> Callable[[], None]:
    """`work`, done only where no other process did it within the last `term_s` seconds."""
    holder = f"{socket.gethostname()}:{os.getpid()}"

    def run() -> None:
        if states.hold_office(office, holder, term_s):
            work()

    return run
