"""The train queue, on a real Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from tests.waiting import eventually
from xlt_backend.errors import RedisDownError
from xlt_backend.queue.rounds import QUEUE, TrainQueue

LEASE_S = 0.6


@pytest.fixture
def queue(redis: Redis) -> TrainQueue:
    """A queue whose leases and pauses are short."""
    return TrainQueue(redis, lease_s=LEASE_S, first_hold_s=0.2)


def jobs(redis: Redis) -> list[str]:
    """Ids of the jobs that wait in RQ."""
    return Queue(QUEUE, connection=redis, serializer=JSONSerializer).job_ids


def take(queue: TrainQueue, redis: Redis, project: str = "1"):
    """Begins the job that waits, as a worker does."""
    job_id = redis.lpop(f"rq:queue:{QUEUE}").decode()
    lease = queue.start(project, job_id)
    assert lease is not None
    return lease


def test_first_ask_is_queued_and_later_ones_wait_with_it(queue, redis):
    """Requests that wait share one job."""
    tickets = [queue.request("1") for _ in range(100)]

    assert [tickets[0].status, tickets[1].status] == ["queued", "waiting"]
    assert {ticket.job_id for ticket in tickets} == set(jobs(redis))
    assert len(jobs(redis)) == 1


def test_asks_from_many_threads_make_one_job(queue, redis):
    """The step from nothing to waiting is atomic."""
    with ThreadPoolExecutor(16) as pool:
        tickets = list(pool.map(lambda _: queue.request("1"), range(200)))

    assert {ticket.job_id for ticket in tickets} == set(jobs(redis))
    assert len(jobs(redis)) == 1


def test_asks_while_a_round_runs_cause_exactly_one_more(queue, redis):
    """Labels that arrive meanwhile are neither dropped nor trained on one by one."""
    queue.request("1")
    lease = take(queue, redis)

    assert [queue.request("1").status for _ in range(50)] == ["running"] * 50
    assert jobs(redis) == []
    lease.finish(ok=True)
    assert len(jobs(redis)) == 1

    take(queue, redis).finish(ok=True)
    assert jobs(redis) == []
    assert queue.status("1") == "idle"


def test_a_round_knows_whether_other_work_waits(queue, redis):
    """Of its own project, or of another; what it serves itself is not other work."""
    queue.request("1")
    lease = take(queue, redis)
    assert not lease.others_wait()
    queue.request("2")
    assert lease.others_wait()
    take(queue, redis, "2")
    assert not lease.others_wait()
    queue.request("1")
    assert lease.others_wait()


def test_projects_do_not_wait_for_each_other(queue, redis):
    """One project's running round holds no other project back."""
    queue.request("1")
    take(queue, redis)

    assert queue.request("2").status == "queued"
    assert queue.projects() == ("1", "2")


def test_two_workers_cannot_run_one_project(queue, redis):
    """A job that was superseded, or comes while another runs, gets no lease."""
    ticket = queue.request("1")
    assert queue.start("1", ticket.job_id) is not None

    assert queue.start("1", ticket.job_id) is None
    assert queue.start("1", "round-1-older") is None


def test_failure_holds_and_then_is_tried_again_by_tick(queue, redis):
    """A failed round never blocks the next, and does not spin either."""
    queue.request("1")
    take(queue, redis).finish(ok=False)

    assert queue.request("1").status == "held"
    assert queue.tick() == ()
    assert eventually(queue.tick) == ("1",)
    assert len(jobs(redis)) == 1


def test_forced_ask_ends_a_hold(queue, redis):
    """Somebody who presses the button need not wait for the pause to end."""
    queue.request("1")
    take(queue, redis).finish(ok=False)

    assert queue.request("1", forced=True).status == "queued"


