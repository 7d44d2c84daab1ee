"""Rounds give what they gave in the code before kinds of tasks: rows, labels, tasks, draws."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.same import differences
from tests.xlt_backend.story import Story, pinned, told
from tests.xlt_backend.world import World
from xlt_backend.rounds.steps import look

DATA = Path(__file__).parents[2] / "data" / "rounds"


@pytest.mark.parametrize(("name", "tolerance"), [("fake", 1e-9), ("tiny", 1e-3)])
def test_rounds_give_what_they_gave(
    name, tolerance, tmp_path, redis, tiny_encoder, float32, monkeypatch
):
    """Floats may differ as processors do, nothing else may."""
    monkeypatch.chdir(tmp_path)  # paths are hashed: they are relative
    monkeypatch.setattr(look, "data_hash", pinned)
    shutil.copytree(tiny_encoder, "tiny")
    encoder = "tiny" if name == "tiny" else "bundled"
    world = World(home=Path("home"), redis=redis, encoder=encoder, language=("som", 0.9))
    expected = json.loads((DATA / f"{name}.json").read_text("utf-8"))

    assert differences(expected, told(Story(world, tiny=name == "tiny")), tolerance) == []
