"""Ask for work: per project at most one round waits and one runs, and no ask is ever lost.

What Redis holds for a project: how often work was `wanted` and how much of that was `served`;
the id of the job that is `waiting`; the `lease` of the round that runs, which its worker renews
and which ends by itself when the worker dies; a `hold` after a failure. Work is outstanding
while wanted > served. `ask` starts what can start now; the end of a round asks again if more was
wanted meanwhile; `tick`, called every few seconds, starts whatever fell between two stools.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast

from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from xlt_backend.errors import RedisDownError
from xlt_backend.queue.connection import Connection, translated
from xlt_backend.queue.scripts import PROJECTS, Scripts, Ticket, keys_of

logger = logging.getLogger(__name__)

#: What a worker imports and calls; asked for by name, so that no asker imports the trainer.
ROUND = "xlt_backend.worker.jobs.run_round"

#: RQ queue that all workers listen to.
QUEUE = "xlt"

_FIRST_HOLD_S, _LONGEST_HOLD_S = 5.0, 600.0


class TrainQueue:
    """Asks for rounds and hands out the right to run one."""

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
        self._first_hold_ms = int(first_hold_s * 1000)
        self._queue = Queue(
            QUEUE, connection=connection, serializer=JSONSerializer, default_timeout=int(timeout_s)
        )
        self._scripts = Scripts(connection)

    def ask(self, project: str, *, forced: bool = False) -> Ticket:
        """Wants one more round of `project`; asks that wait together are served together.

        `forced` starts it even where a failure holds the project back.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return self._want(project, count=True, forced=forced)

    def begin(self, project: str, job_id: str) -> Lease | None:
        """The right to run a round now, or None where this job was superseded or another runs.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        token = f"{job_id}:{secrets.token_hex(8)}"
        with translated():
            seen = self._scripts.begin(project, job_id, token, self._lease_ms)
        if seen is None:
            return None
        return Lease(queue=self, project=project, token=token, seen=seen)

    def renew(self, project: str, token: str) -> bool:
        """Prolongs a lease; False where somebody else has it. See `Lease.renew`.

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
        hold_ms = (self._first_hold_ms, int(_LONGEST_HOLD_S * 1000))
        with translated():
            more = self._scripts.finish(project, token, seen, ok=ok, hold_ms=hold_ms)
            if more > 0:
                self._want(project, count=False, forced=False)

    def is_cancelled(self, project: str, token: str) -> bool:
        """Whether the round with this lease was asked to stop.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            flag = cast("bytes | None", self._connection.get(_cancel_key(project)))
        return flag is not None and flag.decode() == token

    def others_wait(self, project: str, seen: int) -> bool:
        """Whether more was wanted than a round has seen, or another project's job waits.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            wanted = self._mget(project)[0]
            return int(wanted or 0) > seen or int(self._queue.count) > 0

    @property
    def lease_s(self) -> float:
        """Seconds that a lease lives without being renewed."""
        return self._lease_ms / 1000

    def tick(self) -> tuple[str, ...]:
        """Starts work that is wanted and that nobody waits for or runs; returns whose it was.

        Call it every few seconds, in one process at a time.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        started = []
        with translated():
            for project in self.projects():
                if self._is_stalled(project):
                    ticket = self._want(project, count=False, forced=False)
                    if ticket.status == "queued":
                        logger.info("project %s: work was stalled, asked again", project)
                        started.append(project)
        return tuple(started)

    def projects(self) -> tuple[str, ...]:
        """All projects that ever asked, sorted.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            members = cast("set[bytes]", self._connection.smembers(PROJECTS))
        return tuple(sorted(member.decode() for member in members))

    def status(self, project: str) -> Literal["running", "waiting", "held", "idle"]:
        """What goes on for a project.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            _, _, lease, waiting, hold = self._mget(project)
        if lease:
            return "running"
        if waiting:
            return "waiting"
        return "held" if hold else "idle"

    def waiting_total(self) -> int:
        """Jobs of all projects that wait for a worker.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            return int(self._queue.count)

    def cancel(self, project: str) -> bool:
        """Tells the round that runs to stop; False where none does.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            holder = self._connection.get(keys_of(project)[2])
            if holder:
                self._connection.set(_cancel_key(project), cast("bytes", holder), ex=3600)
        return bool(holder)

    def _mget(self, project: str) -> list[bytes | None]:
        return cast("list[bytes | None]", self._connection.mget(keys_of(project)[:5]))

    def _want(self, project: str, *, count: bool, forced: bool) -> Ticket:
        fresh = f"round-{project}-{secrets.token_hex(6)}".replace(".", "-")
        status, job_id = self._scripts.ask(project, fresh, count=count, forced=forced)
        if status == "queued":
            self._enqueue(project, job_id)
        return Ticket(status=status, job_id=job_id)

    def _enqueue(self, project: str, job_id: str) -> None:
        """Puts the job into RQ's queue; whoever comes second finds it done."""
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
            logger.debug("job %s is already there", job_id)

    def _is_stalled(self, project: str) -> bool:
        wanted, served, lease, waiting, hold = self._mget(project)
        if lease or hold or int(wanted or 0) <= int(served or 0):
            return False
        if not waiting:
            return True
        return self._drop_if_dead(project, waiting.decode())

    def _drop_if_dead(self, project: str, job_id: str) -> bool:
        """Forgets a waiting job that is gone from the queue for two ticks (its worker died)."""
        if self._queue.get_job_position(job_id) is not None:
            return False
        suspect = f"xlt:suspect:{project}"
        before = cast("bytes | None", self._connection.set(suspect, job_id, ex=120, get=True))
        if before is None or before.decode() != job_id:
            return False
        self._scripts.drop_waiting(project, job_id)
        return True


class Lease:
    """The right to run one round; renewed by a thread while `kept()`, gone with its process."""

    def __init__(self, *, queue: TrainQueue, project: str, token: str, seen: int) -> None:
        self._queue = queue
        self._token = token
        self._seen = seen
        self._lost = threading.Event()
        self.project = project

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renews the lease every third of its life as long as the block lasts."""
        done = threading.Event()
        thread = threading.Thread(target=self._keep, args=(done,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @property
    def lost(self) -> bool:
        """Whether somebody else holds the lease now."""
        return self._lost.is_set()

    def cancelled(self) -> bool:
        """Whether somebody asked this very round to stop; False while Redis is away."""
        try:
            return self._queue.is_cancelled(self.project, self._token)
        except RedisDownError:
            return False

    def others_wait(self) -> bool:
        """Whether more work was asked for since this round began; False while Redis is away."""
        try:
            return self._queue.others_wait(self.project, self._seen)
        except RedisDownError:
            return False

    def renew(self) -> bool:
        """Prolongs the lease; False where somebody else has it.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        held = self._queue.renew(self.project, self._token)
        if not held:
            self._lost.set()
        return held

    def finish(self, *, ok: bool) -> None:
        """Gives the lease back; asks again where more was wanted meanwhile.

        Args:
            ok: False: what was wanted stays so, and is tried again after a while.

        Raises:
            RedisDownError: If Redis does not answer; the lease then ends by itself.
        """
        self._queue.finish(self.project, self._token, self._seen, ok=ok)

    def _keep(self, done: threading.Event) -> None:
        while not done.wait(self._queue.lease_s / 3):
            try:
                if not self.renew():
                    logger.warning("project %s: another worker took over", self.project)
                    return
            except RedisDownError as error:
                logger.warning("project %s: lease not renewed: %s", self.project, error)


def _cancel_key(project: str) -> str:
    return f"xlt:cancel:{project}"
