"""What a project's labels are worth, as /status says it: from labels, draws and vectors. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.data.scripts import held_back
from xlt.payoff.arms import Comparison, Shadow, falls_back, shadow_test
from xlt.payoff.intervals import Interval
from xlt.payoff.labelled import Labelled
from xlt.payoff.lure import Accuracy, capped, lure_weights, weighted_accuracy
from xlt.payoff.marginal import Bought, bought_by_last
from xlt.sampling.control import lot, random_sample
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds import snapshot as snapshots
from xlt_backend.rounds.ledger import Draw, Ledger
from xlt_backend.rounds.snapshot import Snapshot

#: Labels of a language that LURE looks at, the newest: older ones judged models long gone.
_WINDOW = 200
EARLY = "too early to say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What was measured.

    Attributes:
        fallen_back: Whether the next orders are drawn at random.
        report: For /status, JSON-ready.
        words: What there is to say of choosing, for people.
    """

    fallen_back: bool
    report: dict[str, Any]
    words: str


def measure(
    snapshot: Snapshot,
    ledger: Ledger,
    vectors: Callable[[Sequence[Example]], NDArray[np.float32]],
    options: ProjectOptions,
    *,
    salt: str,
    rng: np.random.Generator,
) -> Worth:
    """Measures what labels bought, whether choosing them paid, and how good models are.

    Args:
        snapshot: Labels, and what waits.
        ledger: How labelled tasks were drawn.
        vectors: Gives (N, D) vectors of an encoder that has not seen the labels.
        options: The project's options.
        salt: The project's name, which decides lots.
        rng: Draws splits.
    """
    examples = (*snapshot.train, *snapshot.audit)
    training = np.arange(len(examples)) < len(snapshot.train)
    labelled = _arrays(snapshot, examples, vectors(examples))
    sample = _sample(snapshot, options, salt)
    at_random = ~training | np.array([e.id in sample for e in examples], dtype=bool)
    drawn = np.array([e.id in ledger.labelled for e in examples], dtype=bool)
    shadow = shadow_test(labelled, drawn & ~at_random, at_random, _targets(examples, options), rng)
    fallen_back = falls_back(ledger.fallen_back, shadow)
    when = np.array([snapshot.labelled_at.get(e.id, 0.0) for e in examples])
    trained = np.flatnonzero(training)
    trained = trained[np.argsort(when[trained], kind="stable")]
    bought = bought_by_last(labelled, trained, np.flatnonzero(~training))
    words = choosing_words(shadow, fallen_back=fallen_back, before=ledger.fallen_back)
    languages = {
        lang: {
            "prequential": _rounded(prequential(snapshot, ledger, lang)),
            "last_labels": _last(bought.get(lang)),
            "saved": _saved(
                None if shadow is None else shadow.languages.get(lang),
                sum(e.lang == lang for e in snapshot.train),
            ),
        }
        for lang in dict.fromkeys(e.lang for e in examples)
    }
    choosing: dict[str, Any] = {"fallen_back": fallen_back, "words": words}
    if shadow is not None:
        gain = _rounded(shadow.overall.gain)
        choosing |= {"gain": gain, "labels": shadow.labels, "judged": shadow.judged}
    choosing["saved"] = _saved(None if shadow is None else shadow.overall, len(snapshot.train))
    report = {"choosing": choosing, "languages": languages}
    return Worth(fallen_back=fallen_back, report=report, words=words)


def prequential(snapshot: Snapshot, ledger: Ledger, lang: str) -> Accuracy | None:
    """How often models were right about labels of a language that they had not learnt from.

    Every label is judged by the version whose order it came in; of labels that train by LURE, of
    audit labels plainly. An average over the versions of the newest labels: it lags behind the
    accuracy on audit labels, which all judge the newest version.
    Annotators saw what the version suggested, here as with audit labels: who accepts what he sees
    makes both too high.
    """
    labels = snapshot.labels
    drawn = {
        e.id: (ledger.labelled[e.id], labels[e.id])
        for e in (*snapshot.train, *snapshot.audit)
        if e.lang == lang and e.id in ledger.labelled
    }
    audit = {e.id for e in snapshot.audit}
    chosen = _judged([of for id, of in drawn.items() if id not in audit])
    random = _judged([of for id, of in drawn.items() if id in audit])
    if not chosen and not random:
        return None
    weights: NDArray[np.float64] = np.zeros(0)
    if chosen:
        left = np.array([draw.remaining for draw, _ in chosen])
        chances = np.array([draw.propensity for draw, _ in chosen])
        weights = capped(lure_weights(chances, max(int(left[0]), len(chosen)), left))
    right, random_right = (
        np.array([draw.predicted == label for draw, label in of], dtype=bool)
        for of in (chosen, random)
    )
    return weighted_accuracy(right, weights, random_right)


