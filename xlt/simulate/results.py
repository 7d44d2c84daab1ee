"""What finished learning curves say: areas, labels to a level, differences paired over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.simulate.journal import Cell
from xlt.simulate.learning_curve import EVERYTHING

#: Against these every strategy is held, where they were run.
BASELINES = ("random", "stratified", "in-target", "zero-shot")
#: Shares of the accuracy that all labels give.
LEVELS = (0.90, 0.95)
#: Labels saved are counted in labels of this baseline, language by language as well.
STRATIFIED = "stratified"
_RESAMPLES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A mean of differences that are paired by seed, with its 95 % interval by Student's t.

    Attributes:
        mean: Mean of the differences.
        low: Lower end of the interval; None for fewer than two seeds.
        high: Upper end of it.
        seeds: How many pairs.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """The learning curves of one strategy: S seeds, P points, L languages.

    Attributes:
        seeds: S seeds, ascending.
        labels: (P,) labels asked for, the points that all seeds have.
        langs: L language codes.
        accuracy: (S, P, L) in [0, 1].
        spent: (S, P, L) labels asked for.
    """

    seeds: Sequence[int]
    labels: NDArray[np.intp]
    langs: Sequence[str]
    accuracy: NDArray[np.float64]
    spent: NDArray[np.float64]

    def mean_over(self, langs: Sequence[str]) -> NDArray[np.float64]:
        """(S, P) mean accuracy of some languages."""
        columns = [self.langs.index(lang) for lang in langs]
        return np.asarray(self.accuracy[:, :, columns].mean(axis=2))


def curves(cells: Sequence[Cell]) -> dict[str, Curves]:
    """Strategy -> its curves."""
    by_name: dict[str, dict[int, Cell]] = {}
    for cell in cells:
        by_name.setdefault(cell.strategy, {})[cell.seed] = cell
    return {name: _curves([of[seed] for seed in sorted(of)]) for name, of in by_name.items()}


def _curves(cells: Sequence[Cell]) -> Curves:
    points = [{int(point["labels"]): point for point in cell.points} for cell in cells]
    if all(len(of) == 1 for of in points):  # all labels of the pool, and pools differ in size
        least = min(n for of in points for n in of)
        points = [{least: next(iter(of.values()))} for of in points]
    labels = sorted(set.intersection(*(set(of) for of in points)))
    langs = list(points[0][labels[-1]]["accuracy"])
    kept = [[of[n] for n in labels] for of in points]
    return Curves(
        seeds=[cell.seed for cell in cells],
        labels=np.array(labels, dtype=np.intp),
        langs=langs,
        accuracy=np.array([[[p["accuracy"][lang] for lang in langs] for p in of] for of in kept]),
        spent=np.array([[[p["spent"].get(lang, 0) for lang in langs] for p in of] for of in kept]),
    )


def paired(differences: NDArray[np.float64]) -> Difference:
    """The mean of differences (S,), S >= 1, and where it lies."""
    from scipy.stats import t  # type: ignore[import-untyped]  # no stubs

    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Difference(mean=mean, low=None, high=None, seeds=n)
    half = float(t.ppf(0.975, n - 1) * differences.std(ddof=1) / math.sqrt(n))
    return Difference(mean=mean, low=mean - half, high=mean + half, seeds=n)


def areas(labels: NDArray[np.intp], accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area under each curve per label, that is a mean accuracy: (..., P) -> (...).

    By trapezoids between the first and the last point; a curve of one point has its accuracy.
    """
    if len(labels) < 2:
        return np.asarray(accuracy[..., 0])
    steps = np.diff(labels)
    middle = (accuracy[..., 1:] + accuracy[..., :-1]) / 2
    return np.asarray((middle * steps).sum(axis=-1) / steps.sum())


