"""Jobs that the worker runs; RQ calls `run_round` by its name."""

from __future__ import annotations

import logging
import os
import threading
from functools import lru_cache
from typing import Any

from rq import get_current_job

from xlt.errors import CancelledError, XltError
from xlt.identification.identify import identify
from xlt.store.versions import Store
from xlt_backend.errors import NotFoundError, RedisDownError
from xlt_backend.labelstudio.gateway import Gateway
from xlt_backend.queue.connection import connect
from xlt_backend.queue.lease import Lease
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds.ports import Tools
from xlt_backend.rounds.round import Round
from xlt_backend.settings import Settings
from xlt_backend.trainer.supervise import run_trainer

logger = logging.getLogger(__name__)

#: Set when this worker is about to end; the running round then stops.
STOPPING = threading.Event()


def run_round(project: str) -> dict[str, Any]:
    """Runs one round of a project, unless another worker runs one.

    Raises:
        XltError: If the round failed; it is retried later.
    """
    job = get_current_job()
    if job is None:
        raise AssertionError("run_round was called outside an RQ job")
    return run(project, job.id, Settings.from_env(os.environ))


def run(project: str, job_id: str, settings: Settings) -> dict[str, Any]:
    """Runs the round of a job.

    Args:
        project: Label Studio's id of the project.
        job_id: Id of the job.
        settings: Settings of this installation.

    Returns:
        Result of the job: whether the round was done; its action and version, or the reason.

    Raises:
        XltError: If the round failed; it is retried later.
    """
    queue, states = _redis(settings)
    lease = queue.start(project, job_id)
    if lease is None:
        return {"done": False, "reason": "superseded, or another worker runs a round"}
    ok = False
    try:
        with lease.renewed():
            decision = Round(project, lease, _tools(settings, states)).run()
            _request_next(queue, states, project)
        ok = True
    except NotFoundError as error:
        logger.warning("project %s: %s", project, error)
        states.forget(project)
        ok = True
        return {"done": False, "reason": str(error)}
    except CancelledError as error:
        ok = lease.cancelled()
        return {"done": False, "reason": str(error)}
    except XltError as error:
        states.put(project, last_error=states.get(project).last_error or str(error))
        raise
    finally:
        _finish(lease, ok=ok)
    return {"done": True, "action": decision.action.value, "version": decision.version}


def _request_next(queue: TrainQueue, states: StateStore, project: str) -> None:
    """Requests a round for labels that came during this one, without waiting to be reconciled."""
    try:
        if states.is_due(project):
            queue.request(project)
    except RedisDownError as error:
        logger.warning("project %s: %s", project, error)


def _finish(lease: Lease, *, ok: bool) -> None:
    """Gives the lease back; if Redis is down, it expires and the round is repeated."""
    if lease.lost:
        return
    try:
        lease.finish(ok=ok)
    except RedisDownError as error:
        logger.warning("project %s: %s", lease.project, error)


@lru_cache(maxsize=1)
def _redis(settings: Settings) -> tuple[TrainQueue, StateStore]:
    connection = connect(settings, timeout_s=2.0)
    queue = TrainQueue(
        connection, lease_s=settings.lease_s, timeout_s=settings.round_timeout_s + 300
    )
    return queue, StateStore(connection)


@lru_cache(maxsize=1)
def _shared(settings: Settings) -> tuple[Gateway, Store]:
    return Gateway.from_settings(settings), Store(settings.model_dir)


def _tools(settings: Settings, states: StateStore) -> Tools:
    label_studio, store = _shared(settings)
    return Tools(
        label_studio=label_studio,
        store=store,
        states=states,
        settings=settings,
        trainer=run_trainer,
        identify=identify,
        stopping=STOPPING.is_set,
    )
