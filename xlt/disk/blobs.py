"""A bounded cache of byte strings by key, in one file that the processes of a machine share."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blobs (key BLOB PRIMARY KEY, used INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_use ON blobs (used);
"""
#: Bytes of the digest in front of each value.
_DIGEST = 8
#: Keys of one query: SQLite allows about a thousand.
_AT_ONCE = 500
#: Share of the file that is free again after the oldest values were dropped, so that it is not
#: done for each new value.
_SPARE = 0.1
_LOCKED_S = 5.0
_DAY_S = 86_400


class Blobs:
    """A cache that costs time only if it is lost.

    SQLite keeps it whole if a process is killed. Each value has a digest: one that was damaged on
    the disk is not returned. If the file cannot be used, nothing is found and nothing is kept; the
    log says why.

    Args:
        path: The file; made when the first value is kept.
        most_bytes: Size of the file at which the values that were not used for longest are dropped.
    """

    def __init__(self, path: Path, *, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Returns the values of the keys that have one."""
        if not self._path.exists():
            return {}
        stored: dict[bytes, bytes] = self._attempt(lambda db: _read(db, keys), {})
        found = {key: value[_DIGEST:] for key, value in stored.items() if _is_whole(key, value)}
        if len(found) < len(stored):
            lost = len(stored) - len(found)
            logger.warning("%s: %d values are damaged and made again", self._path, lost)
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keeps values, all of them or none; drops those that were not used for longest."""
        rows = [(key, _today(), _digest(key, value) + value) for key, value in values.items()]

        def write(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO blobs (key, used, value) VALUES (?, ?, ?)", rows)
            _shrink(db, self._most_bytes)
            db.execute("COMMIT")

        if rows:
            self._attempt(write, None)

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Returns the result of work on the file; drops it if it is damaged."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(
                sqlite3.connect(self._path, timeout=_LOCKED_S, isolation_level=None)
            ) as db:
                db.text_factory = bytes  # damage may have changed a value's type
                db.executescript(_SCHEMA)
                return work(db)
        except (sqlite3.OperationalError, OSError) as error:  # locked, read-only, a full disk
            logger.warning("%s is not used: %s", self._path, error)
        except sqlite3.DatabaseError as error:
            logger.warning("%s is damaged and dropped: %s", self._path, error)
            for file in (self._path, self._path.with_name(f"{self._path.name}-journal")):
                with suppress(OSError):
                    file.unlink()
        return otherwise


def _read(db: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Returns stored values; notes that they were used today."""
    found: dict[bytes, bytes] = {}
    today = _today()
    stale: list[bytes] = []
    for some in _parts(keys):
        marks = ", ".join("?" * len(some))
        for key, used, value in db.execute(
            f"SELECT key, used, value FROM blobs WHERE key IN ({marks})", some
        ):
            found[key] = value
            if used < today:
                stale.append(key)
    if stale:
        with suppress(sqlite3.OperationalError):  # another process writes: it is noted next time
            db.execute("BEGIN IMMEDIATE")
            db.executemany("UPDATE blobs SET used = ? WHERE key = ?", [(today, k) for k in stale])
            db.execute("COMMIT")
    return found


def _shrink(db: sqlite3.Connection, most_bytes: int) -> None:
    """Drops the values that were not used for longest if the file is too large."""
    if _size(db) <= most_bytes:
        return
    while _size(db) > (1 - _SPARE) * most_bytes:
        (count,) = db.execute("SELECT COUNT(*) FROM blobs").fetchone()
        if count == 0:
            return
        db.execute(
            "DELETE FROM blobs WHERE rowid IN"
            " (SELECT rowid FROM blobs ORDER BY used, rowid LIMIT ?)",
            (max(1, count // 20),),
        )


def _size(db: sqlite3.Connection) -> int:
    """Returns the bytes of the file that hold something."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _digest(key: bytes, value: bytes) -> bytes:
    return blake2b(value, digest_size=_DIGEST, key=key[:64]).digest()


def _is_whole(key: bytes, value: object) -> bool:
    return isinstance(value, bytes) and value[:_DIGEST] == _digest(key, value[_DIGEST:])


def _today() -> int:
    return int(time.time() // _DAY_S)