def labels_to(
    labels: NDArray[np.intp], accuracy: NDArray[np.float64], level: float
) -> float | None:
    """Labels at which a curve (P,) first reaches `level`, by a line between points; None: never."""
    reached = np.flatnonzero(accuracy >= level)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return float(labels[0])
    rise = (level - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
    return float(labels[at - 1] + (labels[at] - labels[at - 1]) * rise)


def summary(cells: Sequence[Cell], targets: Sequence[str]) -> dict[str, Any]:
    """All numbers of a simulation, JSON-ready.

    Args:
        cells: Finished cells of one setup; a strategy need not have all seeds.
        targets: Languages whose mean accuracy counts.

    Returns:
        "targets"; "full_data", the mean accuracy with all labels; "strategies": name -> seeds,
        area, accuracy by number of labels, both for each language as well, share of the
        labels that each language got, labels to 90 and 95 % of the full data's accuracy, what the
        last labels bought in each language, and the difference in area and the labels saved
        against each baseline, overall and per language.
    """
    found = curves(cells)
    names = list(dict.fromkeys(cell.strategy for cell in cells))
    of_name = {name: [cell for cell in cells if cell.strategy == name] for name in names}
    everything = found.pop(EVERYTHING, None)
    full = {} if everything is None else _by_seed(everything, everything.mean_over(targets)[:, -1])
    return {
        "targets": list(targets),
        "full_data": _mean(list(full.values())),
        "strategies": {
            name: _of_strategy(of, targets, full)
            | {"bought": bought(of_name[name])}
            | {"against": {b: _against(b, of, found[b], targets) for b in _others(name, found)}}
            for name, of in found.items()
        },
    }


def _others(name: str, found: Mapping[str, Curves]) -> list[str]:
    return [baseline for baseline in BASELINES if baseline in found and baseline != name]


def _of_strategy(of: Curves, targets: Sequence[str], full: Mapping[int, float]) -> dict[str, Any]:
    mean = of.mean_over(targets)
    own = areas(of.labels, of.accuracy.transpose(0, 2, 1)).mean(axis=0)  # (L,)
    share = (of.spent / of.labels[:, None]).mean(axis=0)  # (P, L)
    return {
        "seeds": len(of.seeds),
        "area": float(areas(of.labels, mean).mean()),
        "accuracy": _by_labels(of, mean),
        "languages": {
            lang: {"area": float(own[i]), "accuracy": _by_labels(of, of.accuracy[:, :, i])}
            for i, lang in enumerate(of.langs)
        },
        "share_of_labels": {
            str(n): dict(zip(of.langs, row.round(4).tolist(), strict=True))
            for n, row in zip(of.labels, share, strict=True)
        },
        "labels_to": {f"{level:.2f}": _reached(of, mean, full, level) for level in LEVELS},
    }


def _by_labels(of: Curves, accuracy: NDArray[np.float64]) -> dict[str, float]:
    """The mean over seeds of (S, P), by number of labels."""
    means = accuracy.mean(axis=0).round(6).tolist()
    return {str(n): value for n, value in zip(of.labels.tolist(), means, strict=True)}


def _reached(
    of: Curves, mean: NDArray[np.float64], full: Mapping[int, float], level: float
) -> dict[str, Any]:
    """Where the mean curve reaches a share of the full data's accuracy; how many seeds' do."""
    both = [i for i, seed in enumerate(of.seeds) if seed in full]
    if not both:
        return {"labels": None, "seeds": 0, "of": 0}
    goal = level * float(np.mean([full[of.seeds[i]] for i in both]))
    each = [labels_to(of.labels, mean[i], level * full[of.seeds[i]]) for i in both]
    return {
        "labels": labels_to(of.labels, mean[both].mean(axis=0), goal),
        "seeds": sum(n is not None for n in each),
        "of": len(both),
    }


def bought(cells: Sequence[Cell]) -> dict[str, Any]:
    """Language -> what its last labels bought, the mean over seeds, with an interval."""
    found: dict[str, list[Mapping[str, float]]] = {}
    for cell in cells:
        for lang, of in (cell.points[-1].get("bought") or {}).items():
            found.setdefault(lang, []).append(of)
    return {
        lang: {"labels": float(np.mean([of["labels"] for of in each]))}
        | asdict(paired(np.array([of["gain"] for of in each])))
        for lang, each in found.items()
    }


def labels_saved(
    labels: NDArray[np.intp], chosen: NDArray[np.float64], random: NDArray[np.float64]
) -> dict[str, Any]:
    """How many more labels one way needs than another for the same accuracy.

    The accuracy is the one that both reach: the lower of the two at the end of their curves. The
    interval is the bootstrap's over seeds, by percentiles.

    Args:
        labels: (P,) of both curves.
        chosen: (S, P) accuracies of one way, the mean over seeds counts.
        random: (S, P) of the other, the same seeds.

    Returns:
        "chosen" and "random", the labels that each needs; "saved", the difference, "low" and
        "high"; the last two are None for fewer than two seeds.
    """

    def needed(seeds: NDArray[np.intp]) -> tuple[float, float]:
        one, two = chosen[seeds].mean(axis=0), random[seeds].mean(axis=0)
        level = min(float(one[-1]), float(two[-1])) - 1e-12
        a, b = (labels_to(labels, curve, level) for curve in (one, two))
        assert a is not None
        assert b is not None
        return a, b

    s = len(chosen)
    a, b = needed(np.arange(s))
    found: dict[str, Any] = {"chosen": a, "random": b, "saved": b - a, "low": None, "high": None}
    if s >= 2:
        rng = np.random.default_rng(0)
        draws = [needed(rng.integers(0, s, s)) for _ in range(_RESAMPLES)]
        low, high = np.percentile([two - one for one, two in draws], [2.5, 97.5])
        found |= {"low": float(low), "high": float(high)}
    return found


def _against(name: str, of: Curves, other: Curves, targets: Sequence[str]) -> dict[str, Any] | None:
    """Differences in area, and labels saved; None where the two have no seed in common."""
    seeds = [seed for seed in of.seeds if seed in other.seeds]
    if not seeds:
        return None
    labels = np.intersect1d(of.labels, other.labels)

    def gap(langs: Sequence[str]) -> Difference:
        one, two = (_areas_of(curve, seeds, labels, langs) for curve in (of, other))
        return paired(one - two)

    def saved(langs: Sequence[str]) -> dict[str, Any]:
        one, two = (_on(curve, seeds, labels, langs) for curve in (of, other))
        return labels_saved(labels, one, two)

    return {
        "area": asdict(gap(targets)),
        "languages": {lang: asdict(gap([lang])) for lang in of.langs},
        "labels_saved": saved(targets)
        | {"languages": {lang: saved([lang]) for lang in of.langs if name == STRATIFIED}},
    }


def _areas_of(
    of: Curves, seeds: Sequence[int], labels: NDArray[np.intp], langs: Sequence[str]
) -> NDArray[np.float64]:
    return areas(labels, _on(of, seeds, labels, langs))


def _on(
    of: Curves, seeds: Sequence[int], labels: NDArray[np.intp], langs: Sequence[str]
) -> NDArray[np.float64]:
    """(S, P) of some seeds at some numbers of labels."""
    rows = [of.seeds.index(seed) for seed in seeds]
    return of.mean_over(langs)[rows][:, np.isin(of.labels, labels)]


def _by_seed(of: Curves, values: NDArray[np.float64]) -> dict[int, float]:
    return dict(zip(of.seeds, values.tolist(), strict=True))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
