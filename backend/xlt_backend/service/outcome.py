"""Outcome of an event, as the answer to the webhook tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xlt_backend.queue.scripts import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an event.

    Attributes:
        status: `ok`, or `ignored` with the reason.
        job: The job of the round that the event started or joined; None if there is none.
    """

    status: str
    job: str | None = None


def outcome_of(ticket: Ticket) -> Outcome:
    """Returns what became of a request for a round."""
    messages: Mapping[str, str] = {
        "queued": "ok: a round is queued",
        "waiting": "ok: a round is waiting already",
        "running": "ok: a round is running, another follows",
        "held": "ok: retried soon, since the last round failed",
    }
    return Outcome(status=messages[ticket.status], job=ticket.job_id or None)
