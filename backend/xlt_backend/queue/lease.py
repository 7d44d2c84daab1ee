"""Lease of a round: the permission to run it, which expires unless its worker renews it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from xlt_backend.errors import RedisDownError

logger = logging.getLogger(__name__)


class LeaseStore(Protocol):
    """The part of `xlt_backend.queue.rounds.TrainQueue` that keeps leases."""

    @property
    def lease_s(self) -> float:
        """Seconds until a lease expires that is not renewed."""

    def renew(self, project: str, token: str) -> bool:
        """Extends a lease; returns False if another worker holds it."""

    def finish(self, project: str, token: str, seen: int, *, ok: bool) -> None:
        """Ends a round."""

    def is_cancelled(self, project: str, token: str) -> bool:
        """Returns whether the round with this lease was cancelled."""

    def others_wait(self, project: str, seen: int) -> bool:
        """Returns whether more than `seen` rounds were requested, or another project waits."""


class Lease:
    """The permission to run one round.

    A thread renews it within `renewed()`. It expires when its process dies.

    Args:
        queue: Keeps the lease.
        project: Project of the round.
        token: Identifies the lease.
        seen: Number of requests of the project that the round serves.
    """

    def __init__(self, *, queue: LeaseStore, project: str, token: str, seen: int) -> None:
        self._queue = queue
        self._token = token
        self._seen = seen
        self._lost = threading.Event()
        self.project = project

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renews the lease, three times in its lifetime, until the block ends."""
        done = threading.Event()
        thread = threading.Thread(target=self._renew, args=(done,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @property
    def lost(self) -> bool:
        """True if another worker holds the lease."""
        return self._lost.is_set()

    def cancelled(self) -> bool:
        """Returns whether this round was cancelled; False while Redis does not answer."""
        try:
            return self._queue.is_cancelled(self.project, self._token)
        except RedisDownError:
            return False

    def others_wait(self) -> bool:
        """Returns whether more work was requested since the round started.

        False while Redis does not answer.
        """
        try:
            return self._queue.others_wait(self.project, self._seen)
        except RedisDownError:
            return False

    def renew(self) -> bool:
        """Extends the lease; returns False if another worker holds it.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        held = self._queue.renew(self.project, self._token)
        if not held:
            self._lost.set()
        return held

    def finish(self, *, ok: bool) -> None:
        """Gives the lease back; the next round starts if more was requested meanwhile.

        Args:
            ok: Whether the round served its requests; if not, it is retried after a pause.

        Raises:
            RedisDownError: If Redis does not answer; the lease then expires.
        """
        self._queue.finish(self.project, self._token, self._seen, ok=ok)

    def _renew(self, done: threading.Event) -> None:
        while not done.wait(self._queue.lease_s / 3):
            try:
                if not self.renew():
                    logger.warning("project %s: another worker took over the round", self.project)
                    return
            except RedisDownError as error:
                logger.warning("project %s: could not renew the lease: %s", self.project, error)
