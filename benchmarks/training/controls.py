"""Measures the time to train three controls together against that of one, in one run.

    python benchmarks/training/controls.py --json benchmarks/training/controls.json

Data: the texts that ship with xlt, with one topic each. The second control is a rating by topic,
the third any of two labels. The first `--labels` texts are labelled, the others are the pool.
Trainings with one and with three controls take turns; a ratio is that of their medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import xlt_backend
from xlt.config import TrainConfig
from xlt.data.by_control import ByControl
from xlt.data.examples import Example
from xlt.data.jsonl import from_row
from xlt.tasks.kinds import KINDS
from xlt.tasks.multi_task.task import MultiTask
from xlt.tasks.parts import Part
from xlt.tasks.task import AnyTask
from xlt.training.train import train

TEXTS = Path(xlt_backend.__file__).parent / "demo" / "texts" / "topics.jsonl"


def tasks(topics: Sequence[str]) -> dict[str, AnyTask]:
    """Returns the task of one control, and that of three."""
    topic = KINDS["single_label"].task(topics)
    parts = {
        "topic": topic,
        "stars": KINDS["rating"].task(["5"]),
        "tags": KINDS["multi_label"].task(["early", "late"]),
    }
    several = MultiTask(parts=tuple(Part(name=name, task=task) for name, task in parts.items()))
    return {"one": topic, "three": several}


def answered(example: Example, task: AnyTask, topics: Sequence[str]) -> Example:
    """Returns the example with an answer to the task."""
    if task.kind == "single_label":
        return example
    place = topics.index(str(example.answer))
    tags = tuple(tag for tag, has in (("early", place < 4), ("late", place > 2)) if has)
    answers = {"topic": example.answer, "stars": 1 + place % 5, "tags": tags}
    return replace(example, answer=ByControl.of(answers))


def main() -> None:
    """Runs the trainings and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--steps", type=int, default=30, help="of a joint training")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    lines = TEXTS.read_text(encoding="utf-8").splitlines()
    rows = [from_row(json.loads(line)) for line in lines]
    rows = [rows[n] for n in np.random.default_rng(13).permutation(len(rows))]
    topics = sorted({str(row.answer) for row in rows})
    pool = [replace(row, answer=None) for row in rows[args.labels :]]
    learners = {"frozen": {}, "joint": {"max_steps": args.steps}}
    seconds: dict[str, dict[str, list[float]]] = {}
    for learner, more in learners.items():
        config = TrainConfig.from_mapping({"encoder": args.encoder, "learner": learner, **more})
        for _ in range(args.repeats):
            for name, task in tasks(topics).items():
                labelled = [answered(row, task, topics) for row in rows[: args.labels]]
                with tempfile.TemporaryDirectory() as folder:
                    result = train(labelled, pool, task, config, Path(folder) / "model")
                seconds.setdefault(learner, {}).setdefault(name, []).append(result.seconds)
                print(f"{learner}, {name}: {result.seconds:.1f} s", file=sys.stderr)
    document = {
        "settings": {k: v for k, v in vars(args).items() if k != "json"} | {"pool": len(pool)},
        "seconds": seconds,
        "three_to_one": {
            learner: round(statistics.median(s["three"]) / statistics.median(s["one"]), 3)
            for learner, s in seconds.items()
        },
    }
    text = json.dumps(document, indent=1)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
