"""Chromium without a window, steered by its DevTools protocol over a pipe: no driver is needed."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually

_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Chromium itself may ask nobody for anything.
_QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


class Tab:
    """A page in Chromium.

    Attributes:
        requests: Addresses of all requests so far.
        errors: Errors of scripts, and what the policy of a page refused.
    """

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._buffer, self._number = b"", 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Calls a method of the protocol; its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            self._note(answer)

    def evaluate(self, script: str) -> Any:
        """Runs a script in the page, outside its policy; what it gives, as JSON."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def open(self, address: str) -> None:
        """Opens an address, and waits until the page is there."""
        self.call("Page.navigate", url=address)
        eventually(lambda: self.evaluate("document.readyState") == "complete", within_s=30)

    def press(self, selector: str) -> None:
        """Presses the first element that fits, and waits for the page that it leads to."""
        wanted = json.dumps(selector)
        before = f"window.before = true; document.querySelector({wanted}) !== null"
        eventually(lambda: self.evaluate(before), within_s=30)
        self.evaluate(f"document.querySelector({wanted}).click()")
        loaded = "document.readyState === 'complete' && window.before === undefined"
        eventually(lambda: self.evaluate(loaded), within_s=30)

    def text(self, selector: str) -> str:
        """The text of the first element that fits; empty without one."""
        script = f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"
        return str(self.evaluate(script))

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + 60
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            assert ready, "Chromium does not answer"
            part = os.read(self._read, 2**16)
            assert part, "Chromium has ended"
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])


@contextmanager
def chromium(folder: Path) -> Iterator[Tab]:
    """A page in a new Chromium, until the block ends; skips without one, except in CI."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        if os.environ.get("CI"):
            raise LookupError(f"none of {_NAMES} is there: see .ci/run")
        pytest.skip("needs Chromium")
    read, their_write = os.pipe()
    their_read, write = os.pipe()
    # Chromium reads file descriptor 3 and writes 4; Bash puts ours there. Other shells cannot name
    # descriptors above 9.
    line = f'exec 3<&{their_read} 4>&{their_write}; exec "$@"'
    command = ["bash", "-c", line, "bash", program, *_QUIET, f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        command,
        pass_fds=(their_read, their_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(their_read)
    os.close(their_write)
    try:
        yield Tab(read, write)
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(read)
        os.close(write)
