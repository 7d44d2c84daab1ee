"""Decides by labels whether an adapted encoder is better than the one it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from xlt.adapt.data import AdaptData
from xlt.adapt.options import AdaptOptions, cache_key
from xlt.adapt.run import REPORT, Progress, adapt
from xlt.config import TrainConfig
from xlt.encoder import embed
from xlt.errors import DataError
from xlt.heads import SingleLabelHead
from xlt.languages import normalise
from xlt.schema import Example, TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which encoder to use, and why.

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
    held: Sequence[Example],
    *,
    source: str,
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
        held: Labelled texts that judge; none of them, nor a translation, in `train`.
        source: Code of the source language.
        max_source_loss: Accuracy that the source may lose; without held-out source texts this
            is not looked at.

    Raises:
        DataError: If `train` has fewer than two labels.
    """
    labels = tuple(sorted({str(e.label) for e in train if e.label is not None}))
    if len(labels) < 2:
        raise DataError(f"expected labelled texts with at least 2 labels, got {list(labels)}")
    task = TaskSpec(labels=labels)
    old, new = (_right(name, train, held, task) for name in (encoder, adapted))
    ours = np.array([normalise(e.lang) == normalise(source) for e in held], dtype=bool)
    gained, lost = int((new & ~old & ~ours).sum()), int((old & ~new & ~ours).sum())
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


def adapt_if_better(
    encoder: str,
    data: AdaptData,
    out: Path,
    *,
    train: Sequence[Example],
    held: Sequence[Example],
    options: AdaptOptions | None = None,
    progress: Progress = lambda line: None,
) -> Choice:
    """Adapts once, and says which encoder to use with the labels there are now.

    An encoder in `out` that was adapted from the same encoder with the same data and options is
    taken as it is. It stays there when it is not chosen, because more labels may tell.

    Args:
        encoder: As `adapt` takes it.
        data: What to adapt with.
        out: Folder of the adapted encoder.
        train: As `choose` takes it.
        held: As `choose` takes it.
        options: None: the defaults.
        progress: Called with one line now and then.
    """
    options = options or AdaptOptions()
    if not is_made(out, cache_key(encoder, data, options)):
        adapt(encoder, data, out, options=options, progress=progress)
    choice = choose(encoder, str(out), train, held, source=options.source)
    progress(json.dumps(asdict(choice), ensure_ascii=False))
    return choice


def is_made(out: Path, key: str) -> bool:
    """Whether `out` holds the encoder that `cache_key` names."""
    try:
        report = json.loads((out / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and report.get("key") == key


def _right(
    encoder: str, train: Sequence[Example], held: Sequence[Example], task: TaskSpec
) -> NDArray[np.bool_]:
    """Which of the held-out texts a head on `train` labels as people did: (N,)."""
    labelled = [example for example in train if example.label is not None]
    vectors = torch.from_numpy(embed([e.text for e in [*labelled, *held]], encoder=encoder))
    head = SingleLabelHead(task, vectors.shape[1])
    weights = torch.tensor([example.weight for example in labelled])
    head.warm_start(
        vectors[: len(labelled)], head.targets(labelled), weights, l2=TrainConfig().head_l2
    )
    with torch.inference_mode():
        found = head.classify(vectors[len(labelled) :]).argmax(dim=1).tolist()
    named = [task.labels[row] for row in found]
    return np.array([n == e.label for n, e in zip(named, held, strict=True)], dtype=bool)


def _by_language(right: NDArray[np.bool_], held: Sequence[Example]) -> dict[str, float]:
    langs = np.array([example.lang for example in held])
    return {str(lang): round(float(right[langs == lang].mean()), 4) for lang in np.unique(langs)}