def _judged(drawn: Sequence[tuple[Draw, str]]) -> list[tuple[Draw, str]]:
    """The newest that a model said something of, the oldest of them first."""
    judged = [of for of in drawn if of[0].predicted is not None]
    return sorted(judged, key=lambda of: of[0].at)[-_WINDOW:]


def choosing_words(shadow: Shadow | None, *, fallen_back: bool, before: bool) -> str:
    """Whether choosing pays, in a sentence."""
    if shadow is None:
        found = f"whether choosing pays: {EARLY}"
    else:
        gain = _points(shadow.overall.gain)
        found = f"{shadow.labels} chosen labels against as many random ones: {gain} points"
    if fallen_back:
        return f"{found}; tasks are drawn at random within each language until choosing pays again"
    return f"{found}; choosing again" if before else found


def _arrays(
    snapshot: Snapshot, examples: Sequence[Example], vectors: NDArray[np.float32]
) -> Labelled:
    return Labelled(
        vectors=vectors,
        labels=np.array([snapshot.spec.index(str(e.label)) for e in examples], dtype=np.intp),
        langs=np.array([e.lang for e in examples], dtype=np.str_),
        groups=np.array([e.group_key for e in examples], dtype=np.str_),
        classes=len(snapshot.spec.labels),
    )


def _sample(snapshot: Snapshot, options: ProjectOptions, salt: str) -> set[str]:
    """Ids of labels that train and are, by their lots, a random sample of their language."""
    trained = {e.id for e in snapshot.train}
    waiting = [
        e for e in snapshot.pool if e.id not in trained and not snapshots.in_audit(e, options, salt)
    ]
    tasks = [*snapshot.train, *waiting]
    held = held_back([e.id for e in tasks], [e.text for e in tasks], [e.lang for e in tasks])
    tasks = [e for e in tasks if e.id not in held]  # those are in no draw
    found = random_sample(
        np.array([lot(e.id, salt=salt) for e in tasks]),
        np.array([e.id in trained for e in tasks], dtype=bool),
        np.array([e.lang for e in tasks], dtype=np.str_),
    )
    return {e.id for e, kept in zip(tasks, found.tolist(), strict=True) if kept}


def _targets(examples: Sequence[Example], options: ProjectOptions) -> set[str]:
    """Languages that labels are for; all where all are sources."""
    sources = {normalise(code) for code in options.source_languages}
    langs = {e.lang for e in examples}
    return {lang for lang in langs if normalise(lang) not in sources} or langs


def _last(bought: Bought | None) -> dict[str, Any]:
    if bought is None:
        return {"words": EARLY}
    words = f"the last {bought.labels} labels bought {_points(bought.gain)} points"
    return {"labels": bought.labels, "judged": bought.judged, **_rounded(bought.gain)} | {
        "words": words
    }


def _saved(found: Comparison | None, labels: int) -> dict[str, Any]:
    """Labels that choosing saved so far, if every label was worth what those compared were."""
    share = None if found is None else found.saved
    if share is None:
        return {"words": "not known yet"}
    more = [labels * of / (1.0 - of) for of in (share.value, share.low, share.high)]
    words = f"random choice would have needed {_spread(*more)} labels more"
    return {"share": _rounded(share), "words": words}


def _points(gain: Interval) -> str:
    low, high = (f"{100 * end:.1f}" for end in (gain.low, gain.high))
    return f"{100 * gain.value:.1f} ({low} to {high})"


def _spread(value: float, low: float, high: float) -> str:
    return f"{value:.0f} ({low:.0f} to {high:.0f})"


def _rounded(found: Interval | Accuracy | None) -> Mapping[str, float]:
    return {} if found is None else {k: round(v, 4) for k, v in asdict(found).items()}
