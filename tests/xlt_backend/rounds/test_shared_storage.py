"""Rounds on several machines that share a model folder on S3, beside a web server on another."""

from __future__ import annotations

import pytest

from tests.xlt_backend.world import World
from xlt.store.versions import Store
from xlt_backend.rounds import ledger as ledgers
from xlt_backend.service.registry import Registry


class Loaded:
    """A model in memory: the folder that it was read from."""

    def __init__(self, folder):
        self.text = (folder / "model.txt").read_text()


@pytest.fixture
def workers(tmp_path, redis, s3_url) -> list[World]:
    """Two workers, each with a disk of its own, for one project."""
    first = World(home=tmp_path / "first", redis=redis, model_dir=s3_url)
    second = World(
        home=tmp_path / "second",
        redis=redis,
        model_dir=s3_url,
        label_studio=first.label_studio,
    )
    return [first, second]


def test_workers_take_turns_without_losing_a_draw(workers, s3_url, tmp_path):
    """Each reads versions, pointer and ledger as the other left them; so does the web server."""
    first, second = workers
    web = Registry(Store(s3_url, cache=tmp_path / "web"), Loaded, capacity=2, memo_s=0.0)
    first.setup()
    web.refresh()
    assert web.versions() == {}
    first.trained()
    key = first.label_studio.info.key
    for worker in (second, first, second):
        before = set(ledgers.read(worker.versions).labelled)
        worker.label_studio.label_next(12)
        worker.time = max(first.time, second.time)
        worker.round()
        worker.assert_consistent()
        assert before < set(ledgers.read(worker.versions).labelled)
        web.refresh()
        assert web.versions() == {key: worker.shown}
    promoted = [c.version for c in first.versions.history() if c.action == "promoted"]
    assert len(promoted) == len(set(promoted)) == 4
