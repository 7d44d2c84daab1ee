"""The job that a worker runs: it takes the lease, gives it back, and remembers what failed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fakes import FakeLabelStudio, FakeTrainer
from xlt.store.versions import Store
from xlt_backend.errors import AuthenticationError, NotFoundError, UnreachableError
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.settings import Settings
from xlt_backend.worker import jobs


@pytest.fixture
def site(tmp_path, redis, redis_socket, monkeypatch):
    """A Redis, a stand-in for Label Studio, and the settings that lead to them."""
    settings = Settings(home=tmp_path, redis_url=f"unix://{redis_socket}")
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(20)
    shared = (label_studio, Store(settings.model_dir))
    monkeypatch.setattr(jobs, "_shared", lambda _: shared)
    monkeypatch.setattr(jobs, "run_trainer", FakeTrainer())
    return SimpleNamespace(
        settings=settings,
        label_studio=label_studio,
        queue=TrainQueue(redis),
        states=StateStore(redis),
    )


def run(site) -> dict:
    """Asks, and runs the job."""
    return jobs.run("1", site.queue.request("1", forced=True).job_id, site.settings)


def test_a_round_is_run_and_the_lease_given_back(site):
    """What was done is returned; the project is idle then."""
    assert run(site)["action"] == "start"
    assert site.queue.status("1") == "idle"
    assert site.label_studio.info.model_version.startswith("start-")


def test_superseded_job_does_nothing(site):
    """An old job that turns up late is none."""
    site.queue.request("1")

    assert jobs.run("1", "round-1-older", site.settings)["done"] is False
    assert site.label_studio.calls == []


def test_failed_round_is_held_and_told(site):
    """The error is in the state, the project is tried again later."""

    def fail(what: str) -> None:
        raise UnreachableError("Label Studio is down")

    site.label_studio.before = fail
    with pytest.raises(UnreachableError):
        run(site)

    assert site.queue.status("1") == "held"
    assert "Label Studio is down" in site.states.get("1").last_error


def test_error_before_the_round_is_told(site, monkeypatch):
    """No token: /status says how to get one."""

    def no_token(_: Settings) -> None:
        raise AuthenticationError("no Label Studio token")

    monkeypatch.setattr(jobs, "_shared", no_token)
    with pytest.raises(AuthenticationError):
        run(site)

    assert "no Label Studio token" in site.states.get("1").last_error
    assert site.queue.status("1") == "held"


def test_deleted_project_is_forgotten(site):
    """It is asked for no more."""
    site.states.put("1", title="gone")

    def gone(what: str) -> None:
        raise NotFoundError("Label Studio has no project 1")

    site.label_studio.before = gone

    assert run(site)["done"] is False
    assert site.states.projects() == ()
    assert site.queue.status("1") == "idle"


def test_stopping_worker_leaves_the_work_to_the_next(site, monkeypatch):
    """The round that was stopped is wanted as before."""
    monkeypatch.setattr(jobs.STOPPING, "is_set", lambda: True)
    assert run(site)["done"] is False
    monkeypatch.undo()

    assert site.queue.status("1") == "held"
    assert site.queue.tick() == ()


@pytest.mark.parametrize(("meanwhile", "status"), [(30, "waiting"), (1, "idle")])
def test_labels_that_came_while_the_round_looked_start_the_next(site, meanwhile, status):
    """They were counted before the round set the number needed; no further label may come."""

    def annotate(what: str) -> None:
        if what == "tasks":
            site.states.add_new("1", [f"task {i}" for i in range(meanwhile)])

    site.label_studio.before = annotate
    run(site)

    assert 1 < site.states.get("1").needed <= 30
    assert site.queue.status("1") == status
