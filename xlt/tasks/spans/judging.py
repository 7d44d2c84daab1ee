"""Judging: probabilities of tags, the most probable spans, uncertainty and credit.

The credit of an answer is the F1 of its spans, which count if offsets and label are right; two
empty answers earn 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.data.spans import Span
from xlt.errors import ConfigError, DataError
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.tagging import LAYERS, OUTSIDE, Answer, best_tags, count_tags, spans_of, tags_of
from xlt.tasks.task import Suggestion

#: What the logit of "outside" loses in languages that a fitted calibration does not know. Models
#: are too sure there that a word is in no span. Measured with labels in English alone: exact F1 of
#: Danish, Slovak and Serbian +.07 to +.15 on average, and 1 to 2 are about as good.
_UNKNOWN_LANGUAGE = 1.5
#: Spans beside the suggested ones that the expected credit counts with.
_MOST_OTHERS = 24


def right(outputs: Outputs, answers: Sequence[Answer], labels: Sequence[str]) -> NDArray[np.intp]:
    """Returns the right tags (M, LAYERS) of the words of N examples.

    Raises:
        DataError: If a label is unknown.
    """
    for answer in answers:
        for span in answer:
            if span.label not in labels:
                raise DataError(f"unknown label {span.label!r}; labels: {list(labels)}")
    starts, where = outputs.ragged()
    parts = [
        tags_of(answer, where[start:end], labels)
        for answer, start, end in zip(answers, starts, starts[1:], strict=False)
    ]
    return np.concatenate([np.zeros((0, LAYERS), np.int64), *parts]).astype(np.intp)


def fit(
    outputs: Outputs, answers: Sequence[Answer], langs: Sequence[str], labels: Sequence[str]
) -> Calibration:
    """Fits temperatures of the tags of the first layer; a text counts as one label."""
    tags = right(outputs, answers, labels)[:, 0]
    starts, _ = outputs.ragged()
    lengths = np.diff(starts)
    width = count_tags(labels)
    return calibration.fit(
        outputs.values[:, :width],
        np.eye(width)[tags],
        np.repeat(np.array(langs, dtype=object), lengths).tolist(),
        "softmax",
        rows_per_label=max(float(lengths.mean()), 1.0) if len(lengths) else 1.0,
    )


def beliefs(
    outputs: Outputs, langs: Sequence[str], fitted: Calibration, labels: Sequence[str]
) -> Outputs:
    """Returns the probability of each tag in each layer, (M, LAYERS * T)."""
    starts, where = outputs.ragged()
    width = count_tags(labels)
    each = np.repeat(np.array(langs, dtype=object), np.diff(starts)).tolist()
    values = np.asarray(outputs.values, dtype=np.float64).copy()
    unknown = {lang for lang in set(langs) if not fitted.knows(lang)}
    values[[lang in unknown for lang in each], OUTSIDE] -= _UNKNOWN_LANGUAGE
    layers = [
        fitted.apply(values[:, layer * width : (layer + 1) * width], each, "softmax")
        for layer in range(LAYERS)
    ]
    return Outputs(np.concatenate(layers, axis=1), starts=starts, where=where)


def decode(believed: Outputs, labels: Sequence[str]) -> list[Suggestion]:
    """Returns the spans of the most probable tags of each example, possibly none."""
    starts, where = believed.ragged()
    p = _tag_probabilities(believed, labels)
    tags = np.stack([best_tags(p[:, layer], starts) for layer in range(LAYERS)], axis=1)
    begins, goes_on = _begins(p, starts)  # (M, LAYERS, K) each
    suggestions = []
    for start, end in zip(starts.tolist(), starts[1:].tolist(), strict=False):
        read = spans_of(tags[start:end], where[start:end], labels)
        scores = [
            _chance(begins[start:end], goes_on[start:end], first, last, labels.index(span.label))
            for first, last, span in read
        ]
        chances = 1.0 - np.prod(1.0 - begins[start:end], axis=(0, 1))  # (K,)
        suggestions.append(
            Suggestion(
                answer=tuple(span for *_, span in read),
                confidence=_expected_credit(scores, float(begins[start:end].sum())),
                probabilities=dict(zip(labels, np.clip(chances, 0, 1).tolist(), strict=True)),
                parts=tuple(scores),
            )
        )
    return suggestions


def _tag_probabilities(believed: Outputs, labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the beliefs as (M, LAYERS, T)."""
    p = np.asarray(believed.values, dtype=np.float64)
    return p.reshape(len(p), LAYERS, count_tags(labels))


