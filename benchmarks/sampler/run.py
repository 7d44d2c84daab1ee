"""How long choosing a batch takes and how much memory: xlt and others, size by size.

python benchmarks/sampler/run.py --sizes 10000 100000 1000000 --json result.json
python benchmarks/sampler/run.py --methods "activeml TypiClust" "small-text EmbeddingKMeans"

The others are the strategies of others.py, by the names there. Each case runs in a process of its
own, so that the peak memory is that case's.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np

WIDTH, CLASSES, LANGUAGES, LABELLED = 256, 7, 20, 500


def texts(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Random vectors (N, 256) in crowds, and probabilities (N, 7)."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, WIDTH), dtype=np.float32)
    vectors = rng.standard_normal((n, WIDTH), dtype=np.float32)
    for part in np.array_split(np.arange(n), max(1, n // 10_000)):
        vectors[part] += centres[rng.integers(0, len(centres), len(part))]
    return vectors, rng.dirichlet(np.ones(CLASSES), size=n).astype(np.float32)


#: Seconds on the clock and of the processor.
Seconds = tuple[float, float]


def timed(work: Callable[[], object]) -> tuple[Seconds, object]:
    """How long some work took, and what came out."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return (time.perf_counter() - clock, time.process_time() - processor), found


def xlt(n: int, batch: int) -> Seconds:
    """The whole selection, uncertainty and the order of all N tasks included."""
    from xlt.sampling.select import Pool, SamplerOptions, Selection, select
    from xlt.sampling.uncertainty import margin

    vectors, probabilities = texts(n)
    pool = Pool(
        ids=[str(i) for i in range(n)],
        langs=[f"l{i % LANGUAGES}" for i in range(n)],
        measure="margin",
        vectors=vectors,
        audit=np.arange(n) % 10 == 0,
        labelled_counts={f"l{i}": LABELLED // LANGUAGES for i in range(LANGUAGES)},
        labelled_vectors=vectors[:LABELLED] + 0.5,
        labelled_langs=[f"l{i % LANGUAGES}" for i in range(LABELLED)],
    )
    options = SamplerOptions(batch=batch, source_languages=("l0",))

    def whole() -> Selection:
        unsure = replace(pool, uncertainty=margin(probabilities))
        return select(unsure, options, np.random.default_rng(0))

    seconds, found = timed(whole)
    assert len(set(found.ids[:batch])) == batch
    return seconds


def another(name: str, n: int, batch: int) -> Seconds:
    """One query of scikit-activeml or small-text."""
    import_module("skactiveml.pool" if name.startswith("activeml") else "small_text")
    from others import strategies

    from xlt.simulate.replay import Texts
    from xlt.simulate.state import State
    from xlt.tasks.outputs import Outputs
    from xlt.tasks.single_label.task import SingleLabel

    vectors, probabilities = texts(n)
    task = SingleLabel(labels=tuple(f"c{k}" for k in range(CLASSES)))
    pool = Texts(
        ids=[str(i) for i in range(n)],
        groups=np.arange(n).astype(np.str_),
        langs=np.array(["l0"] * n),
        answers=[task.labels[i % CLASSES] for i in range(n)],
        vectors=vectors,
    )
    state = State(
        pool=pool,
        answered=np.arange(LABELLED),
        audit=np.zeros(n, dtype=bool),
        task=task,
        beliefs=Outputs(probabilities.astype(np.float64)),
    )
    query, rng = strategies()[name], np.random.default_rng(0)
    seconds, found = timed(lambda: query(state, state.open_rows, batch, rng))
    assert len(set(found.tolist())) == batch
    return seconds


def case(name: str, n: int, batch: int) -> dict[str, object]:
    """One measurement in this process."""
    seconds = xlt(n, batch) if name == "xlt" else another(name, n, batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = {"method": name, "texts": n, "batch": batch, "peak_mib": round(peak)}
    return row | {"seconds": round(seconds[0], 2), "processor_seconds": round(seconds[1], 2)}


def main() -> None:
    """Runs the cases one after another; prints and writes what it measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--methods", nargs="+", default=["xlt"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    context = multiprocessing.get_context("spawn")
    for name in args.methods:
        for n in args.sizes:
            with context.Pool(1) as workers:
                rows.append(workers.apply(case, (name, n, args.batch)))
            print(json.dumps(rows[-1]), flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
