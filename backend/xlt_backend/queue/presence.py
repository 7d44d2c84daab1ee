"""Presence of workers, which they announce and which expires when they die.

RQ's own register is no proof of life: a worker that was killed in a round stays in it for as long
as the round might have taken.
"""

from __future__ import annotations

import os
import socket

from xlt_backend.queue.connection import Connection, translated

_KEY = "xlt:worker:"


class Presence:
    """The presence of this process.

    Args:
        connection: Redis.
        lasts_s: Seconds until it expires that it is not announced again.
    """

    def __init__(self, connection: Connection, *, lasts_s: float) -> None:
        self._connection = connection
        self._lasts_ms = int(lasts_s * 1000)
        self._key = f"{_KEY}{socket.gethostname()}:{os.getpid()}"

    def announce(self) -> None:
        """Announces this worker.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.set(self._key, "1", px=self._lasts_ms)

    def withdraw(self) -> None:
        """Takes the announcement back.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        with translated():
            self._connection.delete(self._key)


def workers_alive(connection: Connection) -> int:
    """Returns the number of workers that run.

    Raises:
        RedisDownError: If Redis does not answer.
    """
    with translated():
        return sum(1 for _ in connection.scan_iter(match=f"{_KEY}*", count=1000))
