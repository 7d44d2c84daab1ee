"""Interface of the queue of rounds, as the use cases see it."""

from __future__ import annotations

from typing import Protocol

from xlt_backend.queue.scripts import Ticket


class RoundQueue(Protocol):
    """The part of `xlt_backend.queue.rounds.TrainQueue` that the use cases need."""

    def request(self, project: str, *, forced: bool = False) -> Ticket:
        """Requests one more round of a project."""

    def status(self, project: str) -> str:
        """Returns the status of a project's rounds."""

    def cancel(self, project: str) -> bool:
        """Cancels the round that runs; returns False if none runs."""

    def tick(self) -> tuple[str, ...]:
        """Requests the rounds that are outstanding but neither wait nor run."""
