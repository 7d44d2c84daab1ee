"""A plan that the training process can carry out in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlt.data.examples import Example
from xlt.data.jsonl import write_jsonl
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.trainer import folder as files


@pytest.fixture
def plan(tmp_path: Path, tiny_encoder: Path) -> Path:
    """A folder with a small training."""
    words = {"sport": "ball team goal", "music": "song band drum"}
    examples = [
        Example(id=str(n), texts=(f"{words[label]} {n}",), lang=("en", "sw")[n % 2], answer=label)
        for n in range(20)
        for label in words
    ]
    write_jsonl(tmp_path / files.LABELLED, examples[:24])
    write_jsonl(tmp_path / files.AUDIT, examples[24:32])
    write_jsonl(tmp_path / files.POOL, examples[32:])
    task = SingleLabel(labels=("sport", "music"))
    config = {"encoder": str(tiny_encoder), "min_steps": 4, "max_steps": 4}
    files.write_plan(
        tmp_path, files.TrainPlan(mode="train", task=task, config=config, threads=1, nice=0)
    )
    return tmp_path
