"""What holds for every kind of task: beliefs, suggestions, uncertainty, credit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import (
    APPROXIMATE,
    MANY,
    SEEDS,
    answers,
    believed,
    certain_of,
    drawn,
    others_of,
    random_outputs,
    right_answers,
    same,
    task_of,
    uniform,
)
from xlt.errors import ConfigError, DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.kinds import KINDS
from xlt.tasks.outputs import Outputs

pytestmark = pytest.mark.parametrize("kind", KINDS)


@MANY
@given(st.data())
def test_beliefs_that_are_certain_of_an_answer_suggest_it(kind, data):
    """With confidence 1, and its labels at probability 1."""
    task = task_of(kind)
    chosen = data.draw(st.lists(answers(task), max_size=4))
    beliefs = certain_of(task, chosen)
    suggestions = task.decode(beliefs)

    assert [suggestion.answer for suggestion in suggestions] == chosen
    assert [suggestion.confidence for suggestion in suggestions] == pytest.approx(
        [1.0] * len(chosen)
    )
    assert (task.credit(chosen, [s.answer for s in suggestions]) == 1).all()
    for suggestion in suggestions:
        has = {label for label, has in task.decisions(suggestion.answer) if has}
        assert suggestion.probabilities == {label: float(label in has) for label in task.labels}
    assert task.brier(beliefs, chosen) == pytest.approx(np.zeros(len(chosen)))


@MANY
@given(SEEDS, st.integers(0, 6))
def test_suggestions_are_answers_with_the_credit_that_they_are_expected_to_earn(kind, seed, n):
    """Confidence and probabilities are in [0, 1]; one suggestion per example."""
    task = task_of(kind)
    suggestions = task.decode(believed(task, seed, n))
    assert len(suggestions) == n
    for suggestion in suggestions:
        assert task.read(task.plain(suggestion.answer)) == suggestion.answer
        assert 0 <= suggestion.confidence <= 1
        assert list(suggestion.probabilities) == list(task.labels)
        assert all(0 <= p <= 1 for p in suggestion.probabilities.values())


def test_confidence_is_the_credit_that_is_earned_in_the_mean(kind):
    """Answers drawn from the beliefs themselves: calibrated within the error of the mean."""
    task, n = task_of(kind), 4000
    beliefs = believed(task, 3, n)
    right = right_answers(task, beliefs, np.random.default_rng(0))
    suggestions = task.decode(beliefs)
    earned = task.credit(right, [suggestion.answer for suggestion in suggestions])
    expected = np.mean([suggestion.confidence for suggestion in suggestions])
    error = 4 * earned.std() / np.sqrt(n) + APPROXIMATE.get(kind, 0.0)
    assert expected == pytest.approx(earned.mean(), abs=error)


def test_uncertainty_is_1_if_nothing_is_known_and_0_if_everything_is(kind):
    """By every measure of the kind; any other name is refused."""
    task = task_of(kind)
    unknown, certain = uniform(task, 2), certain_of(task, drawn(task, 0, 20))
    for measure in (None, *task.measures):
        assert task.uncertainty(unknown, measure) == pytest.approx([1.0, 1.0])
        assert task.uncertainty(certain, measure) == pytest.approx(np.zeros(20), abs=1e-12)
    with pytest.raises(ConfigError, match="measure must be one of"):
        task.uncertainty(unknown, "bald")


@MANY
@given(SEEDS, st.integers(0, 6))
def test_uncertainty_is_in_the_unit_interval(kind, seed, n):
    """One finite number per example; the default measure is the first."""
    task = task_of(kind)
    beliefs = believed(task, seed, n)
    assert beliefs.values.dtype == np.float64
    for measure in task.measures:
        found = task.uncertainty(beliefs, measure)
        assert found.shape == (n,)
        assert ((found >= 0) & (found <= 1)).all()
    assert (task.uncertainty(beliefs) == task.uncertainty(beliefs, task.measures[0])).all()


@MANY
@given(SEEDS, st.integers(1, 30))
def test_a_calibration_is_finite_whatever_it_is_fitted_on(kind, seed, n):
    """On outputs that say nothing, too; beliefs stay in [0, 1]."""
    task = task_of(kind)
    outputs, langs = random_outputs(task, seed, n), [("en", "ha")[i % 2] for i in range(n)]
    fitted = task.fit(outputs, drawn(task, seed, n), langs)
    temperatures = [fitted.pooled, *fitted.temperatures.values()]
    assert all(0.25 * 0.99 <= temperature <= 10 * 1.01 for temperature in temperatures)
    assert set(fitted.temperatures) <= {"eng", "hau"}
    beliefs = task.beliefs(outputs, langs, fitted).values
    assert ((beliefs >= 0) & (beliefs <= 1)).all()


def test_a_calibration_needs_answers_of_the_task(kind):
    """No answers leave beliefs as they are; a foreign one is refused."""
    task = task_of(kind)
    assert task.fit(Outputs(np.zeros((0, task.width))), [], []) == Calibration()
    [foreign] = drawn(task_of(kind, others_of(kind)), 0, 9)[:1]
    with pytest.raises(DataError, match=others_of(kind)[0]):
        task.fit(random_outputs(task, 0, 1), [foreign], ["en"])


@MANY
@given(st.data())
def test_credit_is_1_for_equal_answers_and_at_most_1(kind, data):
    """In [0, 1]; below 1 for answers that differ; the same whichever of the two is right."""
    task = task_of(kind)
    pairs = data.draw(st.lists(st.tuples(answers(task), answers(task)), max_size=6))
    truth, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    credit = task.credit(truth, predicted)

    assert credit.shape == (len(pairs),)
    assert credit.dtype == np.float64
    assert ((credit >= 0) & (credit <= 1)).all()
    assert ((credit == 1) == [same(task, a, b) for a, b in pairs]).all()
    assert (task.credit(truth, truth) == 1).all()
    assert task.credit(predicted, truth).shape == credit.shape
    assert task.credit(predicted, truth) == pytest.approx(credit)
    for value in task.summary(truth, predicted).values():
        assert 0 <= value <= 1


@MANY
@given(SEEDS, st.integers(0, 6))
def test_the_brier_score_is_least_for_the_right_answer(kind, seed, n):
    """Not negative; beliefs between two answers are between their scores."""
    task = task_of(kind)
    beliefs, right = believed(task, seed, n), drawn(task, seed, max(n, 1))[:n]
    score = task.brier(beliefs, right)
    assert score.shape == (n,)
    assert (score >= 0).all()
    halfway = replace(beliefs, values=(beliefs.values + certain_of(task, right).values) / 2)
    assert (task.brier(halfway, right) <= score + 1e-12).all()


@MANY
@given(st.data())
def test_class_numbers_tell_answers_apart(kind, data):
    """In [0, width), equal for equal answers; None for all answers of the kind, or for none."""
    task = task_of(kind)
    chosen = data.draw(st.lists(answers(task), max_size=6))
    numbers = task.classes(chosen)
    if numbers is None:
        assert task.classes([]) is None
        return
    assert numbers.shape == (len(chosen),)
    assert numbers.dtype == np.intp
    assert ((numbers >= 0) & (numbers < task.width)).all()
    same = np.array([[a == b for b in chosen] for a in chosen]).reshape(len(chosen), len(chosen))
    assert ((numbers[:, None] == numbers[None]) == same).all()