def test_pauses_after_failures_double(redis):
    """A project that fails again and again is tried less and less often."""
    queue = TrainQueue(redis, first_hold_s=5)
    pauses = []
    for _ in range(9):
        queue.request("1", forced=True)
        take(queue, redis).finish(ok=False)
        pauses.append(round(redis.pttl("xlt:hold:1") / 1000))

    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_lease_of_a_dead_worker_ends_and_tick_asks_again(queue, redis):
    """Work that a dead worker took with it is found again without a new ask."""
    queue.request("1")
    take(queue, redis)

    assert queue.tick() == ()
    assert eventually(queue.end_abandoned) == ("1",)
    assert queue.tick() == ("1",)
    assert len(jobs(redis)) == 1


def test_round_whose_end_was_not_seen_yet_is_not_started_again(queue, redis):
    """Its lease may expire between the look for dead workers and the look for lost rounds."""
    queue.request("1")
    take(queue, redis)
    assert queue.end_abandoned() == ()
    redis.delete("xlt:lease:1")
    assert queue.tick() == ()
    assert queue.end_abandoned() == ("1",)
    assert queue.tick() == ("1",)


def test_round_that_kills_its_workers_is_tried_less_and_less_often(redis):
    """After the first death at once; then, as after any failure, with longer pauses."""
    queue = TrainQueue(redis, first_hold_s=5)
    pauses = []
    for _ in range(5):
        queue.request("1", forced=True)
        lease = take(queue, redis)
        assert queue.end_abandoned() == ()
        redis.delete("xlt:lease:1")
        assert queue.end_abandoned() == ("1",)
        assert queue.end_abandoned() == ()
        pauses.append(max(0, round(redis.pttl("xlt:hold:1") / 1000)))

    assert pauses == [0, 5, 10, 20, 40]
    assert lease.renew()  # it was only slow
    lease.finish(ok=True)
    assert queue.end_abandoned() == ()
    assert redis.get("xlt:failures:1") is None


def test_round_that_is_taken_over_before_anybody_looked_counts_as_a_failure(redis):
    """A request that comes just after the lease expired starts the next round at once."""
    queue = TrainQueue(redis, first_hold_s=5)
    for _ in range(2):
        queue.request("1")
        take(queue, redis)
        redis.delete("xlt:lease:1")

    assert queue.end_abandoned() == ("1",)
    assert queue.status("1") == "held"


def test_kept_lease_outlives_its_term(queue, redis):
    """A round may take as long as it needs while its worker lives."""
    queue.request("1")
    lease = take(queue, redis)
    with lease.renewed():
        assert redis.pttl("xlt:lease:1") <= LEASE_S * 1000
        redis.pexpire("xlt:lease:1", 300)
        eventually(lambda: redis.pttl("xlt:lease:1") > 350)
        assert queue.status("1") == "running"
        assert not lease.lost


def test_lease_that_somebody_else_has_is_lost(queue, redis):
    """A worker that slept through its lease learns that it must stop."""
    queue.request("1")
    lease = take(queue, redis)
    redis.set("xlt:lease:1", "another worker")
    with lease.renewed():
        eventually(lambda: lease.lost)
    lease.finish(ok=True)

    assert redis.get("xlt:lease:1") == b"another worker"


def test_job_taken_by_a_worker_that_died_at_once_is_found(queue, redis):
    """Between taking a job and beginning it a worker may die too."""
    queue.request("1")
    redis.lpop(f"rq:queue:{QUEUE}")

    assert queue.tick() == ()
    assert queue.tick() == ("1",)
    assert len(jobs(redis)) == 1


def test_asker_that_died_before_it_queued_is_made_up_for(queue, redis):
    """A waiting mark without a job is repaired by the next ask."""
    redis.set("xlt:waiting:1", "round-1-never-queued")

    assert queue.request("1").job_id == "round-1-never-queued"
    assert jobs(redis) == ["round-1-never-queued"]
    assert queue.request("1").status == "waiting"


def test_flush_loses_no_later_ask(queue, redis):
    """After Redis lost everything in the middle of a round, asks count as before."""
    for _ in range(5):
        queue.request("1")
    lease = take(queue, redis)
    redis.flushall()
    assert lease.renew()
    queue.request("1")
    lease.finish(ok=True)

    assert len(jobs(redis)) == 1
    take(queue, redis).finish(ok=True)
    assert queue.request("1").status == "queued"


