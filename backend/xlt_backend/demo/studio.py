"""A real Label Studio of our own, for the demo and the end-to-end tests.

It lives in a virtual environment of its own (its pins do not suit a machine learning stack), keeps
its data in one folder, contacts nothing outside, and dies with the process that started it.
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
from xlt_backend.demo.accounts import Account, make_token, sign_up, token_works

logger = logging.getLogger(__name__)

#: The Label Studio that xlt is tested with.
LABEL_STUDIO_VERSION = "1.23.2"

#: Who logs in where nobody else was named.
DEFAULT_USER = "demo@xlt.local"

# Runs Label Studio in this process and ends it as soon as standard input closes: the other end
# is held by the process that started it, so that no server is left behind, however that one died.
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
    """Make the virtual environment with the tested Label Studio, unless it is there already.

    Args:
        venv: Its folder.
        progress: Told in words what goes on; takes minutes on a fresh machine.

    Returns:
        The Python of that environment.

    Raises:
        ServiceError: If pip cannot install it (its last lines are in the message).
    """
    python = venv / "bin" / "python"
    mark = venv / f"label-studio-{LABEL_STUDIO_VERSION}.ok"
    if mark.exists():
        return python
    if not _has_label_studio(python):
        progress(f"making a virtual environment for Label Studio in {venv}")
        _command([sys.executable, "-m", "venv", "--clear", str(venv)])
        progress(f"installing Label Studio {LABEL_STUDIO_VERSION} (some minutes, once)")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _command([*pip, f"label-studio=={LABEL_STUDIO_VERSION}"])
    mark.touch()
    return python


def _has_label_studio(python: Path) -> bool:
    code = "import importlib.metadata as m; print(m.version('label-studio'))"
    if not python.exists():
        return False
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == LABEL_STUDIO_VERSION


def _command(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise ServiceError(f"{' '.join(words)} ended with status {done.returncode}:\n{last}")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LabelStudioServer:
    """One Label Studio server on SQLite in `data_dir`; also a context manager.

    Args:
        data_dir: Everything that it remembers; made when absent, used again when there.
        venv: Where `install` put it.
        port: What it listens on; 0 takes a free one, which stays the same over restarts.
        host: Address it listens on.
        user: E-mail address of the one account.
        password: None makes one, and remembers it in `data_dir`.
        extra_env: Further environment of the server; wins over ours.
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
        """Where a browser or a client finds it."""
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0") else self.host
        return f"http://{host}:{self.port}"

    @property
    def account(self) -> Account:
        """Login and token; known once the server has started."""
        if self._account is None:
            raise ServiceError("Label Studio has not been started yet")
        return self._account

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout_s: float = 300.0) -> LabelStudioServer:
        """Start, wait until it answers, and make sure that the account and its token are there.

        Args:
            timeout_s: The first start on a new folder makes the database (up to a minute).

        Raises:
            ServiceError: If the port is taken, or it does not answer in time; names the log.
        """
        if self.running:
            return self
        self._check_port()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        login = _remembered(self.data_dir / "account.json")
        password = self._password or login.get("password") or secrets.token_urlsafe(12)
        self._launch(password)
        self._wait(timeout_s)
        token = login.get("token", "")
        if not token or not token_works(self.url, token):
            token = make_token(self.url, self._user, password)
        self._account = Account(user=self._user, password=password, token=token)
        _remember(self.data_dir / "account.json", password=password, token=token)
        return self

    def stop(self, timeout_s: float = 20.0) -> None:
        """End it; closing its standard input is the signal, a kill the last resort."""
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
        """End it at once, as a crash would."""
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
        """Another annotator, through the invitation link of the account.

        Raises:
            ServiceError: If Label Studio refuses, for instance because there is such a user.
        """
        return sign_up(self.url, self.account, user)

    def _check_port(self) -> None:
        # Label Studio itself would silently take the next free port.
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise ServiceError(f"port {self.port} is taken; Label Studio needs it free")

    def _launch(self, password: str) -> None:
        python = self.venv / "bin" / "python"
        if not python.exists():
            raise ServiceError(f"no Label Studio in {self.venv}; install it there first")
        words = [str(python), "-I", "-u", "-c", _ENTRY, "start", "--no-browser"]
        words += ["--internal-host", self.host, "--port", str(self.port)]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data_dir,
                env=self._environment(password),
                start_new_session=True,  # Ctrl-C is for whoever started us; we end it in stop()
            )

    def _environment(self, password: str) -> dict[str, str]:
        return server_environment(self.data_dir) | {
            "LABEL_STUDIO_USERNAME": self._user,
            "LABEL_STUDIO_PASSWORD": password,
            **self._extra_env,
        }

    def _wait(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
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
            f"its log is {self.log_file} and ends:\n{last}"
        )


def server_environment(data_dir: Path) -> dict[str, str]:
    """All environment of a Label Studio that answers to private addresses and calls nobody else.

    Nothing is inherited: a `LABEL_STUDIO_HOST` or `DJANGO_DB` of the user is for another server.
    """
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(data_dir),
        "LANG": "C.UTF-8",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data_dir),
        # Since 1.23.1 the backend on a private address is refused without these.
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
        # No telemetry, no error reports, no look for a newer version.
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    }


def _remembered(path: Path) -> dict[str, str]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _remember(path: Path, **values: str) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(values))
