"""The servers of the demo: Label Studio, Redis, web server and worker on this machine."""

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
from typing import Any

import httpx

from xlt.errors import ServiceError
from xlt_backend.demo.studio import LabelStudioServer, free_port, install
from xlt_backend.run.up import end_with_parent
from xlt_backend.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running `xlt up`: Redis, web server and worker.

    Attributes:
        settings: Its settings.
        env: Its settings as environment variables.
        log: Its log file.
        process: Its supervisor.
    """

    settings: Settings
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def status(self) -> dict[str, Any]:
        """Returns the body of /status."""
        url = f"{self.settings.public_url}/status"
        answer = httpx.get(url, auth=self.settings.basic_auth, timeout=10.0)
        answer.raise_for_status()
        return dict(answer.json())

    def tail(self, lines: int = 60) -> str:
        """Returns the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The running servers of a labelling loop.

    Attributes:
        label_studio: Label Studio and its account.
        service: Redis, web server and worker.
    """

    label_studio: LabelStudioServer
    service: Service


@contextmanager
def running(
    folder: Path,
    *,
    venv: Path,
    label_studio_port: int = 0,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> Iterator[Stack]:
    """Starts all servers with their data in `folder`; stops them when the block ends or fails.

    Args:
        folder: Data of Label Studio, Redis and the models; existing data is used again.
        venv: Label Studio's virtual environment; created if it does not exist.
        label_studio_port: Port of Label Studio; 0 for any free one.
        port: Port of the service; 0 for any free one.
        env: Further settings of the service (`XLT_…`, `REDIS_URL`).
        progress: Receives a message about each step.

    Raises:
        ServiceError: If a server does not start; the message names its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    install(venv, progress)
    port = port or free_port()
    progress("starting Label Studio (creating its database takes up to a minute, once)")
    server = LabelStudioServer(folder / "label-studio", venv=venv, port=label_studio_port)
    with server:
        variables = service_variables(folder / "xlt", server, port) | dict(env or {})
        progress("starting Redis, the web server and a worker")
        with serving(folder / "xlt.log", variables) as service:
            yield Stack(label_studio=server, service=service)


def service_variables(home: Path, server: LabelStudioServer, port: int) -> dict[str, str]:
    """Returns the settings of a service for a Label Studio server, with its data in `home`."""
    return {
        "LABEL_STUDIO_URL": server.url,
        "LABEL_STUDIO_API_KEY": server.account.token,
        "XLT_HOME": str(home.absolute()),
        "XLT_PORT": str(port),
        "XLT_PUBLIC_URL": f"http://localhost:{port}",
    }


@contextmanager
def serving(log: Path, variables: Mapping[str, str]) -> Iterator[Service]:
    """Runs `xlt up` with these settings and no others until the block ends.

    Raises:
        ServiceError: If it does not start; the message contains the end of its log.
    """
    settings = Settings.from_env(variables)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("XLT_", "LABEL_STUDIO_"))}
    command = [sys.executable, "-m", "xlt_backend.cli", "up"]
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            env=inherited | dict(variables),
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is meant for the parent process
            preexec_fn=end_with_parent,
        )
    service = Service(settings=settings, env=variables, log=log, process=process)
    try:
        _wait_until_healthy(service)
        yield service
    finally:
        _stop(process)


def _wait_until_healthy(service: Service, timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    url = f"{service.settings.public_url}/health"
    while time.monotonic() < deadline and service.process.poll() is None:
        try:
            if httpx.get(url, timeout=2.0).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise ServiceError(
        f"the service did not answer on {url}; its log {service.log} ends with:\n{service.tail(5)}"
    )


def _stop(process: subprocess.Popen[bytes], timeout_s: float = 20.0) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
