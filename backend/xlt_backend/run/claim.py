"""Claim on the embedded Redis of a folder: one `xlt up` at a time, and one server.

A second server on the same files would take the first one's socket and write into its log. A server
can outlive its `xlt up`, if that was killed: for a moment on Linux, for good elsewhere. It inherits
a lock, which is free once it has ended; the next `xlt up` asks it to save and end, and waits.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from redis.exceptions import RedisError

from xlt.errors import ConfigError
from xlt_backend.errors import RedisDownError
from xlt_backend.queue.connection import connect, socket_path
from xlt_backend.settings import Settings

logger = logging.getLogger(__name__)


@contextmanager
def claim(settings: Settings, *, wait_s: float = 20.0) -> Iterator[int]:
    """Claims the folder of the embedded Redis until the block ends.

    Args:
        settings: Settings of this installation.
        wait_s: Longest time that an earlier server may take to end.

    Yields:
        A file descriptor that the server must inherit.

    Raises:
        ConfigError: If another `xlt up` has claimed it.
        RedisDownError: If a server that outlived its `xlt up` does not end.
    """
    folder = settings.home.resolve() / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "up.lock", "ab") as own, open(folder / "server.lock", "ab") as inherited:
        if not _locked(own):
            raise ConfigError(
                f"another `xlt up` runs in {settings.home}; end it, or set XLT_HOME to another "
                "folder"
            )
        deadline = time.monotonic() + wait_s
        while _ask_to_end(settings) or not _locked(inherited):
            if time.monotonic() > deadline:
                raise RedisDownError(
                    "the Redis of an `xlt up` that was killed does not end: its socket is "
                    f"{socket_path(settings.home)}; end that redis-server"
                )
            time.sleep(0.1)
        yield inherited.fileno()


def _locked(file: IO[bytes]) -> bool:
    """Locks a file unless another process has; returns whether it is ours."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ask_to_end(settings: Settings) -> bool:
    """Asks an earlier server to save and end; returns False if none answers."""
    connection = connect(settings)
    try:
        connection.ping()
    except (RedisError, OSError):
        return False
    logger.warning("ending a Redis that outlived its `xlt up`; its data is kept")
    with suppress(RedisError, OSError):
        connection.shutdown()
    return True
