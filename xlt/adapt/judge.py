"""Decides by labels whether an adapted encoder is better than the one it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.adapt.options import AdaptOptions, purpose
from xlt.adapt.run import REPORT, Progress, adapt
from xlt.adapt.texts import AdaptData
from xlt.config import HEAD_L2
from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.data.splits import folds_by_group
from xlt.encoder.encoder import embed
from xlt.tasks.calibration import Calibration
from xlt.tasks.kinds import infer_task
from xlt.tasks.logistic import scaled
from xlt.tasks.probes import NO_PROBE, has_probe
from xlt.tasks.task import AnyTask

_FOLDS, _SEED = 5, 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The choice between an encoder and its adapted version, with the reason.

    Attributes:
        encoder: The better one, as `load_encoder` takes it.
        adapted: Whether that is the adapted one.
        before: Accuracy in [0, 1] of the encoder as it was, by language of the held-out texts.
        after: The same of the adapted one.
        reason: One line for people.
    """

    encoder: str
    adapted: bool
    before: dict[str, float]
    after: dict[str, float]
    reason: str


def choose(
    encoder: str,
    adapted: str,
    train: Sequence[Example],
    held: Sequence[Example] | None = None,
    *,
    source: str,
    task: AnyTask | None = None,
    max_source_loss: float = 0.01,
) -> Choice:
    """Compares two encoders by a logistic head on their frozen vectors.

    The adapted one is chosen where it is right on more of the held-out texts in other languages
    than the source, by more than one standard deviation of what chance does to the texts on
    which the two disagree (McNemar), and loses at most `max_source_loss` on the source's.

    Args:
        encoder: As it was.
        adapted: Made from it.
        train: Labelled texts that the heads learn from; of the source alone: zero-shot.
        held: Labelled texts that judge; none of them, nor a translation, in `train`. None: each
            of `train` is judged by a head that learned from the others, a fifth at a time.
        source: Code of the source language.
        task: What the answers belong to; None: as `infer_task` finds it.
        max_source_loss: Accuracy that the source may lose; without held-out source texts this
            is not looked at.

    Raises:
        DataError: If the answers of `train` make no task.
    """
    train = [example for example in train if example.answer is not None]
    task = infer_task(train) if task is None else task
    if not has_probe(task):
        reason = f"labels of {task.kind} do not judge encoders, {NO_PROBE}"
        return Choice(encoder=encoder, adapted=False, before={}, after={}, reason=reason)
    old, new = (_credit(name, train, held, task) for name in (encoder, adapted))
    held = train if held is None else held
    ours = np.array([normalise(e.lang) == normalise(source) for e in held], dtype=bool)
    gained, lost = int(((new > old) & ~ours).sum()), int(((old > new) & ~ours).sum())
    drop = float(old[ours].mean() - new[ours].mean()) if ours.any() else 0.0
    if ours.all():
        better, reason = False, "no held-out label in another language than the source"
    elif gained - lost <= math.sqrt(gained + lost):
        better, reason = False, f"{gained} texts gained, {lost} lost: no clear gain"
    elif drop > max_source_loss:
        better, reason = False, f"the source loses {100 * drop:.1f} points"
    else:
        better = True
        reason = f"{gained} texts gained, {lost} lost; the source loses {100 * drop:.1f} points"
    return Choice(
        encoder=adapted if better else encoder,
        adapted=better,
        before=_by_language(old, held),
        after=_by_language(new, held),
        reason=reason,
    )


def adapt_once(
    encoder: str,
    data: AdaptData,
    out: Path,
    *,
    options: AdaptOptions | None = None,
    progress: Progress = lambda line: None,
) -> None:
    """Adapts an encoder, unless `out` has it already.

    What was adapted from the same encoder to the same languages with the same options is taken as
    it is, whatever texts there are now.

    Args:
        encoder: As `adapt` takes it.
        data: What to adapt with.
        out: Folder of the adapted encoder.
        options: None: the defaults.
        progress: Called with one line now and then.
    """
    options = options or AdaptOptions()
    if not is_made(out, purpose(encoder, data.languages, options)):
        adapt(encoder, data, out, options=options, progress=progress, replaces=True)


def is_made(out: Path, purpose: str) -> bool:
    """Returns whether `out` holds an encoder that was adapted for this purpose."""
    try:
        report = json.loads((out / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and report.get("purpose") == purpose


def _credit(
    encoder: str,
    train: Sequence[Example],
    held: Sequence[Example] | None,
    task: AnyTask,
) -> NDArray[np.float64]:
    """Returns the credit of a probe on each text that judges, (N,) in [0, 1]."""
    examples = [*train, *(held or ())]
    vectors = embed([example.input for example in examples], encoder=encoder)
    rows = np.arange(len(examples))
    parts = _folds(train) if held is None else [(rows[: len(train)], rows[len(train) :])]
    credit = np.zeros(len(examples))
    for learned, asked in parts:
        x = scaled(vectors, vectors[learned])
        labelled, judging = ([examples[row] for row in part] for part in (learned, asked))
        probe = task.probe(
            x[learned],
            [example.answer for example in labelled],
            l2=HEAD_L2,
            weights=np.array([example.weight for example in labelled]),
        )
        langs = [example.lang for example in judging]
        suggestions = task.decode(task.beliefs(probe.outputs(x[asked]), langs, Calibration()))
        truth = [example.answer for example in judging]
        credit[asked] = task.credit(truth, [suggestion.answer for suggestion in suggestions])
    return credit if held is None else credit[len(train) :]


def _folds(examples: Sequence[Example]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows to learn from and rows to ask, five times."""
    folds = folds_by_group(examples, _FOLDS, np.random.default_rng(_SEED))
    return [(np.flatnonzero(folds != n), np.flatnonzero(folds == n)) for n in np.unique(folds)]


def _by_language(credit: NDArray[np.float64], held: Sequence[Example]) -> dict[str, float]:
    langs = np.array([example.lang for example in held])
    return {str(lang): round(float(credit[langs == lang].mean()), 4) for lang in np.unique(langs)}
