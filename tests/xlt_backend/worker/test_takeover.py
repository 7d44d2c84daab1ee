"""A round whose worker and training process were killed, taken up by a worker that stood by.

RQ leaves the job of the dead worker "started" until a worker starts and cleans up; the lease of
the round does not wait for that. Redis, RQ, the workers with their timers, and the supervision of
the training process are real; Label Studio and the learning are stand-ins.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from tests.waiting import eventually
from xlt_backend.queue.presence import workers_alive
from xlt_backend.queue.rounds import QUEUE, TrainQueue
from xlt_backend.queue.state import StateStore

LEASE_S, TICK_S = 1.5, 0.3

WORKER = """
import os, sys
from functools import partial
from redis import Redis
from tests.fakes import FakeLabelStudio, FakeTrainer
from xlt.store.versions import Store
from xlt_backend.queue.state import StateStore
from xlt_backend.run.processes import work
from xlt_backend.settings import Settings
from xlt_backend.trainer.supervise import run_trainer
from xlt_backend.worker import jobs

settings = Settings.from_env(os.environ)
redis = Redis.from_url(settings.redis_url)
label_studio, trainer = FakeLabelStudio(), FakeTrainer()
label_studio.add_tasks(20)
label_studio.before = lambda what: redis.rpush("asked", what)
shared = label_studio, Store(settings.model_dir)
jobs._shared = lambda _: shared

def note(plan):
    redis.rpush("states", StateStore(redis).get("1").last_error)

trainer.before = note
hanging = (sys.executable, "-c", "import time; time.sleep(60)")
jobs.run_trainer = partial(run_trainer, command=hanging) if "HANG" in os.environ else trainer
work(settings)
"""


@pytest.fixture
def worker(redis_socket, redis, tmp_path) -> Iterator[Callable[..., psutil.Process]]:
    """Starts a worker and waits until it waits for rounds."""
    home = {"XLT_HOME": str(tmp_path), "REDIS_URL": f"unix://{redis_socket}"}
    times = {"XLT_LEASE_S": str(LEASE_S), "XLT_TICK_S": str(TICK_S)}
    paths = {"PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    others = {k: v for k, v in os.environ.items() if not k.startswith(("XLT_", "LABEL_"))}
    started: list[subprocess.Popen[bytes]] = []

    def start(**env: str) -> psutil.Process:
        before = redis.scard("rq:workers")
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER], env={**others, **home, **times, **paths, **env}
        )
        started.append(process)
        eventually(lambda: redis.scard("rq:workers") > before)
        return psutil.Process(process.pid)

    yield start
    for process in started:
        children = psutil.Process(process.pid).children() if process.poll() is None else []
        for child in children:
            child.kill()
        process.kill()
        process.wait()


def kill(worker: psutil.Process) -> None:
    """Ends a worker and its training process as a machine that loses its power does."""
    family = [*worker.children(recursive=True), worker]
    assert len(family) > 1
    for process in family:
        process.send_signal(signal.SIGKILL)


def training(worker: psutil.Process) -> bool:
    """Whether the worker's training process runs."""
    return bool(worker.children())


def done(redis: Redis) -> int:
    """Number of times that a round switched Label Studio to its order."""
    return redis.lrange("asked", 0, -1).count(b"switch")


def test_a_standing_worker_takes_the_round_up_within_the_lease(redis, worker):
    """RQ still calls the job started; the round is done once, and the state says what happened."""
    queue = TrainQueue(redis, lease_s=LEASE_S)
    dying = worker(HANG="1")
    job = queue.request("1").job_id
    eventually(lambda: training(dying))
    worker()
    kill(dying)
    at = time.monotonic()
    eventually(lambda: done(redis) == 1)
    seconds = time.monotonic() - at

    assert seconds < LEASE_S + 3 * TICK_S + 5  # and the round itself, on a busy machine
    assert Job.fetch(job, redis, serializer=JSONSerializer).get_status() == "started"
    error = redis.lindex("states", 0).decode()
    assert error.startswith("score: the worker ended in the middle of the round")
    eventually(lambda: queue.status("1") == "idle")
    assert StateStore(redis).get("1").last_error == ""


def test_a_dead_worker_is_not_counted(redis, worker):
    """RQ lists it for as long as its round might have taken; xlt for some seconds."""
    queue = TrainQueue(redis, lease_s=LEASE_S)
    dying = worker(HANG="1")
    standing = worker()
    eventually(lambda: workers_alive(redis) == 2)
    standing.send_signal(signal.SIGTERM)
    eventually(lambda: workers_alive(redis) == 1)
    queue.request("1")
    eventually(lambda: training(dying))
    kill(dying)
    eventually(lambda: workers_alive(redis) == 0)
    assert redis.scard("rq:workers") > 0


def test_the_job_that_rq_revives_later_repeats_nothing(redis, worker):
    """A new worker cleans up, or the old job is queued again: the round is not repeated."""
    queue = TrainQueue(redis, lease_s=LEASE_S)
    dying = worker(HANG="1")
    job_id = queue.request("1").job_id
    eventually(lambda: training(dying))
    worker()
    kill(dying)
    eventually(lambda: done(redis) == 1 and queue.status("1") == "idle")

    for execution in redis.zrange(f"rq:wip:{QUEUE}", 0, -1):
        redis.zadd(f"rq:wip:{QUEUE}", {execution: time.time() - 1})  # its heartbeat ran out
    worker()
    job = Job.fetch(job_id, redis, serializer=JSONSerializer)
    eventually(lambda: job.get_status(refresh=True) == "failed")
    Queue(QUEUE, connection=redis, serializer=JSONSerializer).enqueue_job(job)
    eventually(lambda: job.get_status(refresh=True) == "finished")

    assert job.return_value()["done"] is False
    assert done(redis) == 1
    assert queue.status("1") == "idle"
