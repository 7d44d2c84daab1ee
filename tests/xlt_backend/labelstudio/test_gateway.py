"""Which projects are ours, and how often Label Studio is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.stubserver import Answer, Request, Stub, serving
from tests.xlt_backend.labelstudio.test_http import ACCESS, PERSONAL
from xlt_backend.labelstudio.gateway import Gateway

URL = "http://xlt:9090"


class Server:
    """A Label Studio of four projects, the last of which has our model, and its clock."""

    def __init__(self) -> None:
        self.models = {"1": [], "2": ["http://other:9090"], "3": [], "4": [f"{URL}/"]}
        self.made = dict.fromkeys(self.models, "2026-11-01T08:00:00Z")

    def __call__(self, request: Request) -> Answer:
        """Answers as Label Studio does."""
        path, _, query = request.path.partition("?")
        if path == "/api/token/refresh/":
            return 200, {"access": ACCESS}
        if path == "/api/projects/":
            rows = [{"id": int(id), "created_at": made} for id, made in self.made.items()]
            return 200, {"results": rows, "next": None}
        assert path == "/api/ml/"
        urls = self.models[query.partition("project=")[2]]
        return 200, [{"id": n, "url": url, "extra_params": "{}"} for n, url in enumerate(urls)]


@pytest.fixture
def server() -> Server:
    """That Label Studio."""
    return Server()


@pytest.fixture
def stub(server: Server) -> Iterator[Stub]:
    """It answers."""
    with serving(server) as running:
        yield running


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock."""
    clock = [1000.0]
    monkeypatch.setattr("xlt_backend.labelstudio.gateway.time.monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def gateway(stub: Stub) -> Iterator[Gateway]:
    """Our side."""
    with closing(Gateway(stub.url, PERSONAL, public_url=URL, secret="s", pause_s=600.0)) as found:
        yield found


def asked(stub: Stub) -> Counter[str]:
    """How often each project was asked for its models; starts to count again."""
    paths = [path for path in stub.paths("GET") if path.startswith("/api/ml/")]
    stub.requests.clear()
    return Counter(path.partition("project=")[2] for path in paths)


def ids(gateway: Gateway, *known: str) -> list[int]:
    """The projects that are ours."""
    return [project.info.id for project in gateway.connected(known)]


@pytest.mark.usefixtures("now")
def test_projects_with_another_model_are_not_asked_each_time(gateway: Gateway, stub: Stub):
    """The first time every project is; then ours, new ones, and those that xlt knows."""
    assert ids(gateway) == [4]
    assert asked(stub) == {"1": 1, "2": 1, "3": 1, "4": 1}
    assert ids(gateway) == [4]
    assert asked(stub) == {"4": 1}
    assert ids(gateway, "2") == [4]
    assert asked(stub) == {"2": 1, "4": 1}


@pytest.mark.usefixtures("now")
def test_new_projects_are_found_at_once(gateway: Gateway, stub: Stub, server: Server):
    """Also one under the id of a deleted one, which Label Studio gives again."""
    ids(gateway)
    server.models["5"] = server.models["1"] = [URL]
    server.made |= {"5": "2026-11-02T08:00:00Z", "1": "2026-11-02T08:00:00Z"}
    asked(stub)
    assert ids(gateway) == [1, 4, 5]
    assert asked(stub) == {"1": 1, "4": 1, "5": 1}


def test_others_are_found_after_the_pause(
    gateway: Gateway, stub: Stub, server: Server, now: list[float]
):
    """A model that was added by hand, and whose /setup was lost."""
    ids(gateway)
    server.models["3"] = [URL]
    now[0] += 599
    assert ids(gateway) == [4]
    now[0] += 1
    asked(stub)
    assert ids(gateway) == [3, 4]
    assert asked(stub) == {"1": 1, "2": 1, "3": 1, "4": 1}


def test_without_a_pause_all_are_asked_each_time(stub: Stub):
    """As commands do that people run."""
    with closing(Gateway(stub.url, PERSONAL, public_url=URL, secret="s")) as gateway:
        for _ in range(2):
            assert ids(gateway) == [4]
            assert asked(stub) == {"1": 1, "2": 1, "3": 1, "4": 1}
