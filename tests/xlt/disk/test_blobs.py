"""The cache of byte strings: shared, bounded, and never believed when it is damaged."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import xlt.disk.blobs
from xlt.disk.blobs import Blobs

MOST = 10_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cache is."""
    return tmp_path / "folder" / "blobs.sqlite3"


def key(number: int) -> bytes:
    """A key."""
    return number.to_bytes(16, "big")


def test_what_is_kept_is_found_by_another_process(path: Path):
    """More keys than a query takes; those without a value are left out."""
    values = {key(n): bytes([n % 256]) * n for n in range(1200)}
    Blobs(path, most_bytes=MOST).put(values)
    code = (
        "import sys; from pathlib import Path; from xlt.disk.blobs import Blobs\n"
        "keys = [n.to_bytes(16, 'big') for n in range(1300)]\n"
        "found = Blobs(Path(sys.argv[1]), most_bytes=10**7).get(keys)\n"
        "print(len(found), sum(map(len, found.values())))"
    )
    told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True)
    assert told.stdout.split() == [b"1200", str(sum(range(1200))).encode()]


def test_nothing_is_made_by_asking(path: Path):
    """A reader that keeps nothing leaves no file."""
    assert Blobs(path, most_bytes=MOST).get([key(1)]) == {}
    assert not path.parent.exists()


def test_the_last_value_counts(path: Path):
    """A value that was damaged is replaced so."""
    blobs = Blobs(path, most_bytes=MOST)
    blobs.put({key(1): b"old"})
    blobs.put({key(1): b"new"})
    assert blobs.get([key(1)]) == {key(1): b"new"}


def test_a_damaged_value_is_not_returned_and_said(path: Path, caplog: pytest.LogCaptureFixture):
    """One bit on the disk is enough; the others are."""
    blobs = Blobs(path, most_bytes=MOST)
    blobs.put({key(n): bytes(100) for n in range(5)})
    with sqlite3.connect(path) as db:
        db.execute("UPDATE blobs SET value = substr(value, 1, 50) || x'01' || substr(value, 52)"
                   " WHERE key = ?", (key(3),))  # fmt: skip
    db.close()
    with caplog.at_level(logging.WARNING):
        assert set(blobs.get([key(n) for n in range(5)])) == {key(n) for n in (0, 1, 2, 4)}
    assert "1 values are damaged" in caplog.text


def test_a_value_under_another_key_is_damage(path: Path):
    """Its digest is also of its key."""
    blobs = Blobs(path, most_bytes=MOST)
    blobs.put({key(1): b"value"})
    with sqlite3.connect(path) as db:
        db.execute("UPDATE blobs SET key = ?", (key(2),))
    db.close()
    assert blobs.get([key(1), key(2)]) == {}


@pytest.mark.parametrize("damage", ["no database", "half"])
def test_a_damaged_file_is_dropped_and_said(
    damage: str, path: Path, caplog: pytest.LogCaptureFixture
):
    """Then it works again."""
    blobs = Blobs(path, most_bytes=MOST)
    blobs.put({key(n): os.urandom(3000) for n in range(200)})
    whole = path.read_bytes()
    path.write_bytes(b"nonsense" * 1000 if damage == "no database" else whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        found = blobs.get([key(n) for n in range(200)])
    assert len(found) < 200
    assert "damaged" in caplog.text
    blobs.put({key(1): b"new"})
    assert blobs.get([key(1)]) == {key(1): b"new"}


def test_a_folder_that_cannot_be_written_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """A full disk does not end a round here."""
    (tmp_path / "file").write_text("")
    blobs = Blobs(tmp_path / "file" / "blobs.sqlite3", most_bytes=MOST)
    with caplog.at_level(logging.WARNING):
        blobs.put({key(1): b"value"})
    assert "is not used" in caplog.text
    assert blobs.get([key(1)]) == {}


def test_the_file_is_bounded_and_the_newest_stay(path: Path):
    """However much is kept, a chunk at a time."""
    most = 1_000_000
    blobs = Blobs(path, most_bytes=most)
    for start in range(0, 2000, 100):
        blobs.put({key(n): os.urandom(3000) for n in range(start, start + 100)})
    assert path.stat().st_size < most + 600_000  # and one chunk
    found = blobs.get([key(n) for n in range(2000)])
    assert set(found) == {key(n) for n in range(2000 - len(found), 2000)}
    assert len(found) * 3000 > most / 2


def test_what_is_used_outlives_what_is_only_newer(path: Path, monkeypatch: pytest.MonkeyPatch):
    """The day of the last use counts."""
    blobs = Blobs(path, most_bytes=500_000)
    for start in range(0, 400, 50):
        monkeypatch.setattr(xlt.disk.blobs, "_today", lambda day=start: day)
        blobs.put({key(n): os.urandom(3000) for n in range(start, start + 50)})
        assert blobs.get([key(0)]), f"after {start}"
    assert not blobs.get([key(1)])


def test_a_killed_writer_leaves_what_was_there(path: Path):
    """Values come whole or not at all, and the file is not locked afterwards."""
    blobs = Blobs(path, most_bytes=MOST)
    blobs.put({key(0): b"value"})
    code = (
        "import sqlite3, sys, time\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 5')\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "for n in range(1, 300):\n"
        "    row = (n.to_bytes(16, 'big'), 1, bytes(5000))\n"
        "    db.execute('INSERT INTO blobs VALUES (?, ?, ?)', row)\n"
        "print('written', flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    begun = time.monotonic()
    assert blobs.get([key(n) for n in range(300)]) == {key(0): b"value"}
    assert time.monotonic() - begun < 2
