"""How often do the intervals on the page hold the truth? Simulated projects, the code of a round.

Each project has languages with pools of tasks. Audit tasks are drawn as rounds draw them, versions
are judged one after another against the active one, and the interval is the one that the page
shows of the version that is active in the end. The truth is the accuracy that the answers were
drawn with.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.payoff.forecast import GAIN, Judged, forecast
from xlt.sampling.audit import is_audit
from xlt.tasks.metrics import per_language, wilson
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.rounds.judge import judge

LABELS = ("a", "b")
TASK = SingleLabel(labels=LABELS)
#: Tasks of each language; a tenth of them is audited.
POOLS = (150, 400, 1000, 3000)
SHARE = 0.1
#: Labels of a language that its versions are trained on.
SIZES = (20, 35, 50, 75, 100, 130, 165, 200)
#: Share of the tasks that a version answers by itself, not by difficulty as its predecessors would.
FRESH = 0.1


def curve(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draws the true accuracies (V,) of a project's versions in a language."""
    a, b, c = rng.uniform(0.75, 0.98), rng.uniform(0.8, 2.0), rng.uniform(0.35, 0.7)
    return np.clip(a - b * np.array(SIZES, dtype=np.float64) ** -c, 0.2, 0.98)


def answers(true: NDArray[np.float64], tasks: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draws which tasks each version answers right, (V, tasks): mostly the easy ones."""
    difficulty = rng.random(tasks)
    fresh = rng.random((len(true), tasks)) < FRESH
    return np.where(fresh, rng.random((len(true), tasks)), difficulty) < true[:, None]


def project(number: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Simulates a project; returns what its page says of each language, and the truth."""
    salt = f"{number}.simulated"
    trues, rights, langs = [], [], []
    for pool in POOLS:
        lang = f"l{pool}"
        ids = [f"{number}-{lang}-{task}" for task in range(pool)]
        own = np.array([is_audit(id, share=SHARE, salt=salt) for id in ids])
        true = curve(rng)
        trues.append(true)
        rights.append(answers(true, pool, rng)[:, own])
        langs += [lang] * int(own.sum())
    right = np.concatenate(rights, axis=1)  # (V, audit labels)
    active = 0
    for version in range(1, len(SIZES)):
        if not judge(right[version].astype(float), right[active].astype(float)).worse:
            active = version
    truth = ["a"] * len(langs)
    shown = per_language(TASK, truth, np.where(right[active], "a", "b").tolist(), langs)
    rows = []
    for lang, true, own in zip([f"l{pool}" for pool in POOLS], trues, rights, strict=True):
        if own.shape[1] == 0:
            continue
        score = shown[lang]
        held = bool(score.low <= true[active] <= score.high)
        points = [
            Judged(labels=size, n=own.shape[1], accuracy=float(seen))
            for size, seen in zip(SIZES, own.mean(axis=1), strict=True)
        ]
        rows.append({"lang": lang, "n": score.n, "held": held, **foreseen(points, true, rng)})
    return rows


def foreseen(
    points: list[Judged], true: NDArray[np.float64], rng: np.random.Generator
) -> dict[str, bool]:
    """Returns whether there is a forecast, and whether it holds the number that is needed.

    The truth goes on as an inverse power law through the last true accuracies.
    """
    found = forecast(points, rng)
    if found is None:
        return {"forecast": False}
    sizes = np.array(SIZES, dtype=np.float64)
    best = min(
        (fitted(true, sizes, power) for power in np.linspace(0.2, 1.0, 81)), key=lambda fit: fit[0]
    )
    _, b, c = best
    left = b * sizes[-1] ** -c - GAIN
    needed = (b / left) ** (1 / c) - sizes[-1] if left > 0 else np.inf
    return {"forecast": True, "foreseen": bool(found.low <= needed <= found.high)}


def fitted(
    true: NDArray[np.float64], sizes: NDArray[np.float64], power: float
) -> tuple[float, float, float]:
    """Fits `a - b n^-power` to true accuracies; returns squared error, b and the power."""
    x = sizes**-power
    slope, start = np.polyfit(x, true, 1)
    return float(((start + slope * x - true) ** 2).sum()), float(-slope), float(power)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the coverage with its interval, by pool and in all."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups["all"].append(row)
        groups[row["lang"]].append(row)
    found = {}
    for name, own in groups.items():
        held = sum(row["held"] for row in own)
        low, high = wilson(held, len(own))
        spoken = [row for row in own if row["forecast"]]
        found[name] = {
            "intervals": len(own),
            "audit_labels": round(float(np.mean([row["n"] for row in own])), 1),
            "coverage": round(held / len(own), 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "forecasts": len(spoken),
            "forecasts_held": sum(row["foreseen"] for row in spoken),
        }
    return found


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    rows = [row for number in range(args.projects) for row in project(number, rng)]
    text = json.dumps({"projects": args.projects, "seed": args.seed, **summary(rows)}, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
