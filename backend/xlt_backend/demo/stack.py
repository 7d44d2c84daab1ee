"""Label Studio, Redis, web server and worker, started and stopped together on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from xlt.errors import ServiceError
from xlt_backend.labelstudio_server import LabelStudioServer, free_port, install
from xlt_backend.launch import end_with_parent
from xlt_backend.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that a loop needs, running.

    Attributes:
        label_studio: The server and its account.
        settings: What the service was started with.
        service_pid: Process of `xlt up`.
        service_log: What it wrote.
    """

    label_studio: LabelStudioServer
    settings: Settings
    service_pid: int
    service_log: Path

    def status(self) -> dict[str, object]:
        """The service's /status."""
        answer = httpx.get(
            f"{self.settings.public_url}/status", auth=self.settings.basic_auth, timeout=10.0
        )
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def running(
    folder: Path,
    *,
    venv: Path,
    label_studio_port: int = 0,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda words: None,
) -> Iterator[Stack]:
    """Start all four with their data in `folder`; stop them at the end, however it comes.

    Args:
        folder: Data of Label Studio, Redis and the models; what is there is used again.
        venv: Label Studio's virtual environment; made when absent.
        label_studio_port: Its port; 0: any free one.
        port: Port of the service; 0: any free one.
        env: Further settings of the service (`XLT_…`, `REDIS_URL`).
        progress: Told in words what goes on.

    Raises:
        ServiceError: If one of them does not start; the message names its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    install(venv, progress)
    port = port or free_port()
    progress("starting Label Studio (the first start makes its database, up to a minute)")
    server = LabelStudioServer(folder / "label-studio", venv=venv, port=label_studio_port)
    with server:
        variables = {
            "LABEL_STUDIO_URL": server.url,
            "LABEL_STUDIO_API_KEY": server.account.token,
            "XLT_HOME": str((folder / "xlt").absolute()),
            "XLT_PORT": str(port),
            "XLT_PUBLIC_URL": f"http://localhost:{port}",
            **(env or {}),
        }
        settings = Settings.from_env(variables)
        progress("starting Redis, the web server and a worker")
        with _service(folder / "xlt.log", variables, settings) as pid:
            yield Stack(
                label_studio=server,
                settings=settings,
                service_pid=pid,
                service_log=folder / "xlt.log",
            )


@contextmanager
def _service(log: Path, variables: Mapping[str, str], settings: Settings) -> Iterator[int]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("XLT_", "LABEL_STUDIO_"))}
    words = [sys.executable, "-m", "xlt_backend.cli", "up"]
    with log.open("ab") as file:
        process = subprocess.Popen(
            words,
            env=inherited | dict(variables),
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for whoever started us
            preexec_fn=end_with_parent,
        )
    try:
        _wait_until_healthy(process, f"{settings.public_url}/health", log)
        yield process.pid
    finally:
        _stop(process)


def _wait_until_healthy(
    process: subprocess.Popen[bytes], url: str, log: Path, timeout_s: float = 120.0
) -> None:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=2.0).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise ServiceError(f"the service did not answer on {url}; its log is {log} and ends:\n{last}")


def _stop(process: subprocess.Popen[bytes], timeout_s: float = 20.0) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
