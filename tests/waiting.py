"""Waiting for what other processes and threads do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def eventually(what: Callable[[], Any], *, within_s: float = 60.0, pause_s: float = 0.05) -> Any:
    """Waits until `what` is truthy; returns it."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if seen := what():
            return seen
        time.sleep(pause_s)
    raise AssertionError(f"not true within {within_s} s")
