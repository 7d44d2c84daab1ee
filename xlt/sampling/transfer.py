"""What a source label is worth to the targets beside a target label, measured on the labels."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.corpus import folds_by_group
from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.tasks.logistic import fit_head, scaled

#: Folds that the texts are to be split into.
FOLDS = 4
#: Labels of either side that suffice.
_MOST = 256
#: How often labels are drawn of the side that has more.
_DRAWS = 3
#: Labels of either side below which nothing is measured.
_LEAST = 8
#: A stiffer head than the one that models start from: at so few labels it tells more apart.
_L2 = 2.0
#: How large gains are, the root of their mean square over data sets (SIB-200 +0.04, NusaX -0.08).
_USUAL = 0.05
#: Gains of so much move the log-odds of the source's share by 1.
_STEP = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How much better source labels teach the targets than as many target labels do.

    Attributes:
        gain: In [-2, 2], the Brier score (Brier 1950; the mean squared distance to the right
            answer, lower = better) of a head of target labels minus that of a head of source
            labels, on target texts that neither has seen. Above 0: the source teaches better.
        error: Its standard error, > 0.
        labels: How many labels each head had.
        judged: How many target texts judged.
    """

    gain: float
    error: float
    labels: int
    judged: int

    @property
    def words(self) -> str:
        """What to say of it; empty where it may as well be chance."""
        if abs(self.gain) < self.error:
            return ""
        than = "better" if self.gain > 0 else "worse"
        return f"its labels teach the targets {than} than theirs do"

    def share(self, usual: float) -> float:
        """The share of labels that the source gets where `usual` is the one of no difference.

        Both in [0, 1]. The gain counts as far as it is sure: shrunk to 0 by its error.
        """
        if not 0.0 < usual < 1.0:
            return usual
        sure = self.gain * _USUAL**2 / (_USUAL**2 + self.error**2)
        return _logistic(math.log(usual / (1.0 - usual)) + sure / _STEP)


def transfer_of(
    examples: Sequence[Example],
    vectors: NDArray[np.floating],
    source_languages: Collection[str],
    rng: np.random.Generator,
) -> Transfer | None:
    """`measure_transfer` of examples that all have a label.

    Args:
        examples: M examples.
        vectors: (M, H) by an encoder that has not seen their labels.
        source_languages: Codes of languages that are labelled for the others' sake.
        rng: Draws folds, and labels where one side has more.
    """
    sources = {normalise(code) for code in source_languages}
    _, classes = np.unique([str(example.label) for example in examples], return_inverse=True)
    is_source = np.array([normalise(example.lang) in sources for example in examples], dtype=bool)
    folds = folds_by_group(examples, FOLDS, rng)
    return measure_transfer(vectors, classes.astype(np.intp), is_source, folds, rng)


def measure_transfer(
    vectors: NDArray[np.floating],
    classes: NDArray[np.intp],
    is_source: NDArray[np.bool_],
    folds: NDArray[np.intp],
    rng: np.random.Generator,
) -> Transfer | None:
    """Compares heads of source labels with heads of as many target labels, by cross-fitting.

    Args:
        vectors: (M, H) sentence vectors of an encoder that has not seen the labels.
        classes: (M,) class numbers.
        is_source: (M,) whose language is a source.
        folds: (M,) in [0, FOLDS); texts that say the same are in one.
        rng: Draws labels where one side has more.

    Returns:
        None where one side has too few labels.
    """
    rows = [rng.permutation(np.flatnonzero(is_source == side)) for side in (False, True)]
    if min(map(len, rows)) < _LEAST:
        return None
    x, width = scaled(vectors, vectors), int(classes.max()) + 1
    judges = rows[0][:_MOST]
    gains, sizes = np.full((_DRAWS, len(judges)), np.nan), []
    for draw in range(_DRAWS):
        teachers = [rng.permutation(judges), rng.permutation(rows[1])]
        for fold in range(FOLDS):
            held = np.flatnonzero(folds[judges] == fold)
            others = [side[folds[side] != fold] for side in teachers]
            size = min(map(len, others))
            if not size or not len(held):
                continue
            of_target, of_source = (
                _brier(x, classes, side[:size], judges[held], width) for side in others
            )
            gains[draw, held] = of_target - of_source
            sizes.append(size)
    gain = gains[:, ~np.isnan(gains).any(axis=0)].mean(axis=0)
    if len(gain) < _LEAST:
        return None
    error = float(gain.std(ddof=1)) / math.sqrt(len(gain))
    return Transfer(
        gain=float(gain.mean()),
        error=max(error, 1e-6),
        labels=round(float(np.mean(sizes))),
        judged=len(gain),
    )


def _logistic(odds: float) -> float:
    """Of log-odds of any size."""
    small = math.exp(-abs(odds))
    return (1.0 if odds >= 0 else small) / (1.0 + small)


def _brier(
    x: NDArray[np.floating],
    classes: NDArray[np.intp],
    rows: NDArray[np.intp],
    held: NDArray[np.intp],
    width: int,
) -> NDArray[np.float64]:
    """(K,) scores of the held texts by a head of the rows."""
    z = fit_head(x[rows], classes[rows], width, l2=_L2).logits(x[held])
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray(((p - np.eye(width)[classes[held]]) ** 2).sum(axis=1))
