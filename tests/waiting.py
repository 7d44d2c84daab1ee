"""Waiting for what other processes and threads do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Pauses between two looks: a tenth of the time waited so far, within these bounds. Looking at a
#: Label Studio twenty times a second would keep a core busy.
LEAST_PAUSE_S, MOST_PAUSE_S = 0.05, 1.0


def eventually(what: Callable[[], Any], *, within_s: float = 60.0) -> Any:
    """Waits until `what` is truthy; returns it."""
    started_s = time.monotonic()
    while (waited_s := time.monotonic() - started_s) < within_s:
        if seen := what():
            return seen
        time.sleep(min(MOST_PAUSE_S, max(LEAST_PAUSE_S, waited_s / 10)))
    raise AssertionError(f"not true within {within_s} s")
