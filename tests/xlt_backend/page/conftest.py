"""A web server with a project whose state a test writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from tests.xlt_backend.service.test_registry import Loader
from tests.xlt_backend.web.server import make_parts
from xlt.store.versions import Store
from xlt_backend.page.live import Live
from xlt_backend.queue.state import StateStore
from xlt_backend.web.app import create_app
from xlt_backend.web.parts import Parts

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
#: Streams that end after the first look.
AT_ONCE = Live(every_s=0.001, lasts_s=0.001)


@pytest.fixture
def parts(redis, tmp_path) -> Parts:
    """The server's parts."""
    return make_parts(redis, Store(tmp_path / "models"), Loader())


@pytest.fixture
def states(redis) -> StateStore:
    """States of the projects."""
    return StateStore(redis)


@pytest.fixture
def browser(parts) -> Iterator[TestClient]:
    """A browser at an open server."""
    with TestClient(
        create_app(parts, AT_ONCE), raise_server_exceptions=False, headers=BROWSER
    ) as client:
        yield client


@pytest.fixture
def locked(parts) -> Iterator[TestClient]:
    """A browser at a server that asks for a password."""
    app = create_app(replace(parts, basic_auth=("ada", "pässword")), AT_ONCE)
    with TestClient(app, raise_server_exceptions=False, headers=BROWSER) as client:
        yield client
