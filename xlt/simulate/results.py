"""The summary of a simulation: the learning curves of each strategy, against baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.simulate.comparison import Difference, areas, labels_saved, labels_to, paired
from xlt.simulate.journal import Cell
from xlt.simulate.learning_curve import EVERYTHING

#: Baselines that every strategy is compared with, if they were run.
BASELINES = ("random", "stratified", "in-target", "zero-shot")
#: Shares of the accuracy that all labels give.
LEVELS = (0.90, 0.95)
#: Labels saved are reported by language against this baseline only.
STRATIFIED = "stratified"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """The learning curves of one strategy: S seeds, P points, L languages.

    Attributes:
        seeds: S seeds, ascending.
        labels: (P,) numbers of labels, at the points that all seeds have.
        langs: L language codes.
        accuracy: (S, P, L) in [0, 1].
        spent: (S, P, L) numbers of labels.
    """

    seeds: Sequence[int]
    labels: NDArray[np.intp]
    langs: Sequence[str]
    accuracy: NDArray[np.float64]
    spent: NDArray[np.float64]

    def mean_over(self, langs: Sequence[str]) -> NDArray[np.float64]:
        """Returns the mean accuracy (S, P) of some languages."""
        columns = [self.langs.index(lang) for lang in langs]
        return np.asarray(self.accuracy[:, :, columns].mean(axis=2))


def curves(cells: Sequence[Cell]) -> dict[str, Curves]:
    """Groups cells: strategy -> its curves."""
    by_name: dict[str, dict[int, Cell]] = {}
    for cell in cells:
        by_name.setdefault(cell.strategy, {})[cell.seed] = cell
    return {
        name: _curves([by_seed[seed] for seed in sorted(by_seed)])
        for name, by_seed in by_name.items()
    }


def _curves(cells: Sequence[Cell]) -> Curves:
    points = [{int(point["labels"]): point for point in cell.points} for cell in cells]
    if all(len(seed) == 1 for seed in points):  # all labels of the pool, and pools differ in size
        least = min(n for seed in points for n in seed)
        points = [{least: next(iter(seed.values()))} for seed in points]
    labels = sorted(set.intersection(*(set(seed) for seed in points)))
    langs = list(points[0][labels[-1]]["accuracy"])
    table = [[seed[n] for n in labels] for seed in points]
    return Curves(
        seeds=[cell.seed for cell in cells],
        labels=np.array(labels, dtype=np.intp),
        langs=langs,
        accuracy=np.array(
            [[[point["accuracy"][lang] for lang in langs] for point in seed] for seed in table]
        ),
        spent=np.array(
            [[[point["spent"].get(lang, 0) for lang in langs] for point in seed] for seed in table]
        ),
    )


def summary(cells: Sequence[Cell], targets: Sequence[str]) -> dict[str, Any]:
    """Summarises a simulation, JSON-ready.

    Args:
        cells: Finished cells of one setup; a strategy need not have all seeds.
        targets: Languages whose mean accuracy counts.

    Returns:
        "targets"; "full_data", the mean accuracy with all labels; "strategies": name -> seeds,
        area, accuracy by number of labels, both for each language as well, each language's share of
        the labels, labels to 90 and 95 % of the full data's accuracy, each language's improvement
        by its last labels, and the difference in area and the labels saved against each baseline,
        overall and per language.
    """
    by_strategy = curves(cells)
    names = list(dict.fromkeys(cell.strategy for cell in cells))
    cells_of = {name: [cell for cell in cells if cell.strategy == name] for name in names}
    everything = by_strategy.pop(EVERYTHING, None)
    full = {} if everything is None else _by_seed(everything, everything.mean_over(targets)[:, -1])
    return {
        "targets": list(targets),
        "full_data": _mean(list(full.values())),
        "strategies": {
            name: _of_strategy(own, targets, full)
            | {"bought": improvements(cells_of[name])}
            | {
                "against": {
                    baseline: _against(baseline, own, by_strategy[baseline], targets)
                    for baseline in BASELINES
                    if baseline in by_strategy and baseline != name
                }
            }
            for name, own in by_strategy.items()
        },
    }


def _of_strategy(own: Curves, targets: Sequence[str], full: Mapping[int, float]) -> dict[str, Any]:
    mean = own.mean_over(targets)
    by_language = areas(own.labels, own.accuracy.transpose(0, 2, 1)).mean(axis=0)  # (L,)
    share = (own.spent / own.labels[:, None]).mean(axis=0)  # (P, L)
    return {
        "seeds": len(own.seeds),
        "area": float(areas(own.labels, mean).mean()),
        "accuracy": _by_labels(own, mean),
        "languages": {
            lang: {
                "area": float(by_language[i]),
                "accuracy": _by_labels(own, own.accuracy[:, :, i]),
            }
            for i, lang in enumerate(own.langs)
        },
        "share_of_labels": {
            str(n): dict(zip(own.langs, row.round(4).tolist(), strict=True))
            for n, row in zip(own.labels, share, strict=True)
        },
        "labels_to": {f"{level:.2f}": _reached(own, mean, full, level) for level in LEVELS},
    }


def _by_labels(own: Curves, accuracy: NDArray[np.float64]) -> dict[str, float]:
    """Returns the mean over seeds of (S, P), by number of labels."""
    means = accuracy.mean(axis=0).round(6).tolist()
    return {str(n): value for n, value in zip(own.labels.tolist(), means, strict=True)}


def _reached(
    own: Curves, mean: NDArray[np.float64], full: Mapping[int, float], level: float
) -> dict[str, Any]:
    """Finds the labels at which curves reach a share of the full data's accuracy.

    Returns:
        "labels" of the mean curve, number of "seeds" whose curve reaches it, "of" all seeds.
    """
    both = [i for i, seed in enumerate(own.seeds) if seed in full]
    if not both:
        return {"labels": None, "seeds": 0, "of": 0}
    goal = level * float(np.mean([full[own.seeds[i]] for i in both]))
    each = [labels_to(own.labels, mean[i], level * full[own.seeds[i]]) for i in both]
    return {
        "labels": labels_to(own.labels, mean[both].mean(axis=0), goal),
        "seeds": sum(n is not None for n in each),
        "of": len(both),
    }


def improvements(cells: Sequence[Cell]) -> dict[str, Any]:
    """Averages over seeds each language's improvement by its last labels, with an interval."""
    by_language: dict[str, list[Mapping[str, float]]] = {}
    for cell in cells:
        for lang, numbers in (cell.points[-1].get("bought") or {}).items():
            by_language.setdefault(lang, []).append(numbers)
    return {
        lang: {"labels": float(np.mean([numbers["labels"] for numbers in each]))}
        | asdict(paired(np.array([numbers["gain"] for numbers in each])))
        for lang, each in by_language.items()
    }


