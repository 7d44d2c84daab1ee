"""Judging: each control by its own task; credit and uncertainty are means over the controls."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.data.by_control import ByControl
from xlt.errors import ConfigError
from xlt.tasks.calibration import Calibration
from xlt.tasks.multi_task.answers import check_names
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Part, label_of, nothing_known, shown
from xlt.tasks.task import Suggestion

#: The one way to combine the uncertainties of the controls: their mean by `Part.weight`.
MEASURE = "mean"
#: Beliefs that differ by less are the same.
_TINY = 1e-9

Vector = NDArray[np.float64]


def columns(parts: Sequence[Part]) -> list[slice]:
    """Returns the columns of each control in the outputs."""
    ends = np.cumsum([part.task.width for part in parts]).tolist()
    return [slice(end - p.task.width, end) for p, end in zip(parts, ends, strict=True)]


def split(outputs: Outputs, parts: Sequence[Part]) -> list[Outputs]:
    """Returns the outputs of each control."""
    return [Outputs(outputs.values[:, own]) for own in columns(parts)]


def join(each: Sequence[Outputs]) -> Outputs:
    """Returns the outputs of all controls as those of the task."""
    return Outputs(np.concatenate([own.values for own in each], axis=1))


def answered(
    answers: Sequence[ByControl], parts: Sequence[Part]
) -> list[tuple[NDArray[np.intp], list[Hashable]]]:
    """Returns the rows with an answer to each control, and the answers.

    Raises:
        DataError: If there is an answer to another control.
    """
    for answer in answers:
        check_names(dict(answer.items), parts)
    found = []
    for part in parts:
        own = [answer.get(part.name) for answer in answers]
        rows = np.array([n for n, one in enumerate(own) if one is not None], dtype=np.intp)
        found.append((rows, [one for one in own if one is not None]))
    return found


def targets(answers: Sequence[ByControl], parts: Sequence[Part]) -> Vector:
    """Returns the right probabilities (N, W); NaN for controls without an answer."""
    found = np.full((len(answers), sum(part.task.width for part in parts)), np.nan)
    each = answered(answers, parts)
    for part, own, (rows, given) in zip(parts, columns(parts), each, strict=True):
        found[rows, own] = part.task.targets(given)
    return found


def fit(
    outputs: Outputs, answers: Sequence[ByControl], langs: Sequence[str], parts: Sequence[Part]
) -> Calibration:
    """Fits a calibration of each control on the examples that have an answer to it."""
    fitted = {}
    each = zip(parts, split(outputs, parts), answered(answers, parts), strict=True)
    for part, own, (rows, given) in each:
        if given:
            fitted[part.name] = part.task.fit(own.take(rows), given, [langs[n] for n in rows])
    return Calibration(parts=fitted)


def beliefs(
    outputs: Outputs, langs: Sequence[str], fitted: Calibration, parts: Sequence[Part]
) -> Outputs:
    """Returns the calibrated probabilities of all controls."""
    each = zip(parts, split(outputs, parts), strict=True)
    return join(
        [p.task.beliefs(own, langs, fitted.parts.get(p.name, Calibration())) for p, own in each]
    )


def decode(believed: Outputs, parts: Sequence[Part]) -> list[Suggestion]:
    """Returns the suggestion for each example, see `suggest`."""
    pairs = zip(parts, split(believed, parts), strict=True)
    return suggest([part.task.decode(own) for part, own in pairs], believed, parts)


def suggest(
    each: Sequence[Sequence[Suggestion]], believed: Outputs, parts: Sequence[Part]
) -> list[Suggestion]:
    """Returns the suggestions for the controls as one for each example, see `compose`.

    Nothing is suggested for a control of which the model knows nothing: its training had no
    answers to it, so that its outputs are all zero.
    """
    pairs = zip(parts, split(believed, parts), strict=True)
    known = np.stack([_known(part, own) for part, own in pairs])
    known |= ~known.any(axis=0)
    rows = zip(known.T.tolist(), *each, strict=True)
    return [
        compose(
            parts,
            {p.name: one for p, one, has in zip(parts, suggestions, knows, strict=True) if has},
        )
        for knows, *suggestions in rows
    ]


def _known(part: Part, believed: Outputs) -> NDArray[np.bool_]:
    """Returns for which examples the beliefs about a control are not those of zero outputs."""
    nothing = nothing_known(part.task, 1)
    return np.asarray((np.abs(believed.values - nothing.values) > _TINY).any(axis=1))


def compose(parts: Sequence[Part], suggestions: Mapping[str, Suggestion]) -> Suggestion:
    """Returns the suggestions for the controls as one, without those of controls not shown.

    Its confidence is the mean of theirs.
    """
    visible = shown(parts, {name: one.answer for name, one in suggestions.items()})
    kept = {name: one for name, one in suggestions.items() if name in visible}
    return Suggestion(
        answer=ByControl.of({name: one.answer for name, one in kept.items()}),
        confidence=float(np.mean([one.confidence for one in kept.values()])),
        probabilities={
            label_of(part, label): kept[part.name].probabilities.get(label, 0.0)
            if part.name in kept
            else 0.0
            for part in parts
            for label in part.task.labels
        },
        controls=kept,
    )


def uncertainty(believed: Outputs, parts: Sequence[Part], measure: str) -> Vector:
    """Returns the weighted mean of the controls' default measures, (N,) in [0, 1].

    Raises:
        ConfigError: If another measure is asked for.
    """
    if measure != MEASURE:
        raise ConfigError(f"measure must be one of {[MEASURE]}, got {measure!r}")
    each = [p.task.uncertainty(own) for p, own in zip(parts, split(believed, parts), strict=True)]
    weights = np.array([part.weight for part in parts])
    return np.asarray(np.clip(weights @ np.stack(each) / weights.sum(), 0.0, 1.0))


def credit(
    truth: Sequence[ByControl], predicted: Sequence[ByControl], parts: Sequence[Part]
) -> Vector:
    """Returns the mean credit over the controls that both have answers to, (N,); 0 without any."""
    total, count = np.zeros(len(truth)), np.zeros(len(truth))
    for part in parts:
        rows, right, given = _both(truth, predicted, part)
        total[rows] += part.task.credit(right, given)
        count[rows] += 1
    return np.asarray(total / np.maximum(count, 1))


def summary(
    truth: Sequence[ByControl], predicted: Sequence[ByControl], parts: Sequence[Part]
) -> Mapping[str, float]:
    """Returns the measures of each control by its name; 0 without an answer to it."""
    found: dict[str, float] = {}
    for part in parts:
        _, right, given = _both(truth, predicted, part)
        earned = part.task.credit(right, given)
        found[f"{part.name}_{part.task.measure}"] = float(earned.mean()) if len(earned) else 0.0
        more = part.task.summary(right, given)
        found |= {f"{part.name}_{name}": value for name, value in more.items()}
    return found


def _both(
    truth: Sequence[ByControl], predicted: Sequence[ByControl], part: Part
) -> tuple[NDArray[np.intp], list[Hashable], list[Hashable]]:
    """Returns the rows in which both have an answer to a control, and the answers."""
    pairs = [(a.get(part.name), b.get(part.name)) for a, b in zip(truth, predicted, strict=True)]
    rows = [n for n, (a, b) in enumerate(pairs) if a is not None and b is not None]
    return np.array(rows, dtype=np.intp), [pairs[n][0] for n in rows], [pairs[n][1] for n in rows]


def brier(believed: Outputs, answers: Sequence[ByControl], parts: Sequence[Part]) -> Vector:
    """Returns the mean squared distance over the controls that have an answer, (N,)."""
    total, count = np.zeros(len(answers)), np.zeros(len(answers))
    each = zip(parts, split(believed, parts), answered(answers, parts), strict=True)
    for part, own, (rows, given) in each:
        total[rows] += part.task.brier(own.take(rows), given)
        count[rows] += 1
    return np.asarray(total / np.maximum(count, 1))
