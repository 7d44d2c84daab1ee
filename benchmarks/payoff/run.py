"""How far the measurements of xlt.payoff can be trusted: coverage, false alarms, harm found.

python benchmarks/payoff/run.py coverage
python benchmarks/payoff/run.py alarms --projects 25
python benchmarks/payoff/run.py harm --projects 10 --spoilt 0.5

Made-up data, so that the truth is known. Prints one JSON line per case.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace

import numpy as np

from xlt.payoff.labelled import Labelled
from xlt.payoff.lure import capped, lure_weights, weighted_accuracy
from xlt.payoff.marginal import improvement_by_last
from xlt.payoff.shadow import falls_back, shadow_test
from xlt.sampling.control import mix_in_control
from xlt.tasks.metrics import wilson
from xlt.tasks.single_label.task import SingleLabel

ERRORS = 0.4
CONTROL = 0.1
#: Of the labels of a project: an audit share of 0.1, and control labels of the others.
AT_RANDOM = 0.19
LOOKS = range(100, 2001, 100)


def coverage(pools: int) -> None:
    """How often the LURE interval holds the pool's accuracy, where choice prefers errors."""
    for pool in (200, 2000):
        for labels in (20, 50, 100, 150):
            rng = np.random.default_rng(1)
            rows = np.array([one_pool(pool, labels, rng) for _ in range(pools)])
            names = ("held", "held_unweighted", "effective", "width", "width_of_audit_labels")
            row = dict(zip(names, rows.mean(axis=0).round(3).tolist(), strict=True))
            print(json.dumps({"pool": pool, "labels": labels} | row), flush=True)


def one_pool(pool: int, labels: int, rng: np.random.Generator) -> tuple[float, ...]:
    """One pool whose labels are drawn by the sampler, and a ninth as many audit labels."""
    wrong = rng.random(pool) < ERRORS
    wanted = np.argsort(-(wrong + rng.normal(0, 0.5, pool)))
    found = mix_in_control(wanted, rng.random(pool), CONTROL, rng)
    right = 1.0 - wrong[found.order[:labels]]
    audit = (rng.random(labels // 9) >= ERRORS).astype(float)
    weights = capped(lure_weights(found.propensity[:labels], pool))
    said = weighted_accuracy(right, weights, audit)
    plain = wilson(int(right.sum()), labels)
    alone = wilson(int(audit.sum()), len(audit))
    truth = 1 - wrong.mean()
    return (
        float(said.low <= truth <= said.high),
        float(plain[0] <= truth <= plain[1]),
        said.effective - len(audit),
        said.high - said.low,
        alone[1] - alone[0],
    )


def looks(projects: int, spoilt: float) -> None:
    """Shadow tests of growing projects, one each hundred labels, up to 2,000."""
    first, alarms, gains, halves = [], [], [], []
    for seed in range(projects):
        data, at_random = project(1000 + seed, spoilt)
        back, since = False, None
        for n in LOOKS:
            found = shadow_test(
                part(data, n),
                ~at_random[:n],
                at_random[:n],
                ["l0", "l1", "l2", "l3"],
                np.random.default_rng([seed, n]),
            )
            alarms.append(found is not None and found.overall.gain.high < 0)
            back = falls_back(back, found)
            since = n if back and since is None else since
        first.append(since)
        if found is not None:
            gain = found.overall.gain
            gains.append(gain.value)
            halves.append((gain.high - gain.low) / 2)
    when = sorted(n for n in first if n is not None)
    row = {
        "spoilt": spoilt,
        "projects": projects,
        "tests": len(alarms),
        "tests_clearly_worse": round(float(np.mean(alarms)), 4),
        "projects_that_fell_back": len(when),
        "labels_when_they_did": when,
        "gain_at_the_end": round(float(np.mean(gains)), 4),
        "half_width_at_the_end": round(float(np.mean(halves)), 4),
    }
    print(json.dumps(row), flush=True)


def project(seed: int, spoilt: float) -> tuple[Labelled, np.ndarray]:
    """2,000 labels in four languages; of the chosen ones a share has labels of no sense."""
    rng = np.random.default_rng(seed)
    middles = 0.55 * np.random.default_rng(5).standard_normal((4, 16))
    y = rng.integers(0, 4, LOOKS[-1])
    vectors = middles[y] + rng.standard_normal((len(y), 16))
    at_random = rng.random(len(y)) < AT_RANDOM
    bad = ~at_random & (rng.random(len(y)) < spoilt)
    data = labelled(vectors, np.where(bad, rng.integers(0, 4, len(y)), y), rng, classes=4, langs=4)
    return data, at_random


def part(data: Labelled, n: int) -> Labelled:
    """The first labels."""
    return replace(
        data,
        vectors=data.vectors[:n],
        answers=data.answers[:n],
        langs=data.langs[:n],
        groups=data.groups[:n],
    )


def labelled(
    vectors: np.ndarray, y: np.ndarray, rng: np.random.Generator, *, classes: int, langs: int
) -> Labelled:
    """Labels of texts in languages drawn at random."""
    task = SingleLabel(labels=tuple(f"c{k}" for k in range(classes)))
    return Labelled(
        vectors=vectors.astype(np.float32),
        answers=[task.labels[k] for k in y],
        task=task,
        langs=np.array([f"l{i}" for i in rng.integers(0, langs, len(y))]),
        groups=np.arange(len(y)).astype(str),
    )


def seconds() -> None:
    """What measuring costs after a training: 2,000 labels, 384 numbers, 20 languages, 7 classes."""
    rng, n = np.random.default_rng(0), 2000
    middles, y = 0.15 * rng.standard_normal((7, 384)), rng.integers(0, 7, n)
    vectors = middles[y] + 0.5 * rng.standard_normal((n, 384))
    data = labelled(vectors, y, rng, classes=7, langs=20)
    at_random = np.arange(n) < AT_RANDOM * n
    begin = time.process_time()
    shadow_test(data, ~at_random, at_random, [f"l{i}" for i in range(1, 20)], rng)
    middle = time.process_time()
    found = improvement_by_last(data, np.arange(600, n), np.arange(600))
    row = {"shadow_s": middle - begin, "last_labels_s": time.process_time() - middle}
    known = sum(bought is not None for bought in found.values())
    print(json.dumps({k: round(v, 2) for k, v in row.items()} | {"languages": known}))


def main() -> None:
    """Runs one kind of case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["coverage", "alarms", "harm", "seconds"])
    parser.add_argument("--pools", type=int, default=1500)
    parser.add_argument("--projects", type=int, default=25)
    parser.add_argument("--spoilt", type=float, default=0.5)
    args = parser.parse_args()
    if args.what == "coverage":
        coverage(args.pools)
    elif args.what == "seconds":
        seconds()
    else:
        looks(args.projects, 0.0 if args.what == "alarms" else args.spoilt)


if __name__ == "__main__":
    main()
