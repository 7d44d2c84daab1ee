"""The embedded Redis of `xlt up`: ended and saved with it, and never two on the same files."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.waiting import eventually
from tests.xlt_backend.run.test_up import child, environment, running
from xlt_backend.errors import RedisDownError
from xlt_backend.queue.connection import connect, server_command
from xlt_backend.run.claim import claim
from xlt_backend.settings import Settings

#: A key that no worker takes from: the queue itself would be empty once the worker is up.
KEPT = "kept"


def answering(home: Path) -> Redis | None:
    """A client of the embedded Redis, once it answers."""
    connection = connect(Settings(home=home))
    try:
        connection.ping()
    except (RedisError, OSError):
        connection.close()
        return None
    return connection


def server(process: subprocess.Popen[str]) -> psutil.Process:
    """The Redis that an `xlt up` has started."""
    found = eventually(lambda: child(process, "redis-server"))
    assert found is not None
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_way_to_stop_saves_and_ends_the_server(tmp_path, number):
    """Ctrl-C, a service manager, a terminal that is closed: the next start has the queue."""
    env = environment(tmp_path)
    with running(env, "up") as process:
        eventually(lambda: answering(tmp_path)).rpush(KEPT, "one")
        redis = server(process)
        process.send_signal(number)
        # Each of its three processes has 15 s to end; a busy machine may need them.
        assert process.wait(timeout=60) == 0
    assert not redis.is_running()
    with running(env, "up"):
        assert eventually(lambda: answering(tmp_path)).lrange(KEPT, 0, -1) == [b"one"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends the server on Linux only")
def test_a_killed_up_can_be_started_again_at_once(tmp_path):
    """The server that is still saving takes neither the new one's socket nor its files."""
    env = environment(tmp_path)
    for number in range(3):
        with running(env, "up") as process:
            redis = eventually(lambda: answering(tmp_path))
            owner = server(process)
            assert int(redis.info("server")["process_id"]) == owner.pid
            assert redis.rpush(KEPT, str(number)) == number + 1
            time.sleep(1.1)  # what the last second wrote may be lost
            os.kill(process.pid, signal.SIGKILL)
            process.wait()


def test_a_server_that_was_left_alive_is_ended_and_loses_nothing(tmp_path):
    """It saves what it holds; the new one reads it."""
    left = subprocess.Popen(server_command(tmp_path), stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: answering(tmp_path)).rpush(KEPT, "one")
        with running(environment(tmp_path), "up") as process:
            assert left.wait(timeout=30) == 0
            redis = eventually(lambda: answering(tmp_path))
            assert redis.lrange(KEPT, 0, -1) == [b"one"]
            assert int(redis.info("server")["process_id"]) == server(process).pid
    finally:
        left.kill()
        left.wait()


def test_a_second_up_in_the_same_folder_is_refused(tmp_path):
    """On another port it would take the first one's Redis away."""
    with running(environment(tmp_path), "up") as first:
        redis = eventually(lambda: answering(tmp_path))
        with running(environment(tmp_path), "up") as second:
            _, words = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "another `xlt up` runs" in words.splitlines()[-1]
        assert "XLT_HOME" in words.splitlines()[-1]
        assert int(redis.info("server")["process_id"]) == server(first).pid


@pytest.mark.parametrize("ends", [True, False])
def test_an_earlier_server_that_does_not_answer_is_waited_for(tmp_path, ends):
    """While it ends it answers no more; if it never does, its socket is named."""
    (tmp_path / "redis").mkdir()
    with open(tmp_path / "redis" / "server.lock", "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if ends:
            threading.Timer(0.3, fcntl.flock, (held, fcntl.LOCK_UN)).start()
            with claim(Settings(home=tmp_path), wait_s=10) as descriptor:
                assert descriptor > 2
        else:
            with (
                pytest.raises(RedisDownError, match=r"redis\.sock"),
                claim(Settings(home=tmp_path), wait_s=0.3),
            ):
                pass
