"""F1 of spans against seqeval and nervaluate, and the numbers of a model's beliefs by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics import f1_score

from tests.xlt.tasks.samples import MANY, SEEDS, believed, certain_of, drawn, random_outputs
from tests.xlt.tasks.spans.samples import WHERE, ragged, span
from xlt.data.spans import Span
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.spans.kind import KIND
from xlt.tasks.tagging import tags_of

TASK = KIND.task(("PER", "LOC"))
FLAT = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), min_size=7, max_size=7)
NUMBERS = {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4}


def spans_of(names: list[str]) -> tuple[Span, ...]:
    """The spans of seven words with these tags."""
    values = np.zeros((7, 2, 5))
    values[np.arange(7), 0, [NUMBERS[name] for name in names]] = 1
    values[:, 1, 0] = 1
    [found] = TASK.decode(ragged([values.reshape(7, -1)], TASK.width))
    return found.answer


def tags(spans: tuple[Span, ...]) -> list[str]:
    """The tags of these spans, which do not overlap."""
    names = {number: name for name, number in NUMBERS.items()}
    return [names[tag] for tag in tags_of(spans, WHERE, TASK.labels)[:, 0].tolist()]


@MANY
@given(st.lists(st.tuples(FLAT, FLAT), min_size=1, max_size=5))
def test_exact_f1_is_that_of_seqeval(pairs):
    """Of all spans of all texts; the credit of a text is that of the text alone."""
    truth = [spans_of(one) for one, _ in pairs]
    predicted = [spans_of(two) for _, two in pairs]
    names = [list(map(tags, part)) for part in (truth, predicted)]
    if any(truth) or any(predicted):
        expected = f1_score(*names, zero_division=0)
        assert TASK.summary(truth, predicted)["span_f1"] == pytest.approx(expected)
    for one, two, credit in zip(truth, predicted, TASK.credit(truth, predicted), strict=True):
        expected = f1_score([tags(one)], [tags(two)], zero_division=0) if one or two else 1
        assert credit == pytest.approx(expected)


@MANY
@given(st.lists(st.tuples(FLAT, FLAT), min_size=1, max_size=5), st.sampled_from(["PER", "LOC"]))
def test_partial_f1_is_that_of_nervaluate(pairs, label):
    """Of spans with one label; nervaluate takes a span's end as part of it."""
    sides = []
    for side in (0, 1):
        sides.append([[s for s in spans_of(pair[side]) if s.label == label] for pair in pairs])
    shown = [
        [[{"label": label, "start": s.start, "end": s.end - 1} for s in text] for text in side]
        for side in sides
    ]
    if not any(map(any, sides)):
        return
    theirs = Evaluator(*shown, tags=[label], loader="dict").evaluate()["overall"]["partial"]
    ours = TASK.summary([tuple(text) for text in sides[0]], [tuple(text) for text in sides[1]])
    assert ours["partial_f1"] == pytest.approx(theirs.f1)


def test_overlap_counts_for_the_same_label_alone():
    """And each right span for one suggestion."""
    truth = [(span(0, 2, "PER"),)]
    assert TASK.summary(truth, [(span(1, 2, "PER"),)]) == {"span_f1": 0, "partial_f1": 0.5}
    assert TASK.summary(truth, [(span(1, 2, "LOC"),)]) == {"span_f1": 0, "partial_f1": 0}
    two = [(span(0, 0, "PER"), span(2, 2, "PER"))]
    assert TASK.summary(truth, two)["partial_f1"] == pytest.approx(1 / 3)


def test_annotators_agree_on_spans_that_most_of_them_marked():
    """From end to end; one that half of them marked is no answer."""
    one, two, other = span(0, 0, "PER"), span(2, 3, "LOC"), span(2, 4, "LOC")
    agreed = TASK.agree({"a": (one, two), "b": (one,), "c": (one, other)})
    assert (agreed.answer, agreed.weight) == ((one,), pytest.approx((2 / 3 + 1 + 2 / 3) / 3))
    assert TASK.agree({"a": (), "b": (), "c": (one,)}).answer == ()
    assert TASK.agree({"a": (), "b": (one,)}).reason == "annotators disagree"
    assert TASK.agree({"a": (two,), "b": (other,)}).reason == "annotators disagree"


