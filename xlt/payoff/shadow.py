"""The shadow test: does choosing pay, and how many random labels would have been needed instead?

Two arms of labels are compared with nothing but themselves: labels that the sampler chose, and
labels of texts that were drawn at random. Quick heads are trained on equally many of both, with the
same number of each language, and judged on random labels that neither saw, nor a translation of
them. The heads are thrown away, so audit labels may serve in the random arm: no model that anybody
uses learns from them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.payoff.intervals import Interval, Resampled
from xlt.payoff.labelled import Labelled

#: Share of random draws where choosing was found worse than chance; the rest is still chosen, so
#: that it is noticed when choosing pays again.
FALLBACK_SHARE = 0.9
_SPLITS = 15
#: Share of the random labels that a split judges by.
_JUDGED = 0.2
#: Labels of an arm that a head is trained on at most: time grows with them.
_MOST = 400
#: Below so many labels to train on, or to judge by, nothing is said.
_LEAST = 20
#: The learning curve of the random arm is measured from a quarter of the labels on.
_DOUBLINGS = 2
#: Doublings between the ends of an interval that says nothing.
_VAGUE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What choosing gave.

    Attributes:
        gain: Accuracy with chosen labels minus accuracy with as many random ones.
        doublings: How often the number of random labels would have to be doubled for the same; None
            where random labels do not clearly help either, so that nobody can say.
    """

    gain: Interval
    doublings: Interval | None

    @property
    def saved(self) -> Interval | None:
        """Labels saved, as a share of the random labels needed: 0.5 is half; below 0, a loss.

        From the learning curve of the random arm, a line over the logarithm of the labels; beyond
        the labels that the random arm has it is drawn on. None where the ends of the interval are
        more than a factor of eight apart: that is not known yet.
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
        overall: All target languages together, each judged label alike.
        languages: Language -> the same for labels in it, where there are enough of them.
        labels: Labels that each arm trained on.
        judged: Random labels that judged, over all splits.
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
    """Compares what chosen and random labels teach.

    Fifteen times, four fifths of the random labels, by groups, train one head, as many chosen ones
    another; what is left judges both. See `Resampled` for the interval: it holds for the way of
    choosing, not only for the labels at hand.

    Args:
        labelled: All labels.
        chosen: (N,) labels that the sampler chose.
        random: (N,) labels of texts drawn at random, audit labels included; none is also chosen.
        targets: Languages that judge.
        rng: Draws splits and samples.

    Returns:
        None where there are too few labels to say anything.
    """
    data = labelled.scaled()
    judges = random & np.isin(data.langs, list(targets))
    names = [str(lang) for lang in np.unique(data.langs[judges])]
    found = [_split(data, chosen, random, judges, names, rng) for _ in range(_SPLITS)]
    splits = [split for split in found if split is not None]
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
    """From (J, 2) gains and rises per doubling."""
    resampled = Resampled.of(values, part)
    return Comparison(gain=resampled.interval(0), doublings=resampled.ratio(0, 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Split:
    """One split: for all languages and each, (gain, rise per doubling) and how many judged."""

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
    """(N,) texts of a fifth of the random labels' groups."""
    groups = rng.permutation(np.unique(data.groups[random]))
    return np.isin(data.groups, groups[: max(1, round(_JUDGED * len(groups)))])


def _alike(
    data: Labelled,
    random: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of both arms, equally many of each language, in random order; at most `_MOST`."""
    one, two = [], []
    for lang in np.unique(data.langs[random]):
        of = data.langs == lang
        a, b = (rng.permutation(np.flatnonzero(arm & of)) for arm in (random, chosen))
        n = min(len(a), len(b))
        one.append(a[:n])
        two.append(b[:n])
    if not one:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    order = rng.permutation(sum(map(len, one)))[:_MOST]
    return np.concatenate(one)[order], np.concatenate(two)[order]


def falls_back(before: bool, found: Shadow | None) -> bool:
    """Whether the sampler should draw at random, after a shadow test.

    With hysteresis: it falls back where choosing is worse with its whole interval below zero, and
    chooses again where choosing does not look worse at all. What the test cannot say changes
    nothing.

    Args:
        before: Whether it had fallen back.
        found: The test's result; None: too few labels.
    """
    if found is None:
        return before
    return found.overall.gain.value < 0 if before else found.overall.gain.high < 0
