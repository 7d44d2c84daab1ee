"""What `xlt train | predict | select | evaluate` do, between the files and the library."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import UNKNOWN_LANGUAGE, Example, Prediction, TaskSpec
from xlt.data.languages import identify, normalise
from xlt.data.scripts import held_back
from xlt.errors import DataError
from xlt.sampling.audit import is_audit
from xlt.sampling.select import Pool, SamplerOptions, Selection, select
from xlt.sampling.transfer import Transfer
from xlt.tasks import calibration as calibrate
from xlt.tasks.calibration import Calibration

if TYPE_CHECKING:
    from xlt.models.predictor import Predictor

#: Beside a model: how its logits become probabilities.
CALIBRATION = "calibration.json"
_SALT = "xlt select"

#: Called with (words, done, total).
Show = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """A model's answer for N texts: probabilities (N, C) and sentence vectors (N, H)."""

    labels: tuple[str, ...]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def predictions(self, examples: Sequence[Example]) -> list[Prediction]:
        """One per example, in order."""
        return [
            Prediction(
                id=example.id,
                label=self.labels[int(row.argmax())],
                probabilities=dict(zip(self.labels, row.tolist(), strict=True)),
            )
            for example, row in zip(examples, self.probabilities, strict=True)
        ]


def with_languages(examples: Sequence[Example]) -> list[Example]:
    """Names the language of texts that do not say theirs."""
    unknown = [example for example in examples if example.lang == UNKNOWN_LANGUAGE]
    found = dict(
        zip(
            (example.id for example in unknown),
            identify([example.text for example in unknown]) if unknown else [],
            strict=True,
        )
    )
    return [replace(e, lang=found[e.id][0]) if e.id in found else e for e in examples]


def in_languages(examples: Sequence[Example], codes: Sequence[str]) -> list[Example]:
    """The examples of these languages; all of them where none is named."""
    keys = {normalise(code) for code in codes}
    return [example for example in examples if not keys or normalise(example.lang) in keys]


def task_of(labelled: Sequence[Example]) -> TaskSpec:
    """The label set that the examples use, sorted.

    Raises:
        DataError: If it has fewer than two labels.
    """
    labels = sorted({example.label for example in labelled if example.label is not None})
    if len(labels) < 2:
        raise DataError(f"expected texts with at least 2 different labels, got {labels}")
    return TaskSpec(labels=tuple(labels))


def without_groups(examples: Sequence[Example], held: Sequence[Example]) -> list[Example]:
    """Examples that do not say the same as one that is held out."""
    groups = {example.group_key for example in held}
    return [example for example in examples if example.group_key not in groups]


def load(folder: Path) -> tuple[Predictor, Calibration]:
    """A model and how it is calibrated; without a calibration, not at all.

    Raises:
        EncoderError: If the folder holds no model.
        DataError: If its calibration cannot be read.
    """
    from xlt.models.predictor import Predictor

    predictor = Predictor.load(folder)
    file = folder / CALIBRATION
    if not file.is_file():
        return predictor, Calibration()
    try:
        return predictor, Calibration.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {file}: {error}") from error


def answer(
    predictor: Predictor, calibration: Calibration, examples: Sequence[Example], show: Show
) -> Answers:
    """Scores examples in one pass."""
    scores = predictor.score(
        [example.text for example in examples],
        progress=lambda done, total: show("reading texts", done, total),
    )
    return Answers(
        labels=predictor.task.labels,
        logits=scores.logits,
        probabilities=calibration.apply(scores.logits, [example.lang for example in examples]),
        vectors=scores.vectors,
    )


def fit_and_save(folder: Path, held: Sequence[Example], found: Answers, task: TaskSpec) -> None:
    """Calibrates a model on held-out labels and keeps that beside it."""
    indices = np.array([task.index(str(example.label)) for example in held], dtype=np.intp)
    fitted = calibrate.fit(found.logits, indices, [example.lang for example in held])
    (folder / CALIBRATION).write_text(json.dumps(fitted.to_json(), indent=1), encoding="utf-8")


def order(
    model: tuple[Predictor, Calibration] | None,
    examples: Sequence[Example],
    options: SamplerOptions,
    seed: int,
    show: Show,
    transfer: Transfer | None = None,
) -> Selection:
    """Orders the examples that have no label; those that have one say what is known already.

    Args:
        model: What scores them; None: sentence vectors of the bundled encoder, no probabilities.
        examples: With and without labels.
        options: How labels are shared out.
        seed: Same seed, same order.
        show: Told of progress.
        transfer: What labels of the source are worth to the targets; None: not known.
    """
    pool = [example for example in examples if example.label is None]
    labelled = [example for example in examples if example.label is not None]
    probabilities = None
    if model is None:
        from xlt.encoder.encoder import embed

        vectors = embed([example.text for example in examples])
    else:
        found = answer(*model, examples, show)
        vectors, probabilities = found.vectors, found.probabilities
    open_rows = np.array([example.label is None for example in examples], dtype=bool)
    audit = [is_audit(e.group_key, share=options.audit_share, salt=_SALT) for e in pool]
    return select(
        Pool(
            ids=[example.id for example in pool],
            langs=[example.lang for example in pool],
            probabilities=None if probabilities is None else probabilities[open_rows],
            vectors=vectors[open_rows],
            audit=np.array(audit, dtype=bool),
            labelled_counts=Counter(example.lang for example in labelled),
            labelled_vectors=vectors[~open_rows],
            labelled_langs=[example.lang for example in labelled],
            labelled_ids=[example.id for example in labelled],
            held_back=held_back(
                [e.id for e in pool], [e.text for e in pool], [e.lang for e in pool]
            ),
            transfer=transfer,
        ),
        options,
        np.random.default_rng(seed),
    )
