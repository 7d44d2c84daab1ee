"""Which labelled texts to look at again, the most doubtful first, and why.

The model that doubts a label must not have learnt it. Fine-tuning once per fold would take hours,
so quick heads on frozen vectors are cross-fitted: each text is judged by a head that was fitted on
the other texts, its translations left out too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.data.corpus import folds_by_group
from xlt.data.examples import Example, TaskSpec
from xlt.errors import DataError
from xlt.review.consensus import Answers, Consensus, consensus
from xlt.tasks import calibration
from xlt.tasks.logistic import fit_head, scaled

_FOLDS = 5
#: Fewer labels than so many say nothing about one another.
_LEAST = 20
#: Penalty of the head; the trainer's default.
_L2 = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A labelled text, and how sure one may be of its label.

    Attributes:
        id: The text.
        lang: Its language.
        answers: Annotator -> label.
        expected: What annotators and model together find most probable.
        doubt: In [0, 1], higher = less sure; comparable with `Recheck.unlabelled_doubt`.
        reason: Why, for people.
    """

    id: str
    lang: str
    answers: Mapping[str, str]
    expected: str
    doubt: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recheck:
    """What was found about labels and annotators.

    Attributes:
        texts: All labelled texts, the most doubtful first.
        quality: Annotator -> in [0, 1], higher = better.
        given: Annotator -> how many answers the quality rests on.
        consensus: Where it comes from.
    """

    texts: tuple[Doubtful, ...]
    quality: Mapping[str, float]
    given: Mapping[str, int]
    consensus: Consensus

    def unlabelled_doubt(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """Doubts (N',) of texts without labels, on the scale of `Doubtful.doubt`.

        Args:
            probabilities: (N', C), calibrated.
        """
        return self.consensus.unlabelled_doubt(probabilities)


def recheck(
    examples: Sequence[Example],
    answers: Mapping[str, Mapping[str, str]],
    vectors: NDArray[np.float32],
    task: TaskSpec,
    rng: np.random.Generator,
) -> Recheck | None:
    """Doubts every label; None where there are too few, or all are the same.

    Args:
        examples: N texts that somebody labelled; a label of None: the annotators do not agree.
        answers: Id -> annotator -> label; every example has one at least.
        vectors: (N, H) of an encoder that was not fine-tuned on these labels.
        task: The label set.
        rng: Draws the folds.

    Raises:
        DataError: If an example has no answer, or an answer is not a label of the task.
    """
    agreed = [example.label for example in examples if example.label is not None]
    if len(agreed) < _LEAST or len(set(agreed)) < 2:
        return None
    given, people = _numbered(examples, answers, task)
    p = out_of_sample(examples, vectors, task, rng)
    found = consensus(given, p, len(people))
    order = np.argsort(-found.doubt, kind="stable")
    texts = [_doubtful(examples[row], answers, found, p, row, task) for row in order.tolist()]
    counts = np.bincount(given.annotators, minlength=len(people)).tolist()
    return Recheck(
        texts=tuple(texts),
        quality=dict(zip(people, found.quality.tolist(), strict=True)),
        given=dict(zip(people, counts, strict=True)),
        consensus=found,
    )


def out_of_sample(
    examples: Sequence[Example],
    vectors: NDArray[np.float32],
    task: TaskSpec,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Calibrated class probabilities (N, C), each by a head that has not seen the text's label.

    Args:
        examples: N examples; those without a label are judged and judge nobody.
        vectors: (N, H).
        task: The label set.
        rng: Draws the folds; texts that say the same are in one.
    """
    x = scaled(vectors, vectors)
    y = np.array([-1 if e.label is None else task.index(e.label) for e in examples], dtype=np.intp)
    folds = folds_by_group(examples, _FOLDS, rng)
    logits = np.zeros((len(examples), len(task.labels)))
    for fold in range(_FOLDS):
        rest = (folds != fold) & (y >= 0)
        head = fit_head(x[rest], y[rest], len(task.labels), l2=_L2)
        logits[folds == fold] = head.logits(x[folds == fold])
    langs = [example.lang for example in examples]
    known = np.flatnonzero(y >= 0)
    fitted = calibration.fit(logits[known], y[known], [langs[row] for row in known])
    return fitted.apply(logits, langs)


def base_vectors(model: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """Sentence vectors (N, H) of the encoder that a model started from.

    Args:
        model: A model's folder; anything else is an encoder, see `xlt.encoder.encoder.embed`.
        texts: N texts.

    Raises:
        EncoderError: If the encoder cannot be loaded.
    """
    from xlt.config import TrainConfig
    from xlt.encoder.encoder import embed

    settings = Path(model) / "config.toml"
    encoder = TrainConfig.from_toml(settings).encoder if settings.is_file() else model
    return embed(texts, encoder=encoder)


def _numbered(
    examples: Sequence[Example], answers: Mapping[str, Mapping[str, str]], task: TaskSpec
) -> tuple[Answers, list[str]]:
    """Answers as numbers, and the annotators by number."""
    people: dict[str, int] = {}
    cells = []
    for row, example in enumerate(examples):
        if not answers.get(example.id):
            raise DataError(f"example {example.id!r} has no answer")
        for who, label in answers[example.id].items():
            cells.append((row, people.setdefault(who, len(people)), task.index(label)))
    rows, annotators, labels = np.array(cells, dtype=np.intp).T
    return Answers(rows=rows, annotators=annotators, labels=labels), list(people)


def _doubtful(
    example: Example,
    answers: Mapping[str, Mapping[str, str]],
    found: Consensus,
    p: NDArray[np.float64],
    row: int,
    task: TaskSpec,
) -> Doubtful:
    said = answers[example.id]
    counts = Counter(said.values())
    best = task.labels[int(p[row].argmax())]
    model = f"a model that has not seen this label expects {best!r} ({p[row].max():.2f})"
    if len(counts) > 1:
        votes = ", ".join(f"{n} × {label!r}" for label, n in counts.most_common())
        reason = f"annotators disagree: {votes}; {model}"
    else:
        [label] = counts
        own = "" if best == label else f" and gives {label!r} {p[row][task.index(label)]:.2f}"
        reason = f"labelled {label!r} by {len(said)}; {model}{own}"
    return Doubtful(
        id=example.id,
        lang=example.lang,
        answers=dict(said),
        expected=task.labels[int(found.labels[row])],
        doubt=float(found.doubt[row]),
        reason=reason,
    )
