"""Supervision of the training process: its progress, its end, and the cause of its failure."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import xlt.errors
from xlt.errors import CancelledError, XltError
from xlt_backend.errors import TrainerError, TrainerTimeoutError
from xlt_backend.trainer import folder as files

logger = logging.getLogger(__name__)

#: Module of the training process.
PROCESS = "xlt_backend.trainer.process"

_STDERR_LINES = 40
_POLL_S = 0.1

#: Called with each line of progress: phase, done, total and maybe losses.
OnProgress = Callable[[Mapping[str, Any]], None]


def run_trainer(
    folder: Path,
    *,
    timeout_s: float,
    on_progress: OnProgress = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    grace_s: float = 10.0,
    command: tuple[str, ...] = (sys.executable, "-m", PROCESS),
) -> dict[str, Any]:
    """Runs the plan in `folder` in a process of its own; returns its measurements.

    Args:
        folder: A folder with a plan, see `xlt_backend.trainer.folder`.
        timeout_s: Longest time that it may take.
        on_progress: Called in a thread of its own.
        should_stop: Called ten times a second.
        grace_s: Seconds between asking the process to end and killing it.
        command: Starts the process; the folder is added.

    Raises:
        XltError: If the process raised it.
        CancelledError: If `should_stop` returned True.
        TrainerTimeoutError: If it took too long.
        TrainerError: If it died; with the end of its standard error.
    """
    process = subprocess.Popen(
        [*command, str(folder)],
        # Waiting threads sleep: spinning would cost most of a busy machine's cores.
        env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    tail: deque[str] = deque(maxlen=_STDERR_LINES)
    readers = [
        threading.Thread(target=_read_progress, args=(process.stdout, on_progress), daemon=True),
        threading.Thread(target=_read_tail, args=(process.stderr, tail), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        stopped = _wait(process, timeout_s=timeout_s, should_stop=should_stop, grace_s=grace_s)
    finally:
        _kill(process)
        for reader in readers:
            reader.join(timeout=5)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if stopped is not None:
        raise stopped
    return _outcome(folder, process.returncode, tail)


def _wait(
    process: subprocess.Popen[str],
    *,
    timeout_s: float,
    should_stop: Callable[[], bool],
    grace_s: float,
) -> XltError | None:
    """Waits for the end; returns why it had to be stopped, None if it ended by itself."""
    deadline = time.monotonic() + timeout_s
    while process.poll() is None:
        reason: XltError | None = None
        if should_stop():
            reason = CancelledError("the training was asked to stop")
        elif time.monotonic() > deadline:
            reason = TrainerTimeoutError(f"the training took longer than {timeout_s:g} s")
        if reason is not None:
            process.terminate()
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                logger.warning("the training process did not end in %g s: killed", grace_s)
            return reason
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
    return None


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _read_progress(stream: IO[str] | None, on_progress: OnProgress) -> None:
    for line in stream or ():
        try:
            progress = json.loads(line)
        except ValueError:
            logger.debug("the training process wrote %r", line[:200])
            continue
        if isinstance(progress, dict):
            on_progress(progress)


def _read_tail(stream: IO[str] | None, tail: deque[str]) -> None:
    for line in stream or ():
        tail.append(line.rstrip())


def _outcome(folder: Path, status: int, tail: deque[str]) -> dict[str, Any]:
    if status == 0:
        return files.read_json(folder / files.RESULT)
    if (folder / files.ERROR).exists():
        error = files.read_json(folder / files.ERROR)
        kind = getattr(xlt.errors, str(error.get("type")), TrainerError)
        raise kind(str(error.get("message")))
    how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    hint = "; was there enough memory?" if status == -signal.SIGKILL else ""
    output = os.linesep.join(tail)
    logger.error("the training process ended with %s; its last output:\n%s", how, output)
    last = next((line for line in reversed(tail) if line.strip()), "")
    raise TrainerError(f"the training process ended with {how}{hint}: {last}"[:2000])
