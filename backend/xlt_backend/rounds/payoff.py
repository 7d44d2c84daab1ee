"""Payoff of a project's labels, as /status shows it: from labels, draws and vectors. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.data.scripts import held_back
from xlt.errors import DataError
from xlt.payoff.labelled import Labelled
from xlt.payoff.lure import Accuracy, capped, lure_weights, weighted_accuracy
from xlt.payoff.marginal import Improvement, improvement_by_last
from xlt.payoff.shadow import Comparison, Shadow, falls_back, shadow_test
from xlt.sampling.control import random_key, random_sample
from xlt.tasks.intervals import Interval
from xlt.tasks.probes import NO_PROBE, has_probe
from xlt.tasks.renames import Renames, answer_now
from xlt.tasks.task import AnyTask
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.ledger import Draw, Ledger
from xlt_backend.rounds.snapshot import in_audit

#: Number of labels of a language that LURE uses, the newest: older ones judged older models.
_WINDOW = 200
EARLY = "too early to say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoff:
    """The measured payoff.

    Attributes:
        fallen_back: Whether the next orders are drawn at random.
        report: For /status, JSON-ready.
        words: Whether choosing labels pays, for people.
    """

    fallen_back: bool
    report: dict[str, Any]
    words: str


def measure(
    train: Sequence[Example],
    audit: Sequence[Example],
    pool: Sequence[Example],
    task: AnyTask,
    ledger: Ledger,
    vectors: Callable[[Sequence[Example]], NDArray[np.float32]],
    options: ProjectOptions,
    *,
    labelled_at: Mapping[str, float],
    salt: str,
    rng: np.random.Generator,
) -> Payoff:
    """Measures the gain by the last labels, the gain by choosing them, and models' accuracy.

    Args:
        train: Labelled examples that models are trained on.
        audit: Labelled examples that judge models.
        pool: Waiting tasks.
        task: The project's task.
        ledger: The draws of the labelled tasks.
        vectors: Returns (N, D) vectors of an encoder that was not trained on the labels.
        options: The project's options.
        labelled_at: Task id -> when it was labelled, seconds since the epoch.
        salt: The project's name, which decides random keys.
        rng: Draws splits.
    """
    examples = (*train, *audit)
    training = np.arange(len(examples)) < len(train)
    measurable = has_probe(task)
    sample = _sample(train, pool, options, salt)
    at_random = ~training | np.array([e.id in sample for e in examples], dtype=bool)
    drawn = np.array([e.id in ledger.labelled for e in examples], dtype=bool)
    shadow, improvements = None, {}
    if measurable:
        labelled = _arrays(task, examples, vectors(examples))
        targets = _targets(examples, options)
        shadow = shadow_test(labelled, drawn & ~at_random, at_random, targets, rng)
        improvements = improvement_by_last(labelled, *_by_time(examples, training, labelled_at))
    fallen_back = falls_back(ledger.fallen_back, shadow)
    words = choosing_words(shadow, fallen_back=fallen_back, before=ledger.fallen_back)
    if not measurable:
        words = f"the payoff of {task.kind} is not measured, {NO_PROBE}"
    languages = {
        lang: {
            "prequential": _rounded(prequential(train, audit, task, ledger, lang, options.rename)),
            "last_labels": _last(improvements.get(lang)),
            "saved": _saved(
                None if shadow is None else shadow.languages.get(lang),
                sum(e.lang == lang for e in train),
            ),
        }
        for lang in dict.fromkeys(e.lang for e in examples)
    }
    choosing: dict[str, Any] = {"fallen_back": fallen_back, "words": words}
    if shadow is not None:
        gain = _rounded(shadow.overall.gain)
        choosing |= {"gain": gain, "labels": shadow.labels, "judged": shadow.judged}
    choosing["saved"] = _saved(None if shadow is None else shadow.overall, len(train))
    report = {"choosing": choosing, "languages": languages}
    return Payoff(fallen_back=fallen_back, report=report, words=words)


def prequential(
    train: Sequence[Example],
    audit: Sequence[Example],
    task: AnyTask,
    ledger: Ledger,
    lang: str,
    renames: Renames | None = None,
) -> Accuracy | None:
    """Estimates the accuracy of models on labels of a language that they had not learned from.

    Each label judges the version whose order it came in: labels that train are weighted by LURE,
    audit labels are not. The estimate averages over the versions of the newest labels, so that it
    lags behind the accuracy on audit labels, which all judge the newest version. Annotators saw
    the version's suggestion, with audit labels too; if they accept too easily, both are too high.
    """
    chosen = _judged(train, ledger, lang)
    random = _judged(audit, ledger, lang)
    if not chosen and not random:
        return None
    weights: NDArray[np.float64] = np.zeros(0)
    if chosen:
        left = np.array([draw.remaining for draw, _ in chosen])
        chances = np.array([draw.propensity for draw, _ in chosen])
        weights = capped(lure_weights(chances, max(int(left[0]), len(chosen)), left))
    credit, random_credit = (_credit(task, judged, renames or {}) for judged in (chosen, random))
    return weighted_accuracy(credit, weights, random_credit)


def _credit(
    task: AnyTask, judged: Sequence[tuple[Draw, Example]], renames: Renames
) -> NDArray[np.float64]:
    """Returns the credit of noted suggestions, (N,); 0 for one that is no longer in the task."""
    credit = np.zeros(len(judged))
    for row, (draw, example) in enumerate(judged):
        try:
            suggested = task.read(answer_now(draw.predicted, task.labels, renames))
        except DataError:
            continue
        credit[row] = task.credit([example.answer], [suggested])[0]
    return credit


def _judged(examples: Sequence[Example], ledger: Ledger, lang: str) -> list[tuple[Draw, Example]]:
    """Lists the newest labels of a language that a model had a suggestion for, oldest first."""
    judged = [
        (draw, example)
        for example in examples
        if example.lang == lang
        and (draw := ledger.labelled.get(example.id)) is not None
        and draw.predicted is not None
    ]
    return sorted(judged, key=lambda pair: pair[0].at)[-_WINDOW:]


def choosing_words(shadow: Shadow | None, *, fallen_back: bool, before: bool) -> str:
    """Says in a sentence whether choosing labels pays."""
    if shadow is None:
        text = f"whether choosing pays: {EARLY}"
    else:
        gain = _points(shadow.overall.gain)
        text = (
            f"{shadow.labels} chosen labels against the same number of random ones: {gain} points"
        )
    if fallen_back:
        return f"{text}; tasks are drawn at random within each language until choosing pays again"
    return f"{text}; choosing again" if before else text


def _arrays(task: AnyTask, examples: Sequence[Example], vectors: NDArray[np.float32]) -> Labelled:
    return Labelled(
        vectors=vectors,
        answers=[example.answer for example in examples],
        task=task,
        langs=np.array([e.lang for e in examples], dtype=np.str_),
        groups=np.array([e.group_key for e in examples], dtype=np.str_),
    )


def _by_time(
    examples: Sequence[Example], training: NDArray[np.bool_], labelled_at: Mapping[str, float]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the rows that train, in the order of labelling, and those that judge."""
    when = np.array([labelled_at.get(e.id, 0.0) for e in examples])
    trained = np.flatnonzero(training)
    return trained[np.argsort(when[trained], kind="stable")], np.flatnonzero(~training)


