"""A local Label Studio server, for the demo and the end-to-end tests.

It runs in a virtual environment of its own, since its pinned dependencies conflict with ours. It
keeps its data in one folder, contacts no other host, and ends with the process that started it.
"""

from __future__ import annotations

import json
import logging
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import httpx

from xlt.errors import ServiceError
from xlt_backend.demo.accounts import Account, keep_secret, make_token, sign_up, token_works

logger = logging.getLogger(__name__)

#: The version of Label Studio that xlt is tested with.
LABEL_STUDIO_VERSION = "1.23.2"

#: E-mail address of the account if no other is given.
DEFAULT_USER = "demo@xlt.local"

# Runs Label Studio and exits as soon as standard input closes. The parent process holds the other
# end of the pipe, so no server is left behind even if the parent is killed.
_ENTRY = """
import os, sys, threading
def watch():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
from label_studio.server import main
sys.argv[0] = "label-studio"
sys.exit(main())
"""


def install(venv: Path, progress: Callable[[str], None] = logger.info) -> Path:
    """Creates the virtual environment with the tested Label Studio, unless it exists already.

    Takes minutes on a new machine.

    Args:
        venv: Folder of the environment.
        progress: Receives a message about each step.

    Returns:
        Path of the environment's Python.

    Raises:
        ServiceError: If pip cannot install it; the message contains pip's last lines.
    """
    python = venv / "bin" / "python"
    mark = venv / f"label-studio-{LABEL_STUDIO_VERSION}.ok"
    if mark.exists():
        return python
    if not _has_label_studio(python):
        progress(f"creating a virtual environment for Label Studio in {venv}")
        _run([sys.executable, "-m", "venv", "--clear", str(venv)])
        progress(f"installing Label Studio {LABEL_STUDIO_VERSION} (takes some minutes, once)")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, f"label-studio=={LABEL_STUDIO_VERSION}"])
    mark.touch()
    return python


def _has_label_studio(python: Path) -> bool:
    code = "import importlib.metadata as m; print(m.version('label-studio'))"
    if not python.exists():
        return False
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == LABEL_STUDIO_VERSION


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise ServiceError(f"{' '.join(command)} failed with status {done.returncode}:\n{last}")


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LabelStudioServer:
    """A Label Studio server on SQLite; also a context manager.

    Args:
        data_dir: Folder of its data; created if it does not exist.
        venv: Virtual environment made by `install`.
        port: Port to listen on; 0 for a free one, which stays the same over restarts.
        host: Address to listen on.
        user: E-mail address of its one account.
        password: Password of the account; None generates one and stores it in `data_dir`.
        extra_env: Further environment variables; they override ours.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        venv: Path,
        port: int = 0,
        host: str = "127.0.0.1",
        user: str = DEFAULT_USER,
        password: str | None = None,
        extra_env: dict[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.venv = venv.absolute()
        self.host = host
        self.port = port or free_port()
        self.log_file = self.data_dir / "label-studio.log"
        self._user = user
        self._password = password
        self._extra_env = extra_env or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._account: Account | None = None

    @property
    def url(self) -> str:
        """Address for browsers and clients."""
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0") else self.host
        return f"http://{host}:{self.port}"

    @property
    def account(self) -> Account:
        """Login and token; available once the server has started."""
        if self._account is None:
            raise ServiceError("Label Studio has no account yet: start the server first")
        return self._account

    @property
    def pid(self) -> int | None:
        """Process id; None if it does not run."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        """True if the server process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout_s: float = 300.0) -> LabelStudioServer:
        """Starts the server, waits until it answers, and makes its account and token.

        Args:
            timeout_s: Longest wait in seconds; the first start makes the database (up to a minute).

        Raises:
            ServiceError: If the port is taken or the server does not answer in time; the message
                names the log.
        """
        if self.running:
            return self
        self._check_port()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        login = _stored(self.data_dir / "account.json")
        password = self._password or login.get("password") or secrets.token_urlsafe(12)
        keep_secret(self.data_dir)
        self._launch(password)
        self._wait(timeout_s)
        token = login.get("token", "")
        if not token or not token_works(self.url, token):
            token = make_token(self.url, self._user, password)
        self._account = Account(user=self._user, password=password, token=token)
        _store(self.data_dir / "account.json", password=password, token=token)
        return self

    def stop(self, timeout_s: float = 20.0) -> None:
        """Ends the server by closing its standard input; kills it if that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Kills the server, as a crash would."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def __enter__(self) -> LabelStudioServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def add_user(self, user: str) -> Account:
        """Creates another user through the invitation link of the account.

        Raises:
            ServiceError: If Label Studio refuses, for example because the user exists already.
        """
        return sign_up(self.url, self.account, user)

    def _check_port(self) -> None:
        # Label Studio would silently listen on the next free port.
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise ServiceError(f"port {self.port} is taken: free it, or choose another")

    def _launch(self, password: str) -> None:
        python = self.venv / "bin" / "python"
        if not python.exists():
            raise ServiceError(f"no Label Studio in {self.venv}: install it there first")
        command = [str(python), "-I", "-u", "-c", _ENTRY, "start", "--no-browser"]
        command += ["--internal-host", self.host, "--port", str(self.port)]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data_dir,
                env=self._environment(password),
                start_new_session=True,  # Ctrl-C is meant for the parent process
            )

    def _environment(self, password: str) -> dict[str, str]:
        return server_environment(self.data_dir) | {
            "LABEL_STUDIO_USERNAME": self._user,
            "LABEL_STUDIO_PASSWORD": password,
            **self._extra_env,
        }

    def _wait(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self.running:
                break
            try:
                if httpx.get(f"{self.url}/health", timeout=5.0).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        self.stop()
        last = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-5:])
        raise ServiceError(
            f"Label Studio did not answer on {self.url} within {timeout_s:.0f} s; "
            f"its log {self.log_file} ends with:\n{last}"
        )


def server_environment(data_dir: Path) -> dict[str, str]:
    """Returns the whole environment of a server that reaches local models and no other host.

    It inherits nothing: the user's `LABEL_STUDIO_HOST` or `DJANGO_DB` are meant for another server.
    """
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(data_dir),
        "LANG": "C.UTF-8",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data_dir),
        # Since 1.23.1, Label Studio refuses models on private addresses without these.
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
        # No telemetry, no error reports, no check for a newer version.
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    }


def _stored(path: Path) -> dict[str, str]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _store(path: Path, **values: str) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(values))
