"""Watches a project: the version that Label Studio shows, and what the worker is doing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from xlt_backend.demo.stack import Stack
from xlt_backend.labelstudio.client import Client


def status(stack: Stack, project_id: int) -> dict[str, Any]:
    """The project's part of /status."""
    return dict(stack.service.status()["projects"][str(project_id)])


def last_round(stack: Stack, project_id: int) -> dict[str, Any]:
    """What the last round did that changed anything."""
    return dict(status(stack, project_id).get("last_round") or {})


def shown(client: Client, project_id: int) -> str:
    """The version whose predictions Label Studio shows."""
    return client.project(project_id).model_version


def has_newer(client: Client, project_id: int, before: str) -> bool:
    """True if the project shows predictions of another model than before."""
    now = shown(client, project_id)
    return now.startswith("v") and now != before


def phase(stack: Stack, project_id: int) -> str:
    """What the worker is doing."""
    return str(status(stack, project_id).get("phase"))


def wait(
    reached: Callable[[], object], what: str, *, timeout_s: float = 1800.0, pause_s: float = 0.5
) -> None:
    """Poll every `pause_s` seconds.

    Raises:
        TimeoutError: If it is not reached in time.
    """
    until = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(pause_s)
