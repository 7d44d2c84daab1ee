"""Jobs that the former web server queued, and the queue's state."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict

from tests.same import differences
from tests.upgrade.restore import as_bytes, read_keys


def test_waiting_job_is_done(restored):
    """The job names the function by its former place; its first training is as it was."""
    site = restored("waiting")
    (job,) = (
        row["value"]["data"]
        for key, row in read_keys(site.folder / "redis.json").items()
        if key.startswith("rq:job:")
    )
    called = json.loads(zlib.decompress(as_bytes(job)))
    assert called == ["xlt_backend.jobs.run_round", None, ["1"], {}]
    site.work()

    assert site.differences(site.expected, "v0001-20270115T080029") == []
    site.world.assert_consistent()


def test_cancelled_round_is_found_by_its_lease(restored):
    """The round that was asked to stop reads it; its state and its queue are shown."""
    site = restored("cancelled")
    world, expected = site.world, site.expected
    keys = read_keys(site.folder / "redis.json")
    token = keys["xlt:lease:1"]["value"]
    state = json.loads(json.dumps(asdict(world.states.get("1"))))

    assert world.queue.is_cancelled("1", token) is expected["cancelled"]
    assert world.queue.is_cancelled("1", "another") is expected["other"]
    assert world.queue.status("1") == expected["status"]
    assert world.states.is_due("1") is expected["due"]
    assert world.queue.others_wait("1", 1) is expected["others_wait"]
    state["last_round"] = {k: state["last_round"][k] for k in expected["state"]["last_round"]}
    assert differences(expected["state"], {k: state[k] for k in expected["state"]}) == []


def test_failed_project_is_held_and_a_lost_job_requested_again(restored):
    """Failures count, their error is shown; a job that is gone from the queue is replaced."""
    site = restored("failed")
    world, redis, expected = site.world, site.world.redis, site.expected
    redis.persist("xlt:suspect:3")  # a slow machine changes nothing
    redis.persist("xlt:hold:2")
    queue = world.queue
    state = asdict(world.states.get("2"))

    assert sorted(queue.projects()) == expected["projects"]
    assert sorted(world.service.projects()) == expected["known"]
    assert [queue.status(project) for project in ("1", "2", "3")] == expected["status"]
    assert {key: state[key] for key in expected["state"]} == expected["state"]
    assert redis.get("xlt:failures:2").decode() == expected["failures"]
    assert list(queue.tick()) == expected["started"]  # the second look at project 3
    assert [queue.status(project) for project in ("2", "3")] == expected["again"]
