r"""Accuracy of learners by number of labels: a head on frozen vectors, and trainings.

    python benchmarks/learning/run.py --data DATA_DIR --out cells.jsonl --labels 300 1000 \
        --learners head frozen ce joint "joint:body_learning_rate=2e-4,epochs=6" --seeds 5

DATA_DIR holds sib200.parquet and nusax_senti.parquet. A cell is one data set, learner, number of
labels and seed; it runs in a process of its own and adds its lines to the file when it is finished,
so that a stopped run continues. `--table` prints what is in the file and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import DATA_SETS, draw
from learners import learn, settings

from xlt.simulate.comparison import paired

BASELINE = "head"
KILOBYTES_PER_MB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One measurement: what is learned, from how many labels, by which seed."""

    data: str
    encoder: str
    judge: str
    most: int
    labels: int
    learner: str
    seed: int


def measure(cell: Cell, folder: Path, threads: int) -> list[dict[str, object]]:
    """Runs a cell; returns one row per model."""
    import torch

    torch.set_num_threads(threads)
    split = draw(folder, cell.data, cell.labels, cell.seed, judge=cell.judge, most=cell.most)
    clock, processor = time.perf_counter(), time.process_time()
    logits = learn(cell.learner, split, cell.encoder, cell.seed)
    spent = {
        "seconds": round(time.perf_counter() - clock, 2),
        "processor_s": round(time.process_time() - processor, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KILOBYTES_PER_MB,
    }
    langs = np.array([example.lang for example in split.judging])
    truth = np.array([split.task.labels.index(str(e.answer)) for e in split.judging])
    return [
        {
            **{name: getattr(cell, name) for name in cell.__slots__},
            "model": model,
            **spent,
            "accuracy": by_language(values.argmax(axis=1) == truth, langs),
        }
        for model, values in logits.items()
    ]


def by_language(right: np.ndarray, langs: np.ndarray) -> dict[str, float]:
    """Returns the share of right answers of each language."""
    return {str(lang): round(float(right[langs == lang].mean()), 4) for lang in np.unique(langs)}


def run(cells: Sequence[Cell], args: argparse.Namespace) -> None:
    """Runs cells that the file lacks, some at a time."""
    done = {key(row) for row in rows_of(args.out)}
    left = [cell for cell in cells if key(vars_of(cell)) not in done]
    print(f"{len(cells)} cells, {len(cells) - len(left)} of them finished", file=sys.stderr)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        waiting = [pool.submit(measure, cell, args.data, args.threads) for cell in left]
        for number, finished in enumerate(as_completed(waiting), start=1):
            lines = "".join(json.dumps(row) + "\n" for row in finished.result())
            with args.out.open("a", encoding="utf-8") as file:
                file.write(lines)
            print(f"{number} of {len(left)} cells", file=sys.stderr)


def vars_of(cell: Cell) -> dict[str, object]:
    """Returns a cell's values by name."""
    return {name: getattr(cell, name) for name in cell.__slots__}


def key(row: Mapping[str, object]) -> tuple[object, ...]:
    """Identifies the cell that a row is of."""
    return tuple(row[name] for name in Cell.__slots__)


def rows_of(file: Path) -> list[dict[str, object]]:
    """Reads the rows of finished cells; a line without an end is cut off."""
    if not file.is_file():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(file, len(whole))
    return [json.loads(line) for line in whole.decode().splitlines()]


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Returns Markdown: means over targets and seeds, and points against the head by seed."""
    lines = [
        "| data | labels | model | seeds | accuracy | points against the head | worst language "
        "| seconds | processor seconds | peak MB |",
        "|---|--:|---|--:|--:|---|---|--:|--:|--:|",
    ]
    groups: dict[tuple[str, int, str], dict[int, Mapping[str, object]]] = {}
    for row in rows:
        name = (str(row["data"]), int(str(row["labels"])), str(row["model"]))
        groups.setdefault(name, {})[int(str(row["seed"]))] = row
    for (data, labels, model), of_seed in sorted(groups.items(), key=lambda item: item[0][:2]):
        heads = groups.get((data, labels, BASELINE), {})
        seeds = sorted(of_seed)
        values = np.array([_accuracies(of_seed[seed]) for seed in seeds])
        common = [seed for seed in seeds if seed in heads and model != BASELINE]
        spent = [
            f"{np.mean([float(str(of_seed[seed][name])) for seed in seeds]):,.0f}"
            for name in ("seconds", "processor_s", "peak_mb")
        ]
        cells = [data, f"{labels:,}", f"`{model}`", str(len(seeds)), f"{values.mean():.3f}"]
        cells += _against(of_seed, heads, common) if common else ["", ""]
        lines.append("| " + " | ".join([*cells, *spent]) + " |")
    return "\n".join(lines)


def _accuracies(row: Mapping[str, object]) -> list[float]:
    accuracy: dict[str, float] = row["accuracy"]  # type: ignore[assignment]
    return [accuracy[lang] for lang in DATA_SETS[str(row["data"])].targets]


def _against(
    of_seed: Mapping[int, Mapping[str, object]],
    heads: Mapping[int, Mapping[str, object]],
    seeds: Sequence[int],
) -> list[str]:
    """Returns the mean difference with its interval, and the language with the least one."""
    points = 100 * np.array(
        [np.subtract(_accuracies(of_seed[s]), _accuracies(heads[s])) for s in seeds]
    )
    found = paired(points.mean(axis=1))
    interval = "" if found.low is None else f" ({found.low:+.1f} to {found.high:+.1f})"
    targets = DATA_SETS[str(of_seed[seeds[0]]["data"])].targets
    least = int(points.mean(axis=0).argmin())
    return [
        f"{found.mean:+.1f}{interval}",
        f"{targets[least]} {points.mean(axis=0)[least]:+.1f}",
    ]


def main() -> None:
    """Runs all cells and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--out", type=Path, required=True, help="file of finished cells")
    parser.add_argument("--sets", nargs="+", choices=list(DATA_SETS), default=["sib200"])
    parser.add_argument("--labels", nargs="+", type=int, default=[150, 300, 1000])
    parser.add_argument("--learners", nargs="+", default=["head", "frozen", "ce", "joint"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--encoder", default="bundled", help="a folder or a Hub name")
    parser.add_argument("--judge", choices=["test", "tuning"], default="tuning")
    parser.add_argument("--most", type=int, default=204, help="judging texts of a language")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of a cell")
    parser.add_argument("--table", action="store_true", help="print the table of the file alone")
    args = parser.parse_args()
    for learner in args.learners:
        if learner != BASELINE:
            settings(learner)
    cells = [
        Cell(
            data=name,
            encoder=args.encoder,
            judge=args.judge,
            most=args.most,
            labels=labels,
            learner=learner,
            seed=seed,
        )
        for seed in range(args.seeds)
        for name in args.sets
        for labels in args.labels
        for learner in args.learners
    ]
    if not args.table:
        run(cells, args)
    print(table(rows_of(args.out)))


if __name__ == "__main__":
    main()
