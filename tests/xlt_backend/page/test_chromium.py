"""Pages in Chromium: progress that moves, buttons that work, nothing asked of another host."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvicorn

from tests.chromium import Tab, chromium
from tests.waiting import eventually
from tests.xlt_backend.service.test_registry import Loader
from tests.xlt_backend.web.server import make_parts
from xlt_backend.page.live import Live
from xlt_backend.web.app import create_app


@pytest.fixture
def url(world) -> Iterator[str]:
    """The address of a server in this process."""
    parts = make_parts(world.redis, world.store, Loader())
    app = create_app(parts, Live(every_s=0.05))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def tab(tmp_path) -> Iterator[Tab]:
    """A page in Chromium."""
    with chromium(tmp_path / "chromium") as found:
        yield found


def test_a_person_watches_a_round_and_rolls_back(world, url, tab):
    """Progress moves without a reload; each button asks first and does what it says."""
    world.setup()
    first = world.trained()
    world.label_studio.label_next(12)
    gate = threading.Event()
    world.trainer.before = lambda plan: gate.wait(30)
    tab.open(f"{url}/projects/1")
    tab.evaluate("window.opened = true")
    idle = tab.text("#progress-1")
    running = threading.Thread(target=world.round)
    running.start()
    try:
        eventually(lambda: tab.text("#progress-1") != idle)
        assert tab.evaluate("window.opened") is True
    finally:
        gate.set()
        running.join()
    second = world.shown
    assert second != first
    eventually(lambda: second in tab.text("#progress-1"))

    tab.open(f"{url}/projects/1/queue")
    tab.press("a[href$='/ask/pause']")
    assert not world.service.status("1")["steering"]
    tab.press("form[method=post] button")
    assert world.service.status("1")["steering"]["paused_by"]
    tab.press("a[href$='/ask/resume']")
    tab.press("form[method=post] button")
    assert not world.service.status("1")["steering"]

    tab.open(f"{url}/projects/1/versions")
    tab.press("a[href$='/ask/rollback']")
    tab.press("form[method=post] button")
    assert world.versions.current() == first
    world.round()
    assert world.shown == first

    assert tab.errors == []
    hosts = {urlsplit(address).netloc for address in tab.requests if address.startswith("http")}
    assert hosts == {urlsplit(url).netloc}


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_pages_fit_a_telephone(world, url, tab, lang):
    """At 360 points nothing is wider than the screen, in both directions of writing."""
    world.setup()
    world.trained()
    tab.call(
        "Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1,
        mobile=True,
    )  # fmt: skip
    for page in ("/", *(f"/projects/1{end}" for end in ("", "/queue", "/versions", "/annotators"))):
        tab.open(f"{url}{page}?page-language={lang}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, page
    assert tab.errors == []
