"""Versions of a project's model: what the store keeps of them is read back."""

from __future__ import annotations

from datetime import date

import pytest

from tests.xlt.tasks.samples import drawn, examples_of, task_of
from xlt.models.card import Origin
from xlt.store.versions import Store
from xlt.tasks.kinds import KINDS, task_from_json
from xlt_backend.rounds import versions
from xlt_backend.rounds.judge import Judgement
from xlt_backend.rounds.known import task_of as version_task
from xlt_backend.trainer import folder as files

FINE = task_from_json({"kind": "rating", "lowest": 0, "step": 0.5, "steps": 333})


@pytest.mark.parametrize("task", [*map(task_of, KINDS), FINE], ids=[*KINDS, "fine scale"])
def test_a_version_knows_its_task(task, tmp_path):
    """Otherwise each round would take it for another one, and train again without an end."""
    store = Store(tmp_path / "models").project("1.1795330494")
    folder = tmp_path / "trained"
    (folder / files.MODEL).mkdir(parents=True)
    (folder / files.MODEL / "model.safetensors").write_bytes(b"weights")
    name = versions.save(
        store,
        folder,
        task,
        train=examples_of(drawn(task, 0, 12)),
        audit=[],
        data="abc",
        judgement=Judgement(worse=False, reason=""),
        encoder=Origin(name="bundled"),
        day=date(2026, 11, 29),
        details={"reason": "enough labels"},
    )
    assert version_task(store.meta(name)) == task
    [known] = versions.known(store, failed_hash="", first_new_at=None)[0].versions
    assert known.task == task
