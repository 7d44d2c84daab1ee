"""`xlt up`: Redis, web server and worker on one machine, started again when they die."""

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
from dataclasses import dataclass, field

from xlt.errors import ConfigError
from xlt_backend.errors import RedisDownError
from xlt_backend.queue.connection import connect, require, server_command
from xlt_backend.settings import Settings

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