def _sample(
    train: Sequence[Example], pool: Sequence[Example], options: ProjectOptions, salt: str
) -> set[str]:
    """Returns ids of training labels that are, by their keys, a random sample of their language."""
    trained = {e.id for e in train}
    waiting = [e for e in pool if e.id not in trained and not in_audit(e, options, salt)]
    tasks = [*train, *waiting]
    held = held_back([e.id for e in tasks], [e.input for e in tasks], [e.lang for e in tasks])
    tasks = [e for e in tasks if e.id not in held]  # held-back tasks are in no draw
    sampled = random_sample(
        np.array([random_key(e.id, salt=salt) for e in tasks]),
        np.array([e.id in trained for e in tasks], dtype=bool),
        np.array([e.lang for e in tasks], dtype=np.str_),
    )
    return {e.id for e, chosen in zip(tasks, sampled.tolist(), strict=True) if chosen}


def _targets(examples: Sequence[Example], options: ProjectOptions) -> set[str]:
    """Returns the target languages; all languages if all are sources."""
    sources = {normalise(code) for code in options.source_languages}
    langs = {e.lang for e in examples}
    return {lang for lang in langs if normalise(lang) not in sources} or langs


def _last(improvement: Improvement | None) -> dict[str, Any]:
    if improvement is None:
        return {"words": EARLY}
    labels, gain = improvement.labels, improvement.gain
    return {
        "labels": labels,
        "judged": improvement.judged,
        **_rounded(gain),
        "words": f"the last {labels} labels improved accuracy by {_points(gain)} points",
    }


def _saved(comparison: Comparison | None, labels: int) -> dict[str, Any]:
    """Estimates the labels saved by choosing, if all were worth what the compared ones were."""
    share = None if comparison is None else comparison.saved
    if share is None:
        return {"words": "not known yet"}
    more = [labels * part / (1.0 - part) for part in (share.value, share.low, share.high)]
    words = f"random choice would have needed {_spread(*more)} labels more"
    ends = zip(("value", "low", "high"), (round(part, 1) for part in more), strict=True)
    return {"share": _rounded(share), "more": dict(ends), "words": words}


def _points(gain: Interval) -> str:
    low, high = (f"{100 * end:.1f}" for end in (gain.low, gain.high))
    return f"{100 * gain.value:.1f} ({low} to {high})"


def _spread(value: float, low: float, high: float) -> str:
    return f"{value:.0f} ({low:.0f} to {high:.0f})"


def _rounded(value: Interval | Accuracy | None) -> Mapping[str, float]:
    return {} if value is None else {k: round(v, 4) for k, v in asdict(value).items()}
