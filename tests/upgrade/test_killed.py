"""Work that the former worker was killed in is asked for again, and finished."""

from __future__ import annotations

import json
import sys

import pytest

from tests.upgrade.restore import read_keys
from tests.upgrade.site import never
from xlt.tasks.outputs import Scores
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.supervise import run_trainer

V1 = "v0001-20270115T080029"


def test_half_published_version_is_published(restored):
    """Its training is not done again; the rest of its rows follows, the ledger keeps its draws."""
    site = restored("killed_in_publish")
    drawn = json.loads((site.folder / "models/1.1795330494/draws.json").read_text())
    before = site.rows(V1)
    site.world.trainer = never
    site.world.service.tick()
    site.work()

    assert site.differences(site.expected, V1) == []
    assert site.rows(V1)[: len(before)] == before
    draws = site.expected["draws"]
    assert drawn["orders"][V1]["draws"].keys() <= draws["orders"][V1]["draws"].keys()
    assert draws["labelled"] == drawn["labelled"]
    site.world.assert_consistent()


@pytest.mark.parametrize("name", ["killed_in_training", "killed_in_scoring"])
def test_training_is_finished(name, restored):
    """It is taken up or done again; its model is promoted and shown."""
    site = restored(name)
    world = site.world
    started = json.loads(next(site.folder.glob("work/*/train-*/plan.json")).read_text())
    world.service.tick()
    site.work()

    version = "v0001-20270115T080030"
    assert world.state.last_round["action"] == "publish"
    assert world.versions.versions() == (version,)
    assert world.versions.current() == world.shown == version
    meta = world.versions.meta(version)
    assert meta.details["labels"] == started["spec"]["labels"]
    assert meta.data_hash.startswith(next(site.folder.glob("work/*/train-*")).name[6:])
    assert sum(world.state.labels.values()) == 17
    world.assert_consistent()
    assert world.queue.status("1") == "idle"


def test_lost_lease_is_not_waited_for(restored):
    """The dead worker's job is of no use any more: the tick requests another one."""
    site = restored("killed_in_training")
    keys = read_keys(site.folder / "redis.json")
    site.world.service.tick()

    assert site.world.queue.status("1") == "waiting"
    assert f"rq:job:{site.world.redis.get('xlt:waiting:1').decode()}" not in keys


def test_running_worker_starts_the_new_training_process(restored):
    """A worker from before the upgrade starts it by its former name, with a plan of its own."""
    site = restored("killed_in_scoring")
    folder = next(site.world.home.glob("work/*/train-*"))
    command = (sys.executable, "-m", "xlt_backend.trainer")

    result = run_trainer(folder, timeout_s=120, command=command)

    assert {"seconds", "training", "peak_rss_bytes"} <= result.keys()
    sizes = {files.LABELLED_SCORES: 17, files.AUDIT_SCORES: 8, files.POOL_SCORES: 33}
    for name, size in sizes.items():
        assert Scores.load(folder / name).outputs.values.shape == (size, 3)
