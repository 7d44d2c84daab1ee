"""`xlt up`: Redis, web server and worker on one machine, restarted when they die."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

from xlt.errors import ConfigError
from xlt_backend.errors import RedisDownError
from xlt_backend.queue.connection import connect, require, server_command
from xlt_backend.run.claim import claim
from xlt_backend.settings import Settings

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 30.0


def log_to_stderr(name: str, level: str) -> None:
    """Logs readable lines to standard error: time, process, level, message."""
    logging.basicConfig(
        level=level,
        format=f"%(asctime)s {name:6} %(levelname)-7s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    for noisy in ("httpx", "httpcore", "urllib3", "rq.worker", "rq.scheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@dataclass(kw_only=True)
class Child:
    """A process that is restarted when it dies.

    Attributes:
        name: Name in log lines.
        command: Command that starts it.
        inherits: File descriptors that it inherits.
        process: The running process.
        started: Time of its start on the monotonic clock.
        failures: Number of deaths in a row.
        next_start: Earliest time of its next start.
        ending: Whether it was asked to end.
    """

    name: str
    command: list[str]
    inherits: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = 0.0
    ending: bool = False

    def watch(self, env: Mapping[str, str]) -> None:
        """Starts the process if it is time to; records its death."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.failures = 0 if now - self.started > _LONGEST_PAUSE_S else self.failures + 1
            pause = min(_LONGEST_PAUSE_S, 0.25 * 2**self.failures)
            status = self.process.returncode
            logger.warning("%s ended (status %s); restarting in %.1f s", self.name, status, pause)
            self.process, self.next_start = None, now + pause
        if now >= self.next_start:
            self.started = now
            self.process = subprocess.Popen(
                self.command,
                env=dict(env),
                pass_fds=self.inherits,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def ask_to_end(self) -> None:
        """Sends SIGTERM if it runs, once: a second one would interrupt its clean-up."""
        if self.process is not None and self.process.poll() is None and not self.ending:
            self.ending = True
            self.process.terminate()

    def stop(self, *, within_s: float) -> None:
        """Asks the process to end; kills it if it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.ask_to_end()
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end within %g s; killed it", self.name, within_s)
            self.process.kill()
            self.process.wait()


@dataclass(kw_only=True)
class Supervisor:
    """Keeps the processes alive until `stopping` is set.

    Attributes:
        settings: Settings of this installation.
        env: The environment of the settings.
        claimed: The claim on the embedded Redis; None if Redis runs elsewhere.
        children: The processes, in the order in which they start.
        stopping: Set to end them all.
    """

    settings: Settings
    env: Mapping[str, str]
    claimed: int | None = None
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        xlt = [sys.executable, "-m", "xlt_backend.cli"]
        if self.claimed is not None:
            command = server_command(self.settings.home)
            self.children.append(Child(name="redis", command=command, inherits=(self.claimed,)))
        self.children.append(Child(name="web", command=[*xlt, "serve"]))
        self.children.append(Child(name="worker", command=[*xlt, "worker"]))

    def run(self) -> int:
        """Runs until `stopping` is set; returns the exit status."""
        announced = False
        try:
            while not self.stopping.is_set():
                for child in self.children:
                    child.watch(self.env)
                    if child.name == "redis" and not self._redis_answers():
                        break  # the others need it
                if not announced and self._web_answers():
                    announced = True
                    logger.info("ready: see %s/status", self.settings.public_url)
                self.stopping.wait(0.2)
        finally:
            self._stop()
        return 0

    def _stop(self) -> None:
        """Ends all processes at once, then Redis, which stores the state that they leave."""
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
    """Runs Redis (if no REDIS_URL is set), web server and worker until a signal stops it.

    Args:
        settings: Settings of this installation.
        env: The environment of the settings; the processes read it again.

    Returns:
        The exit status.

    Raises:
        XltError: If the port is taken, another `xlt up` runs in the same folder, or there is no
            redis-server.
    """
    _require_free(settings)
    settings.secret()  # makes the secret before two processes need it
    with claim(settings) if settings.redis_url is None else nullcontext() as claimed:
        supervisor = Supervisor(settings=settings, env=env, claimed=claimed)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                signal.signal(number, lambda *_: supervisor.stopping.set())
        return supervisor.run()


def _require_free(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            address = f"{settings.host}:{settings.port}"
            raise ConfigError(
                f"cannot listen on {address}: {error.strerror}; set XLT_PORT to a free port"
            ) from None


def end_with_parent() -> None:
    """On Linux, asks the kernel to end this process when its parent dies."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
