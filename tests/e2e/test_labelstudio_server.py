"""Our own Label Studio starts, remembers, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import VENV, fresh_data_dir
from xlt.errors import ServiceError
from xlt_backend.demo.studio import LabelStudioServer


def alive(pid: int) -> bool:
    """Whether a process that is no zombie has this id."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def access(server: LabelStudioServer) -> int:
    """Status of an API call made with the account's personal access token."""
    refresh = {"refresh": server.account.token}
    token = httpx.post(f"{server.url}/api/token/refresh/", json=refresh).json()["access"]
    header = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{server.url}/api/projects/", headers=header).status_code


def test_token_opens_the_api(label_studio: LabelStudioServer) -> None:
    """The account's personal access token is one that Label Studio accepts."""
    assert access(label_studio) == 200


def test_taken_port_is_an_error(label_studio: LabelStudioServer, tmp_path: Path) -> None:
    """A second server on the same port is refused, not moved to another port."""
    second = LabelStudioServer(tmp_path, venv=VENV, port=label_studio.port)
    with pytest.raises(ServiceError, match=f"port {label_studio.port} is taken"):
        second.start()


def test_crash_and_restart_keep_port_and_token(
    label_studio: LabelStudioServer, tmp_path: Path
) -> None:
    """Killed and started again on the same data, it has the same address and account."""
    server = LabelStudioServer(fresh_data_dir(tmp_path), venv=VENV)
    with server:
        before = (server.url, server.account)
        server.kill()
        assert not server.running
        server.start()
        assert (server.url, server.account) == before
        assert access(server) == 200


def test_it_dies_with_its_parent(label_studio: LabelStudioServer, tmp_path: Path) -> None:
    """SIGKILL to the process that started it ends the server as well."""
    code = textwrap.dedent(
        f"""
        import time
        from pathlib import Path
        from xlt_backend.demo.studio import LabelStudioServer
        server = LabelStudioServer(Path({str(tmp_path)!r}), venv=Path({str(VENV)!r})).start()
        print(server.pid, flush=True)
        time.sleep(600)
        """
    )
    fresh_data_dir(tmp_path)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)
