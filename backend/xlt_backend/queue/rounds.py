"""Queue of training rounds: per project at most one waits and one runs; no request is lost.

Redis holds for each project: the number of rounds `wanted` and how many of them were `served`; the
id of the job that is `waiting`; the `lease` of the round that runs, which its worker renews and
which expires if the worker dies; the round that is `running`, with or without a lease; a `hold`
after a failure. Work is outstanding while wanted >
served. `request` starts a round if it can start now. The end of a round starts the next if more was
requested meanwhile. `tick`, called every few seconds, starts work that was missed in between.
"""

from __future__ import annotations

import logging
import secrets
from typing import Literal, cast

from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from xlt_backend.queue.connection import Connection, translated
from xlt_backend.queue.lease import Lease
from xlt_backend.queue.scripts import PROJECTS, Scripts, Ticket, keys_of

logger = logging.getLogger(__name__)

#: The job that a worker imports and runs; given by name, so that no other process imports it.
ROUND = "xlt_backend.worker.jobs.run_round"

#: RQ queue that all workers listen to.
QUEUE = "xlt"

_FIRST_HOLD_S, _LONGEST_HOLD_S = 5.0, 600.0


class TrainQueue:
    """The queue of rounds, and the leases to run them.

    Args:
        connection: Redis.
        lease_s: Seconds until a lease expires that is not renewed.
        timeout_s: Seconds after which RQ stops a job.
        first_hold_s: Seconds before the next try after a failure; doubles with each in a row.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        lease_s: float = 15.0,
        timeout_s: float = 3600.0,
        first_hold_s: float = _FIRST_HOLD_S,
    ) -> None:
        self._connection = connection
        self._lease_ms = int(lease_s * 1000)
        self._hold_ms = (int(first_hold_s * 1000), int(_LONGEST_HOLD_S * 1000))
        self._queue = Queue(
            QUEUE, connection=connection, serializer=JSONSerializer, default_timeout=int(timeout_s)
        )
        self._scripts = Scripts(connection)

    def request(self, project: str, *, forced: bool = False) -> Ticket:
        """Requests one more round of a project; one round serves all requests that wait for it.

        Args:
            project: Label Studio's id of the project.
            forced: Starts the round even if a failure holds the project back.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return self._request(project, count=True, forced=forced)

    def start(self, project: str, job_id: str) -> Lease | None:
        """Takes the lease of a round; returns None if the job is superseded or another round runs.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        token = f"{job_id}:{secrets.token_hex(8)}"
        with translated():
            seen = self._scripts.start(project, job_id, token, self._lease_ms)
        if seen is None:
            return None
        return Lease(queue=self, project=project, token=token, seen=seen)

    def renew(self, project: str, token: str) -> bool:
        """Extends a lease; returns False if another worker holds it. See `Lease.renew`.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return self._scripts.renew(project, token, self._lease_ms)

    def finish(self, project: str, token: str, seen: int, *, ok: bool) -> None:
        """Ends a round. See `Lease.finish`.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            more = self._scripts.finish(project, token, seen, ok=ok, hold_ms=self._hold_ms)
            if more > 0:
                self._request(project, count=False, forced=False)

    def is_cancelled(self, project: str, token: str) -> bool:
        """Returns whether the round with this lease was cancelled.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            flag = cast("bytes | None", self._connection.get(_cancel_key(project)))
        return flag is not None and flag.decode() == token

    def others_wait(self, project: str, seen: int) -> bool:
        """Returns whether more than `seen` rounds were requested, or another project's job waits.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            wanted = self._mget(project)[0]
            return int(wanted or 0) > seen or int(self._queue.count) > 0

    @property
    def lease_s(self) -> float:
        """Seconds until a lease expires that is not renewed."""
        return self._lease_ms / 1000

    def end_abandoned(self) -> tuple[str, ...]:
        """Ends the rounds whose lease expired, since their workers died; `tick` starts them again.

        RQ calls the job of a dead worker started until another worker starts, and moves it to the
        failed ones then. If it is queued again, `start` refuses it.

        Returns:
            The projects of these rounds.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return tuple(
                project
                for project in self.projects()
                if self._scripts.end_abandoned(project, hold_ms=self._hold_ms)
            )

    def tick(self) -> tuple[str, ...]:
        """Requests the rounds that are outstanding but neither wait nor run.

        Call it every few seconds, in one process at a time, after `end_abandoned`: a round whose
        lease expires between the two is left to the next call, so that its end is not missed.

        Returns:
            The projects of these rounds.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        started = []
        with translated():
            for project in self.projects():
                if self._is_stalled(project):
                    ticket = self._request(project, count=False, forced=False)
                    if ticket.status == "queued":
                        logger.info("project %s: queued a round that had stalled", project)
                        started.append(project)
        return tuple(started)

    def projects(self) -> tuple[str, ...]:
        """Returns all projects that ever requested a round, sorted.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            members = cast("set[bytes]", self._connection.smembers(PROJECTS))
        return tuple(sorted(member.decode() for member in members))

    def status(self, project: str) -> Literal["running", "waiting", "held", "idle"]:
        """Returns the status of a project's rounds.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            _, _, lease, waiting, hold, *_ = self._mget(project)
        if lease:
            return "running"
        if waiting:
            return "waiting"
        return "held" if hold else "idle"

    def waiting_total(self) -> int:
        """Returns the number of jobs of all projects that wait for a worker.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return int(self._queue.count)

    def cancel(self, project: str) -> bool:
        """Cancels the round that runs; returns False if none runs.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            holder = self._connection.get(keys_of(project)[2])
            if holder:
                self._connection.set(_cancel_key(project), cast("bytes", holder), ex=3600)
        return bool(holder)

    def _mget(self, project: str) -> list[bytes | None]:
        return cast("list[bytes | None]", self._connection.mget(keys_of(project)[:7]))

    def _request(self, project: str, *, count: bool, forced: bool) -> Ticket:
        new_id = f"round-{project}-{secrets.token_hex(6)}".replace(".", "-")
        status, job_id = self._scripts.request(project, new_id, count=count, forced=forced)
        if status == "queued":
            self._enqueue(project, job_id)
        return Ticket(status=status, job_id=job_id)

    def _enqueue(self, project: str, job_id: str) -> None:
        """Puts the job into RQ's queue, unless another process already has."""
        try:
            self._queue.enqueue(
                ROUND,
                args=(project,),
                job_id=job_id,
                unique=True,
                result_ttl=600,
                failure_ttl=86_400,
                description=f"round of project {project}",
            )
        except DuplicateJobError:
            logger.debug("job %s is in the queue already", job_id)

    def _is_stalled(self, project: str) -> bool:
        wanted, served, lease, waiting, hold, _, running = self._mget(project)
        if lease or running or hold or int(wanted or 0) <= int(served or 0):
            return False
        if not waiting:
            return True
        return self._drop_if_dead(project, waiting.decode())

    def _drop_if_dead(self, project: str, job_id: str) -> bool:
        """Drops a waiting job that was missing from RQ's queue at two ticks: its worker died."""
        if self._queue.get_job_position(job_id) is not None:
            return False
        suspect = f"xlt:suspect:{project}"
        before = cast("bytes | None", self._connection.set(suspect, job_id, ex=120, get=True))
        if before is None or before.decode() != job_id:
            return False
        self._scripts.drop_waiting(project, job_id)
        return True


def _cancel_key(project: str) -> str:
    return f"xlt:cancel:{project}"
