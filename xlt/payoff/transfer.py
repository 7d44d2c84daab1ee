"""Measurement of transfer: probes of source labels against probes of target labels."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.data.splits import folds_by_group
from xlt.sampling.transfer import Transfer
from xlt.tasks.calibration import Calibration
from xlt.tasks.logistic import scaled
from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask

#: Number of folds of the texts.
FOLDS = 4
#: Largest number of labels that each side uses.
_MOST = 256
#: Number of draws from the side with more labels.
_DRAWS = 3
#: Smallest number of labels of each side.
_LEAST = 8
#: Penalty of the probes, larger than that of a model's start: better with few labels.
_L2 = 2.0


def transfer_of(
    examples: Sequence[Example],
    vectors: NDArray[np.floating],
    task: AnyTask,
    source_languages: Collection[str],
    rng: np.random.Generator,
) -> Transfer | None:
    """Measures the transfer between examples that all have an answer.

    Args:
        examples: M examples.
        vectors: (M, H) by an encoder that has not seen their labels.
        task: Task of the answers.
        source_languages: Codes of languages that are labelled to help the others.
        rng: Draws folds, and labels if one side has more.

    Returns:
        None if one side has too few labels.
    """
    sources = {normalise(code) for code in source_languages}
    is_source = np.array([normalise(example.lang) in sources for example in examples], dtype=bool)
    folds = folds_by_group(examples, FOLDS, rng)
    answers = [example.answer for example in examples]
    return measure_transfer(vectors, answers, task, is_source, folds, rng)


def measure_transfer(
    vectors: NDArray[np.floating],
    answers: Sequence[Hashable],
    task: AnyTask,
    is_source: NDArray[np.bool_],
    folds: NDArray[np.intp],
    rng: np.random.Generator,
) -> Transfer | None:
    """Compares probes of source labels with probes of target labels, by cross-fitting.

    Both kinds of probes get the same number of labels.

    Args:
        vectors: (M, H) sentence vectors of an encoder that has not seen the labels.
        answers: M answers.
        task: Task of the answers.
        is_source: (M,) True if the language is a source.
        folds: (M,) in [0, FOLDS); texts with the same meaning share a fold.
        rng: Draws labels if one side has more.

    Returns:
        None if one side has too few labels, or if the task has no probes.
    """
    if not has_probe(task):
        return None
    rows = [rng.permutation(np.flatnonzero(is_source == side)) for side in (False, True)]
    if min(map(len, rows)) < _LEAST:
        return None
    x = scaled(vectors, vectors)
    judges = rows[0][:_MOST]
    gains, sizes = np.full((_DRAWS, len(judges)), np.nan), []
    for draw in range(_DRAWS):
        teachers = [rng.permutation(judges), rng.permutation(rows[1])]
        for fold in range(FOLDS):
            held_out = np.flatnonzero(folds[judges] == fold)
            others = [side[folds[side] != fold] for side in teachers]
            size = min(map(len, others))
            if not size or not len(held_out):
                continue
            by_target, by_source = (
                _brier(x, answers, task, side[:size], judges[held_out]) for side in others
            )
            gains[draw, held_out] = by_target - by_source
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


def _brier(
    x: NDArray[np.floating],
    answers: Sequence[Hashable],
    task: AnyTask,
    rows: NDArray[np.intp],
    held_out: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Returns the Brier scores (K,) of held-out texts by a probe of the rows."""
    probe = task.probe(x[rows], [answers[row] for row in rows], l2=_L2)
    beliefs = task.beliefs(probe.outputs(x[held_out]), [""] * len(held_out), Calibration())
    return task.brier(beliefs, [answers[row] for row in held_out])
