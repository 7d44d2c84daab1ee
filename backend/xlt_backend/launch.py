"""Starts the service: `xlt up` (all on one machine), `xlt serve`, `xlt worker`."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from xlt.errors import ConfigError, XltError
from xlt.store import Store
from xlt_backend import jobs
from xlt_backend.errors import RedisDownError
from xlt_backend.projectstate import StateStore
from xlt_backend.redisdb import connect, require, server_command
from xlt_backend.service import Service
from xlt_backend.settings import Settings
from xlt_backend.timers import Timer, every, in_office
from xlt_backend.trainqueue import QUEUE, TrainQueue

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 30.0


def log_to_stderr(name: str, level: str) -> None:
    """Readable lines on standard error: time, who, what."""
    logging.basicConfig(
        level=level,
        format=f"%(asctime)s {name:6} %(levelname)-7s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    for noisy in ("httpx", "httpcore", "urllib3", "rq.worker", "rq.scheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


# Timers ---------------------------------------------------------------------------------------


def _timers(settings: Settings, states: StateStore, queue: TrainQueue, store: Store) -> list[Timer]:
    """What web servers and workers look after, each thing in one process at a time."""
    service = Service(states=states, queue=queue, store=store)

    def look() -> None:
        from xlt_backend.gateway import Gateway
        from xlt_backend.reconcile import reconcile

        if settings.label_studio_token:
            reconcile(Gateway.from_settings(settings), states, queue, service)

    tick = in_office(states, "tick", settings.tick_s * 0.9, service.tick)
    compare = in_office(states, "reconcile", settings.reconcile_s * 0.9, look)
    pause_s = min(settings.reconcile_s, max(1.0, settings.reconcile_s / 4))
    return [every(settings.tick_s, tick), every(pause_s, compare)]


def _redis(settings: Settings) -> tuple[StateStore, TrainQueue]:
    connection = connect(settings)
    timeout_s = settings.round_timeout_s + 300
    queue = TrainQueue(connection, lease_s=settings.lease_s, timeout_s=timeout_s)
    return StateStore(connection), queue


# The web server -------------------------------------------------------------------------------


def serve(settings: Settings) -> int:
    """Runs the web server until it is told to stop; the exit status.

    Raises:
        XltError: If there is no embedded Redis, or a setting cannot be used.
    """
    import uvicorn

    from xlt_backend.app import create_app
    from xlt_backend.webparts import build

    if settings.redis_url is None:
        require(connect(settings), settings)
    states, queue = _redis(settings)
    store = Store(settings.model_dir)
    app = create_app(build(settings, states, queue, store, _timers(settings, states, queue, store)))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run()
    return 0


# The worker -----------------------------------------------------------------------------------


class RoundWorker(SimpleWorker):
    """RQ's worker in one process; told to stop, it stops the round that runs."""

    max_connection_wait_time = 2.0

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Ends the round at its next step, then the worker."""
        jobs.STOPPING.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # rq has no types here

    def handle_exception(self, job: Job, *exc_info: Any) -> None:  # noqa: ANN401 - sys.exc_info()
        """Notes why a round failed: one line where a user can mend it, else the traceback."""
        error = exc_info[1]
        if isinstance(error, XltError):
            logger.error("%s failed: %s", job.description, error)
        else:
            super().handle_exception(job, *exc_info)


def work(settings: Settings) -> int:
    """Runs rounds until it is told to stop; the exit status.

    Raises:
        RedisDownError: If there is no embedded Redis.
    """
    if settings.redis_url is None:
        require(connect(settings), settings)
    states, queue = _redis(settings)
    ended = threading.Event()
    for timer in _timers(settings, states, queue, Store(settings.model_dir)):
        threading.Thread(target=timer, args=(ended,), daemon=True).start()
    logger.info("waiting for work")
    while not jobs.STOPPING.is_set():
        try:
            connection = connect(settings)
            rq_queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
            worker = RoundWorker([rq_queue], connection=connection, serializer=JSONSerializer)
            worker.work(logging_level="WARNING")
        except (RedisError, OSError) as error:
            logger.warning("Redis does not answer, tried again: %s", error)
            time.sleep(1.0)
    ended.set()
    return 0


# All of it ------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Child:
    """A process that is started again when it dies.

    Attributes:
        name: For people.
        command: How it is started.
        process: The running one.
        started: When, on the monotonic clock.
        failures: Deaths in a row.
        next_start: When it may be started again.
        ending: It was asked to end.
    """

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = 0.0
    ending: bool = False

    def watch(self, env: Mapping[str, str]) -> None:
        """Starts it if it is time to; notes its death."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.failures = 0 if now - self.started > _LONGEST_PAUSE_S else self.failures + 1
            pause = min(_LONGEST_PAUSE_S, 0.25 * 2**self.failures)
            status = self.process.returncode
            logger.warning("%s ended (%s); started again in %.1f s", self.name, status, pause)
            self.process, self.next_start = None, now + pause
        if now >= self.next_start:
            self.started = now
            self.process = subprocess.Popen(
                self.command, env=dict(env), start_new_session=True, preexec_fn=end_with_parent
            )

    def ask_to_end(self) -> None:
        """Sends SIGTERM where it runs, once: a second one would not let it tidy up."""
        if self.process is not None and self.process.poll() is None and not self.ending:
            self.ending = True
            self.process.terminate()

    def stop(self, *, within_s: float) -> None:
        """Asks it to end; kills it if it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.ask_to_end()
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end in %g s: killed", self.name, within_s)
            self.process.kill()
            self.process.wait()


@dataclass(kw_only=True)
class Supervisor:
    """Keeps the children alive until it is told to stop."""

    settings: Settings
    env: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        me = [sys.executable, "-m", "xlt_backend.cli"]
        if self.settings.redis_url is None:
            self.children.append(Child(name="redis", command=server_command(self.settings.home)))
        self.children.append(Child(name="web", command=[*me, "serve"]))
        self.children.append(Child(name="worker", command=[*me, "worker"]))

    def run(self) -> int:
        """Runs until `stopping` is set; the exit status."""
        said = False
        try:
            while not self.stopping.is_set():
                for child in self.children:
                    child.watch(self.env)
                    if child.name == "redis" and not self._redis_answers():
                        break  # the others need it
                if not said and self._web_answers():
                    said = True
                    logger.info("ready: %s (/status says more)", self.settings.public_url)
                self.stopping.wait(0.2)
        finally:
            self._stop()
        return 0

    def _stop(self) -> None:
        """Ends all at once, but Redis, which keeps what the others left, after them."""
        others = [child for child in self.children if child.name != "redis"]
        for child in others:
            child.ask_to_end()
        for child in [*others, *(c for c in self.children if c not in others)]:
            child.stop(within_s=15)

    def _redis_answers(self) -> bool:
        try:
            require(connect(self.settings), self.settings)
        except RedisDownError:
            return False
        return True

    def _web_answers(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self.settings.port}/health"
            with urllib.request.urlopen(address, timeout=0.2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def up(settings: Settings, env: Mapping[str, str]) -> int:
    """Runs Redis (where none is set), web server and worker until it is told to stop.

    Args:
        settings: Deployment facts.
        env: The environment that they came from; the children read it again.

    Raises:
        XltError: If the port is taken, or Redis cannot be started.
    """
    _require_free(settings)
    settings.secret()  # made once, before two processes ask for it
    supervisor = Supervisor(settings=settings, env=env)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    return supervisor.run()


def _require_free(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise ConfigError(f"cannot listen on {where}: {error.strerror}; set XLT_PORT") from None


def end_with_parent() -> None:
    """On Linux, asks the kernel to end this process when its parent dies."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with some variables set."""
    return {**os.environ, **changes}