def test_each_span_has_the_probability_of_its_tags():
    """It begins, goes on, and does not go on: words are independent."""
    p = np.tile([1.0, 0, 0, 0, 0], (7, 2, 1))
    p[1, 0], p[2, 0], p[3, 0] = [0.2, 0.8, 0, 0, 0], [0.1, 0, 0.9, 0, 0], [0.7, 0, 0.3, 0, 0]
    [found] = TASK.decode(ragged([p.reshape(7, -1)], TASK.width))
    assert found.answer == (span(1, 2, "PER"),)
    assert found.parts == (pytest.approx(0.8 * 0.9 * 0.7),)
    assert found.probabilities["LOC"] == 0


def test_uncertainty_is_that_of_the_mean_word():
    """By the lead of the first tag, or by its probability as Shen et al. have it."""
    p = np.tile([1.0, 0, 0, 0, 0], (7, 2, 1))
    p[3, 0] = [0.5, 0.3, 0.2, 0, 0]
    beliefs = ragged([p.reshape(7, -1)], TASK.width)
    assert TASK.uncertainty(beliefs, "margin") == pytest.approx([0.8 / 7])
    mnlp = (1 - np.exp(np.log(0.5) / 7)) / (1 - 1 / 5)
    assert TASK.uncertainty(beliefs, "mnlp") == pytest.approx([mnlp])


@MANY
@given(SEEDS, st.permutations(range(4)))
def test_texts_are_judged_one_by_one(seed, order):
    """In any order and number, also texts without a word; none changes what another gets."""
    beliefs = believed(TASK, seed, 4)
    starts, where = beliefs.ragged()
    more = np.r_[starts[:3], starts[2:]]  # an empty text in third place
    beliefs = Outputs(beliefs.values, more.astype(np.int64), where)
    together = [TASK.decode(beliefs)[row] for row in order]
    alone = [TASK.decode(beliefs.take([row]))[0] for row in order]
    assert together == alone
    assert TASK.decode(beliefs.take([2]))[0].answer == ()
    assert TASK.uncertainty(beliefs)[2] == 0
    assert TASK.uncertainty(beliefs.take(order)) == pytest.approx(TASK.uncertainty(beliefs)[order])


def test_temperatures_are_fitted_on_words_as_on_texts():
    """A model that is too sure by half has its logits divided, however long its texts are."""
    given = drawn(TASK, 0, 60)
    right = certain_of(TASK, given)
    rng = np.random.default_rng(0)
    noise = np.where(rng.random(right.values.shape) < 0.05, 24.0, 0.0)
    outputs = Outputs(12.0 * right.values + noise, right.starts, right.where)
    fitted = TASK.fit(outputs, given, ["en", "ha"] * 30)
    assert fitted.pooled > 1.5
    before = TASK.brier(TASK.beliefs(outputs, ["en"] * 60, Calibration()), given).mean()
    assert TASK.brier(TASK.beliefs(outputs, ["en"] * 60, fitted), given).mean() < before
    assert TASK.fit(random_outputs(TASK, 0, 1), given[:1], ["en"]).pooled == pytest.approx(
        1, abs=0.2
    )


def test_more_is_marked_in_languages_without_labels():
    """Without calibration, every language is one of them."""
    outputs = random_outputs(TASK, 1, 20)
    fitted = Calibration(temperatures={"eng": 1.0})

    def outside(lang: str, calibration: Calibration) -> np.ndarray:
        return np.asarray(TASK.beliefs(outputs, [lang] * 20, calibration).values)[:, 0]

    assert (outside("ha", fitted) < outside("en", fitted)).all()
    assert outside("ha", Calibration()) == pytest.approx(outside("ha", fitted))
    assert outside("en", Calibration()) == pytest.approx(outside("ha", fitted))
