"""Ratings are judged by distance: suggestions, uncertainty and measures, against oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from xlt.tasks.calibration import Calibration
from xlt.tasks.kinds import KINDS
from xlt.tasks.outputs import Outputs
from xlt.tasks.rating.answers import Scale
from xlt.tasks.rating.judging import quadratic_kappa
from xlt.tasks.rating.task import Rating

STARS = KINDS["rating"].task(["5"])
FINE = Rating(scale=Scale(lowest=0, step=0.5, steps=333))
MANY = settings(max_examples=60)
#: Probabilities of one to five stars.
SHARES = arrays(float, 5, elements=st.floats(0.001, 1)).map(lambda p: p / p.sum())


def above(shares):
    """Beliefs (1, 4): how probably a rating is above each of 1 to 4."""
    return Outputs(1 - np.cumsum(shares)[None, :-1])


@MANY
@given(SHARES)
def test_the_suggestion_has_most_expected_credit(shares):
    """By trying all five; its confidence is that credit, and probabilities are the shares."""
    [suggestion] = STARS.decode(above(shares))
    stars = np.arange(1, 6)
    expected = {n: float(shares @ (1 - np.abs(stars - n) / 4)) for n in stars.tolist()}
    assert expected[suggestion.answer] == pytest.approx(max(expected.values()))
    assert suggestion.confidence == pytest.approx(max(expected.values()))
    assert list(suggestion.probabilities.values()) == pytest.approx(shares.tolist(), abs=1e-12)


@MANY
@given(SHARES)
def test_uncertainty_is_the_expected_distance(shares):
    """From the suggestion, twice, as a share of the scale."""
    beliefs = above(shares)
    [suggestion] = STARS.decode(beliefs)
    distance = shares @ np.abs(np.arange(1, 6) - suggestion.answer) / 4
    assert STARS.uncertainty(beliefs) == pytest.approx([2 * distance])


@pytest.mark.parametrize("measure", STARS.measures)
def test_both_ends_are_less_sure_than_neighbours(measure):
    """A half for one star and a half for five is as unsure as can be."""
    ends, neighbours, sure = ([0.5, 0, 0, 0, 0.5], [0, 0.5, 0.5, 0, 0], [0, 1, 0, 0, 0])
    unsure = [float(STARS.uncertainty(above(p), measure)[0]) for p in (ends, neighbours, sure)]
    assert unsure == pytest.approx([1.0, 0.25, 0.0])


@MANY
@given(arrays(float, (3, 4), elements=st.floats(-5, 5)))
def test_beliefs_fall_and_lose_nothing(logits):
    """Above a higher level is less probable; as near to any falling row as before, or nearer."""
    beliefs = STARS.beliefs(Outputs(logits), ["en"] * 3, Calibration()).values
    assert (np.diff(beliefs, axis=1) <= 0).all()
    raw = 1 / (1 + np.exp(-logits))
    for before, after in zip(raw, beliefs, strict=True):
        fitted = IsotonicRegression(increasing=False).fit_transform(np.arange(4), before)
        assert np.abs(after - fitted).sum() <= np.abs(before - fitted).sum() + 1e-9


@MANY
@given(st.lists(st.integers(0, FINE.scale.steps), min_size=1, max_size=6))
def test_a_fine_scale_is_learned_by_few_levels(places):
    """Every number of it is told apart: sure beliefs suggest it, with confidence 1."""
    answers = [FINE.scale.value(place) for place in places]
    assert FINE.width == 20
    beliefs = Outputs(FINE.targets(answers))
    suggestions = FINE.decode(beliefs)
    assert [suggestion.answer for suggestion in suggestions] == answers
    assert [suggestion.confidence for suggestion in suggestions] == pytest.approx(
        [1.0] * len(answers)
    )
    assert FINE.uncertainty(beliefs) == pytest.approx(np.zeros(len(answers)), abs=1e-9)
    assert FINE.brier(beliefs, answers) == pytest.approx(np.zeros(len(answers)))


@MANY
@given(st.lists(st.integers(0, FINE.scale.steps), min_size=3, max_size=60))
def test_a_fine_scale_suggests_the_median(places):
    """Of the numbers that beliefs are the mean of, within a level's distance and a step."""
    answers = [FINE.scale.value(place) for place in places]
    beliefs = Outputs(FINE.targets(answers).mean(axis=0, keepdims=True))
    [suggestion] = FINE.decode(beliefs)
    middle = np.sort(answers)
    low, high = middle[(len(middle) - 1) // 2], middle[len(middle) // 2]
    assert low - 9 <= suggestion.answer <= high + 9
    earned = FINE.credit(answers, [suggestion.answer] * len(answers)).mean()
    assert suggestion.confidence == pytest.approx(earned, abs=0.05)


RATINGS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=30)


@MANY
@given(RATINGS)
def test_measures_are_those_of_scikit_learn(pairs):
    """Credit is the mean absolute error as a share of the scale; kappa weighs squared distances."""
    truth, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    error = mean_absolute_error(truth, predicted)
    assert STARS.credit(truth, predicted).mean() == pytest.approx(1 - error / 4)
    own = quadratic_kappa(np.array(truth), np.array(predicted))
    if len({*truth, *predicted}) > 1:
        oracle = cohen_kappa_score(truth, predicted, weights="quadratic", labels=range(1, 6))
        assert own == pytest.approx(oracle)
    else:
        assert own == 1.0
    exact = np.mean([a == b for a, b in pairs])
    assert STARS.summary(truth, predicted) == {
        "exact": pytest.approx(exact),
        "quadratic_kappa": pytest.approx(max(0.0, own)),
    }


def test_no_ratings_have_no_measures():
    """As for other kinds: 0 of nothing."""
    assert STARS.summary([], []) == {"exact": 0.0, "quadratic_kappa": 0.0}
    assert STARS.credit([], []).shape == (0,)


@MANY
@given(SHARES, st.integers(1, 5))
def test_the_brier_score_is_the_ranked_probability_score(shares, right):
    """Squared differences of the two cumulative distributions."""
    steps = (np.arange(1, 6) >= right).cumsum().clip(max=1)
    score = float(((np.cumsum(shares) - steps)[:-1] ** 2).sum())
    assert STARS.brier(above(shares), [right]) == pytest.approx([score])