def test_only_the_round_that_runs_is_cancelled(queue, redis):
    """A wish to cancel does not hit the round after."""
    queue.request("1")
    lease = take(queue, redis)
    assert not lease.cancelled()
    assert queue.cancel("1")
    assert lease.cancelled()
    lease.finish(ok=True)
    queue.request("1")

    assert not take(queue, redis).cancelled()


def test_nothing_to_cancel(queue):
    """Cancelling where nothing runs says so."""
    assert not queue.cancel("1")


def test_redis_down_is_one_error(tmp_path):
    """Every call says in the service's own words that Redis is away, and fast."""
    gone = Redis(unix_socket_path=str(tmp_path / "none.sock"), retry=None)
    queue = TrainQueue(gone)
    begin = time.monotonic()
    for call in (lambda: queue.request("1"), queue.tick, lambda: queue.status("1")):
        with pytest.raises(RedisDownError, match="Redis does not answer"):
            call()

    assert time.monotonic() - begin < 2


WORKER = """
import sys
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
connection = Redis(unix_socket_path=sys.argv[1])
queue = Queue("xlt", connection=connection, serializer=JSONSerializer)
SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True)
"""

ROUND = """
import os, time
from redis import Redis
from rq import get_current_job
from xlt_backend.queue.rounds import TrainQueue

def run_round(project):
    job = get_current_job()
    queue = TrainQueue(job.connection, lease_s=0.6)
    lease = queue.start(project, job.id)
    with lease.renewed():
        job.connection.rpush("started", os.getpid())
        if os.environ.get("HANG"):
            time.sleep(60)
        if os.environ.get("FAIL"):
            lease.finish(ok=False)
            raise ValueError("no luck")
    lease.finish(ok=True)
"""


@pytest.fixture
def worker(redis_socket: str, tmp_path, monkeypatch) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a real worker process whose round only notes that it began."""
    folder = tmp_path / "stub" / "xlt_stub"
    folder.mkdir(parents=True)
    (folder / "rounds.py").write_text(ROUND)
    monkeypatch.setattr("xlt_backend.queue.rounds.ROUND", "xlt_stub.rounds.run_round")
    started = []

    def start(**env: str) -> subprocess.Popen:
        path = os.pathsep.join([str(folder.parent), *sys.path])
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, redis_socket],
            env={**os.environ, "PYTHONPATH": path, **env},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_killed_worker_loses_nothing(queue, redis, worker):
    """SIGKILL in the middle of a round: the work is done by the next worker."""
    queue.request("1")
    first = worker(HANG="1")
    eventually(lambda: redis.llen("started") == 1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    eventually(queue.end_abandoned)
    assert queue.tick() == ("1",)
    assert worker().wait(timeout=20) == 0
    assert redis.llen("started") == 2
    assert queue.status("1") == "idle"


def test_job_that_failed_in_a_worker_does_not_block(queue, redis, worker):
    """RQ keeps failed jobs and their ids; the next round does not care."""
    queue.request("1")
    assert worker(FAIL="1").wait(timeout=20) == 0
    eventually(queue.tick)
    assert worker().wait(timeout=20) == 0

    assert redis.llen("started") == 2
    assert queue.status("1") == "idle"
    assert queue.request("1").status == "queued"


def test_equal_asks_run_at_most_twice(queue, redis, worker):
    """A hundred asks while nothing and then something runs: one round runs, one follows."""
    for _ in range(50):
        queue.request("1")
    lease = take(queue, redis)
    threads = [threading.Thread(target=queue.request, args=("1",)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lease.finish(ok=True)
    assert worker().wait(timeout=20) == 0

    assert redis.llen("started") == 1
    assert jobs(redis) == []


def test_asking_imports_no_trainer():
    """The web process asks for work without torch or the trainer in its memory."""
    code = (
        "import sys, xlt_backend.queue.rounds as _;"
        "print([m for m in ('torch', 'xlt.training.loop', 'transformers') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "[]"