def _begins(
    p: NDArray[np.float64], starts: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns how probably a span of each label begins at each word, and goes on there.

    Tags are taken as independent; one that goes on begins a span if its label was not there before.
    """
    own, goes_on = p[:, :, 1::2], p[:, :, 2::2]
    before = np.zeros_like(own)
    before[1:] = (own + goes_on)[:-1]
    before[starts[:-1][np.diff(starts) > 0]] = 0.0
    return own + goes_on * (1.0 - before), goes_on


def _chance(
    begins: NDArray[np.float64],
    goes_on: NDArray[np.float64],
    first: int,
    last: int,
    label: int,
) -> float:
    """Returns the probability that the words from `first` to before `last` are a span."""
    in_layer = begins[first, :, label] * goes_on[first + 1 : last, :, label].prod(axis=0)
    if last < len(begins):
        in_layer = in_layer * (1.0 - goes_on[last, :, label])
    return float(1.0 - np.prod(1.0 - np.clip(in_layer, 0.0, 1.0)))


def _expected_credit(scores: Sequence[float], expected: float) -> float:
    """Returns the expected F1 of spans with these probabilities.

    Spans are right independently. The number of spans beside them has a Poisson distribution; its
    mean is what is left of the expected number of spans in the text.
    """
    others = max(expected - sum(scores), 0.0)
    if not scores:
        return float(np.exp(-others))
    right: NDArray[np.floating] = np.ones(1)
    for score in scores:
        right = np.convolve(right, [1.0 - score, score])
    counts = np.arange(_MOST_OTHERS + 1)
    poisson = np.exp(-others) * np.cumprod(np.r_[1.0, others / counts[1:]])
    hits = np.arange(len(right))[:, None]
    f1 = 2.0 * hits / (len(scores) + hits + counts)
    return float(np.clip(right @ f1 @ poisson, 0.0, 1.0))


def _margin(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 1 minus the lead of the first tag, for each word (M,)."""
    top = np.partition(p, -2, axis=-1)[..., -2:]
    return np.asarray((1.0 - np.abs(top[..., 1] - top[..., 0])).max(axis=1))


def _best(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the logarithm of the probability of each word's tag (M,)."""
    return np.asarray(np.log(np.maximum(p.max(axis=-1), 1e-30)).min(axis=1))


def _mnlp(mean: NDArray[np.float64], tags: int) -> NDArray[np.float64]:
    """Returns 1 minus the geometric mean of the tags' probabilities, scaled to [0, 1]."""
    return np.asarray((1.0 - np.exp(mean)) / (1.0 - 1.0 / tags))


#: Measures of uncertainty: the number of each word, and what is made of its mean over the words.
#: "mnlp" orders texts as the maximum normalised log-probability of Shen et al. (2018) does.
MEASURES: dict[
    str,
    tuple[
        Callable[[NDArray[np.float64]], NDArray[np.float64]],
        Callable[[NDArray[np.float64], int], NDArray[np.float64]],
    ],
] = {"margin": (_margin, lambda mean, tags: mean), "mnlp": (_best, _mnlp)}


def uncertainty(believed: Outputs, measure: str, labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the mean uncertainty of the words, (N,) in [0, 1]; 0 for a text without words.

    That of a word is that of its less certain layer.

    Raises:
        ConfigError: If there is no measure of that name.
    """
    if measure not in MEASURES:
        raise ConfigError(f"measure must be one of {list(MEASURES)}, got {measure!r}")
    starts, _ = believed.ragged()
    of_word, of_text = MEASURES[measure]
    each = of_word(_tag_probabilities(believed, labels))
    mean = of_text(means(each, starts), count_tags(labels))
    return np.clip(mean, 0.0, 1.0)


def means(values: NDArray[np.float64], starts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns the mean of each text's values (N,); 0 for a text without values."""
    sums = np.diff(np.r_[0.0, np.cumsum(values)][starts])
    return np.asarray(sums / np.maximum(np.diff(starts), 1))


def credit(truth: Sequence[Answer], predicted: Sequence[Answer]) -> NDArray[np.float64]:
    """Returns the F1 of each pair of answers, (N,)."""
    pairs = [(set(one), set(two)) for one, two in zip(truth, predicted, strict=True)]
    each = [2 * len(one & two) / (len(one) + len(two)) if one or two else 1.0 for one, two in pairs]
    return np.array(each, dtype=np.float64)


def brier(
    believed: Outputs, answers: Sequence[Answer], labels: Sequence[str]
) -> NDArray[np.float64]:
    """Returns the mean squared distance of the words' probabilities from the right ones, (N,)."""
    starts, _ = believed.ragged()
    tags = right(believed, answers, labels)
    p = _tag_probabilities(believed, labels)
    off = ((p - np.eye(count_tags(labels))[tags]) ** 2).sum(axis=(1, 2))
    return means(off, starts)


def summary(truth: Sequence[Answer], predicted: Sequence[Answer]) -> Mapping[str, float]:
    """Returns F1 over all spans of all examples: of exact spans, and with half for overlap.

    The partial F1 is that of MUC-5 for spans of the same label: a predicted span earns 1 if it is
    right, and 1/2 if it overlaps one that no right span is (Chinchor and Sundheim 1993).
    """
    pairs = [(set(one), set(two)) for one, two in zip(truth, predicted, strict=True)]
    hits = sum(len(one & two) for one, two in pairs)
    near = sum(_overlaps(one - two, two - one) for one, two in pairs)
    seen = sum(len(one) + len(two) for one, two in pairs)
    if not seen:
        return {"span_f1": float(bool(pairs)), "partial_f1": float(bool(pairs))}
    return {"span_f1": 2 * hits / seen, "partial_f1": (2 * hits + near) / seen}


def _overlaps(truth: set[Span], predicted: set[Span]) -> int:
    """Counts predicted spans that overlap a true one of their label, each true one once."""
    left, count = sorted(truth), 0
    for span in sorted(predicted):
        for other in left:
            if span.label == other.label and span.start < other.end and other.start < span.end:
                left.remove(other)
                count += 1
                break
    return count
