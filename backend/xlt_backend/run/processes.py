"""The web server's process and the worker's: `xlt serve`, `xlt worker`."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from xlt.errors import XltError
from xlt.store.versions import Store
from xlt_backend.errors import RedisDownError
from xlt_backend.labelstudio.gateway import Gateway
from xlt_backend.page.live import Live
from xlt_backend.queue.connection import connect, require
from xlt_backend.queue.presence import Presence
from xlt_backend.queue.rounds import QUEUE, TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.queue.timers import Timer, by_one_process, every
from xlt_backend.run.web import build
from xlt_backend.service.events import Service
from xlt_backend.settings import Settings
from xlt_backend.web.app import create_app
from xlt_backend.worker import jobs
from xlt_backend.worker.deaths import report_deaths
from xlt_backend.worker.reconcile import reconcile

logger = logging.getLogger(__name__)


# Timers ---------------------------------------------------------------------------------------


def _timers(settings: Settings, states: StateStore, queue: TrainQueue, store: Store) -> list[Timer]:
    """Returns the periodic work of web servers and workers, each done by one process at a time."""
    service = Service(states=states, queue=queue, store=store)

    def check() -> None:
        if settings.label_studio_token:
            reconcile(Gateway.from_settings(settings), states, queue, service)

    def start_stalled() -> None:
        report_deaths(queue, states)
        service.tick()

    tick = by_one_process(states, "tick", settings.tick_s * 0.9, start_stalled)
    compare = by_one_process(states, "reconcile", settings.reconcile_s * 0.9, check)
    pause_s = min(settings.reconcile_s, max(1.0, settings.reconcile_s / 4))
    return [every(settings.tick_s, tick), every(pause_s, compare)]


def _redis(settings: Settings) -> tuple[StateStore, TrainQueue]:
    connection = connect(settings)
    timeout_s = settings.round_timeout_s + 300
    queue = TrainQueue(connection, lease_s=settings.lease_s, timeout_s=timeout_s)
    return StateStore(connection), queue


# The web server -------------------------------------------------------------------------------


def serve(settings: Settings) -> int:
    """Runs the web server until a signal stops it; returns the exit status.

    Raises:
        XltError: If the embedded Redis does not run, or a setting is invalid.
    """
    if settings.redis_url is None:
        require(connect(settings), settings)
    states, queue = _redis(settings)
    store = Store(settings.model_dir)
    live = Live()
    timers = _timers(settings, states, queue, store)
    app = create_app(build(settings, states, queue, store, timers), live)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    _Server(config, live).run()
    return 0


class _Server(uvicorn.Server):
    """A web server that ends the streams of open pages when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handles a signal: without streams, connections close at once."""
        self._live.end()
        super().handle_exit(sig, frame)


# The worker -----------------------------------------------------------------------------------


class RoundWorker(SimpleWorker):
    """RQ's worker in one process; a request to stop also stops the running round."""

    max_connection_wait_time = 2.0

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stops the round at its next step, then the worker."""
        jobs.STOPPING.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # untyped in rq

    def handle_exception(self, job: Job, *exc_info: Any) -> None:  # noqa: ANN401 - sys.exc_info()
        """Logs why a round failed: one line for an error of ours, otherwise the traceback."""
        error = exc_info[1]
        if isinstance(error, XltError):
            logger.error("%s failed: %s", job.description, error)
        else:
            super().handle_exception(job, *exc_info)


def work(settings: Settings) -> int:
    """Runs rounds until a signal stops it; returns the exit status.

    Raises:
        RedisDownError: If the embedded Redis does not run.
    """
    if settings.redis_url is None:
        require(connect(settings), settings)
    states, queue = _redis(settings)
    ended = threading.Event()
    presence = Presence(connect(settings), lasts_s=max(10.0, 3 * settings.tick_s))
    timers = _timers(settings, states, queue, Store(settings.model_dir))
    for timer in (every(settings.tick_s, presence.announce), *timers):
        threading.Thread(target=timer, args=(ended,), daemon=True).start()
    logger.info("ready: waiting for rounds")
    while not jobs.STOPPING.is_set():
        try:
            connection = connect(settings)
            rq_queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
            worker = RoundWorker([rq_queue], connection=connection, serializer=JSONSerializer)
            worker.work(logging_level="WARNING")
        except (RedisError, OSError) as error:
            logger.warning("Redis does not answer; retrying: %s", error)
            time.sleep(1.0)
    ended.set()
    with suppress(RedisDownError):
        presence.withdraw()
    return 0
