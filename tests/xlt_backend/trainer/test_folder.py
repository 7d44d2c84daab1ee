"""The folder that a round and its training process share."""

from __future__ import annotations

import json

from xlt.data.examples import Example
from xlt.data.jsonl import read_jsonl, write_jsonl
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.trainer import folder as files


def test_plan_survives_the_folder(tmp_path):
    """What is written is what is read."""
    plan = files.TrainPlan(
        mode="score", task=SingleLabel(labels=("ä", "b")), model="m", config={"x": 1}
    )
    files.write_plan(tmp_path, plan)
    examples = [
        Example(id="1", texts=("Ẹ káàárọ̀\n\u2028",), lang="yo", answer="ä", group="g", weight=0.5)
    ]
    write_jsonl(tmp_path / files.POOL, examples)

    assert files.read_plan(tmp_path) == plan
    assert read_jsonl(tmp_path / files.POOL) == examples
    assert json.loads((tmp_path / files.PLAN).read_text())["mode"] == "score"