def _against(
    baseline: str, own: Curves, other: Curves, targets: Sequence[str]
) -> dict[str, Any] | None:
    """Compares areas and labels with a baseline's; None if the two have no seed in common."""
    seeds = [seed for seed in own.seeds if seed in other.seeds]
    if not seeds:
        return None
    labels = np.intersect1d(own.labels, other.labels)

    def accuracies(langs: Sequence[str]) -> Iterator[NDArray[np.float64]]:
        return (_accuracy_at(curve, seeds, labels, langs) for curve in (own, other))

    def gap(langs: Sequence[str]) -> Difference:
        one, two = (areas(labels, accuracy) for accuracy in accuracies(langs))
        return paired(one - two)

    def saved(langs: Sequence[str]) -> dict[str, Any]:
        return labels_saved(labels, *accuracies(langs))

    return {
        "area": asdict(gap(targets)),
        "languages": {lang: asdict(gap([lang])) for lang in own.langs},
        "labels_saved": saved(targets)
        | {"languages": {lang: saved([lang]) for lang in own.langs if baseline == STRATIFIED}},
    }


def _accuracy_at(
    curve: Curves, seeds: Sequence[int], labels: NDArray[np.intp], langs: Sequence[str]
) -> NDArray[np.float64]:
    """Returns the mean accuracy (S, P) of some seeds at some numbers of labels."""
    rows = [curve.seeds.index(seed) for seed in seeds]
    return curve.mean_over(langs)[rows][:, np.isin(curve.labels, labels)]


def _by_seed(curve: Curves, values: NDArray[np.float64]) -> dict[int, float]:
    return dict(zip(curve.seeds, values.tolist(), strict=True))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
