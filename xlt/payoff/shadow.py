"""The shadow test: measures whether selection pays, and how many random labels would do the same.

It compares two arms: labels that the sampler selected, and labels of texts drawn at random. It
trains probes on the same number of labels of both arms, with the same number per language, and
judges them on random labels. Neither these texts nor their translations have trained a probe. The
probes are discarded, so audit labels may serve in the random arm: no model in use learns from them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.payoff.labelled import Labelled
from xlt.payoff.resampled import Resampled
from xlt.tasks.intervals import Interval

#: Share of random draws after selection was found worse than chance. The rest is still selected, so
#: that the next test can find that selection pays again.
FALLBACK_SHARE = 0.9
_SPLITS = 15
#: Share of the random labels that judge in a split.
_JUDGED = 0.2
#: Largest number of labels of an arm that train a probe: time grows with it.
_MOST = 400
#: Smallest number of labels that train, and of labels that judge.
_LEAST = 20
#: The learning curve of the random arm is measured from a quarter of the labels on.
_DOUBLINGS = 2
#: Width of an interval of doublings from which on it is not reported.
_VAGUE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Selected labels compared with the same number of random labels.

    Attributes:
        gain: Accuracy with selected labels minus accuracy with random labels.
        doublings: Number of doublings of the random labels that would give the same gain. None if
            random labels do not clearly help either.
    """

    gain: Interval
    doublings: Interval | None

    @property
    def saved(self) -> Interval | None:
        """Returns the labels saved, as a share of the random labels needed: 0.5 is half.

        Below 0, it is a loss. It comes from the learning curve of the random arm, a line over the
        logarithm of the number of labels, extrapolated if needed. None if the ends of the interval
        are more than a factor of eight apart.
        """
        d = self.doublings
        if d is None or d.high - d.low > _VAGUE:
            return None
        value, low, high = (1.0 - 2.0**-x for x in (d.value, d.low, d.high))
        return Interval(value=value, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """The result of a shadow test.

    Attributes:
        overall: Comparison on the labels of all target languages, each counting the same.
        languages: Language -> comparison on its labels, if there are enough of them.
        labels: Number of labels that trained in each arm.
        judged: Number of random labels that judged, over all splits.
    """

    overall: Comparison
    languages: dict[str, Comparison]
    labels: int
    judged: int


def shadow_test(
    labelled: Labelled,
    chosen: NDArray[np.bool_],
    random: NDArray[np.bool_],
    targets: Collection[str],
    rng: np.random.Generator,
) -> Shadow | None:
    """Compares probes of selected labels with probes of random labels.

    In each of 15 splits, four fifths of the random labels, by groups, train one probe; the same
    number of selected labels trains another. The remaining random labels judge both. The interval
    (see `Resampled`) holds for the method of selection, not only for the labels at hand.

    Args:
        labelled: All labels.
        chosen: (N,) True for labels that the sampler selected.
        random: (N,) True for labels of texts drawn at random, audit labels included; none of them
            is in `chosen`.
        targets: Languages that judge.
        rng: Draws splits and samples.

    Returns:
        None if there are too few labels.
    """
    data = labelled.scaled()
    judges = random & np.isin(data.langs, list(targets))
    names = [str(lang) for lang in np.unique(data.langs[judges])]
    tried = [_split(data, chosen, random, judges, names, rng) for _ in range(_SPLITS)]
    splits = [split for split in tried if split is not None]
    if len(splits) < _SPLITS:
        return None
    values = np.array([split.values for split in splits])  # (J, 1 + L, 2)
    counts = np.array([split.judged for split in splits])  # (J, 1 + L)
    part = _JUDGED / (1.0 - _JUDGED)
    compared = {
        name: _comparison(values[:, number], part)
        for number, name in enumerate(["", *names])
        if counts[:, number].min() > 0 and counts[:, number].mean() >= _JUDGED * _LEAST
    }
    return Shadow(
        overall=compared.pop(""),
        languages=compared,
        labels=int(np.median([split.labels for split in splits])),
        judged=int(judges.sum()),
    )


def _comparison(values: NDArray[np.float64], part: float) -> Comparison:
    """Compares by gains and rises per doubling, (J, 2)."""
    resampled = Resampled.of(values, part)
    return Comparison(gain=resampled.interval(0), doublings=resampled.ratio(0, 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Split:
    """One split: (gain, rise per doubling) and number of judges, for all languages and for each."""

    values: NDArray[np.float64]
    judged: NDArray[np.intp]
    labels: int


def _split(
    data: Labelled,
    chosen: NDArray[np.bool_],
    random: NDArray[np.bool_],
    judges: NDArray[np.bool_],
    names: list[str],
    rng: np.random.Generator,
) -> _Split | None:
    held = _held_out(data, random, rng)
    seen = np.isin(data.groups, data.groups[random & held])
    test = np.flatnonzero(judges & held)
    at_random, by_choice = _alike(data, random & ~seen, chosen & ~seen, rng)
    m = len(at_random)
    if m < _LEAST or len(test) < max(1, int(_JUDGED * _LEAST)):
        return None
    fewer = at_random[: max(1, m >> _DOUBLINGS)]
    credit = [data.credit(data.fit(rows), test) for rows in (by_choice, at_random, fewer)]
    return _Split(
        values=np.array([_differences(credit, part) for part in _parts(data.langs[test], names)]),
        judged=np.array([part.sum() for part in _parts(data.langs[test], names)]),
        labels=m,
    )


def _parts(langs: NDArray[np.str_], names: list[str]) -> list[NDArray[np.bool_]]:
    return [np.ones(len(langs), dtype=bool), *(langs == name for name in names)]


def _differences(credit: list[NDArray[np.float64]], part: NDArray[np.bool_]) -> tuple[float, float]:
    if not part.any():
        return 0.0, 0.0
    by_choice, at_random, fewer = (float(earned[part].mean()) for earned in credit)
    return by_choice - at_random, (at_random - fewer) / _DOUBLINGS


def _held_out(
    data: Labelled, random: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draws the texts (N,) of a fifth of the random labels' groups."""
    groups = rng.permutation(np.unique(data.groups[random]))
    return np.isin(data.groups, groups[: max(1, round(_JUDGED * len(groups)))])


def _alike(
    data: Labelled,
    random: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draws rows of both arms, the same number of each language, in random order."""
    one, two = [], []
    for lang in np.unique(data.langs[random]):
        own = data.langs == lang
        a, b = (rng.permutation(np.flatnonzero(arm & own)) for arm in (random, chosen))
        n = min(len(a), len(b))
        one.append(a[:n])
        two.append(b[:n])
    if not one:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    order = rng.permutation(sum(map(len, one)))[:_MOST]
    return np.concatenate(one)[order], np.concatenate(two)[order]


def falls_back(before: bool, shadow: Shadow | None) -> bool:
    """Tells whether the sampler should draw at random, after a shadow test.

    It falls back if the whole interval of the gain is below zero, and selects again when the gain
    itself is not below zero. A test without a result changes nothing.

    Args:
        before: True if it had fallen back.
        shadow: The test's result. None if there were too few labels.
    """
    if shadow is None:
        return before
    return shadow.overall.gain.value < 0 if before else shadow.overall.gain.high < 0
