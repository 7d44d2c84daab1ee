"""Consensus by credit: against a sum by hand, and what planted errors show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xlt.graded import Stars
from xlt.review.credit import credit_consensus
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.task import Suggestion

STARS = Stars(labels=("one", "two", "three", "four", "five"))
TASKS = [SingleLabel(labels=STARS.labels), STARS]
MANY = settings(max_examples=40)


def crowd(seed, task, *, n=200, skills=(0.95, 0.8, 0.5), share=1.0, model=0.8):
    """Truth, votes by annotators of known skill, suggestions that are right for a share `model`.

    A model that errs is less sure, as a calibrated one is.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(task.labels), n)

    def seen(row, skill):
        wrong = rng.random() > skill
        return task.labels[(truth[row] + wrong * rng.integers(1, len(task.labels))) % 5]

    votes = []
    for row in range(n):
        voting = [k for k in range(len(skills)) if rng.random() < share] or [0]
        votes.append({f"a{k}": seen(row, skills[k]) for k in voting})
    suggestions = []
    for row in range(n):
        answer = seen(row, model)
        least = 0.5 if answer == task.labels[truth[row]] else 0.2
        suggestions.append(Suggestion(answer=answer, confidence=least + 0.5 * rng.random()))
    return [task.labels[number] for number in truth], votes, suggestions


def found(task, votes, suggestions, seed=0):
    """The consensus by a fresh generator."""
    return credit_consensus(task, votes, suggestions, np.random.default_rng(seed))


@pytest.mark.parametrize("task", TASKS, ids=["right or wrong", "graded"])
@MANY
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), share=st.sampled_from([0.3, 1.0]))
def test_the_consensus_is_the_sum_over_votes_and_model(task, seed, n, share):
    """Vote by vote in plain sums, as the module's docstring says it."""
    _, votes, suggestions = crowd(seed, task, n=n, share=share)
    one = found(task, votes, suggestions)

    def credit(truth, predicted):
        return float(task.credit([truth], [predicted])[0])

    answers = []
    for given_here, suggestion in zip(votes, suggestions, strict=True):
        agreed = task.agree(given_here).answer
        answers.append(suggestion.answer if agreed is None else agreed)
    other = np.random.default_rng(0).permutation(n)
    guess = sum(credit(answers[i], answers[other[i]]) for i in range(n)) / n
    guess = min(guess, 1 - 1e-6)

    def weight(earned):
        return max(1 - (1 - earned) / (1 - guess), 1e-6)

    quality = {}
    for who in {who for each in votes for who in each}:
        own = [
            credit(answers[i], votes[i][who])
            for i in range(n)
            if who in votes[i] and len(votes[i]) > 1
        ]
        quality[who] = (sum(own) + 9) / (len(own) + 10)
    weights = {who: weight(value) for who, value in quality.items()}
    typical = sum(weights.values()) / len(weights)
    earned = [credit(answers[i], suggestions[i].answer) for i in range(n)]
    model = weight(sum(earned) / n) * (sum(map(len, votes)) / n) ** 0.5
    expected = []
    for i in range(n):
        sure = suggestions[i].confidence
        gained = (earned[i] * sure + (1 - sure) * guess) * model + guess * typical
        total = model + typical
        for who, vote in votes[i].items():
            gained += weights[who] * credit(answers[i], vote)
            total += weights[who]
        expected.append(1 - gained / total)

    assert one.answers == answers
    assert one.guess == pytest.approx(guess)
    assert one.quality == pytest.approx(quality)
    assert (one.model_weight, one.vote_weight) == pytest.approx((model, typical))
    assert one.suspicion == pytest.approx(np.clip(expected, 0, 1))


@pytest.mark.parametrize("task", TASKS, ids=["right or wrong", "graded"])
@MANY
@given(
    seed=st.integers(0, 10**6),
    people=st.integers(1, 5),
    model=st.sampled_from([0.0, 0.6, 1.0]),
    alike=st.booleans(),
)
def test_suspicion_and_quality_are_in_the_unit_interval(task, seed, people, model, alike):
    """Whatever the votes are: one annotator, one answer for everything, a model that is wrong."""
    rng = np.random.default_rng(seed)
    _, votes, suggestions = crowd(seed, task, n=12, skills=rng.random(people), model=model)
    if alike:
        votes = [dict.fromkeys(each, "one") for each in votes]
    one = found(task, votes, suggestions)
    new = one.unlabelled_suspicion(np.linspace(0, 1, 5))
    for values in (one.suspicion, new, np.array(list(one.quality.values()))):
        assert np.isfinite(values).all()
        assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(new) <= 0).all()


@pytest.mark.parametrize("task", TASKS, ids=["right or wrong", "graded"])
@pytest.mark.parametrize("seed", range(3))
def test_annotators_of_planted_quality_are_ordered_rightly(task, seed):
    """Those who agree are better; also where most texts have one vote."""
    for share in (0.4, 1.0):
        _, votes, suggestions = crowd(seed, task, n=600, share=share)
        quality = found(task, votes, suggestions).quality
        assert quality["a0"] > quality["a1"] > quality["a2"]


@pytest.mark.parametrize("task", TASKS, ids=["right or wrong", "graded"])
@pytest.mark.parametrize("seed", range(3))
def test_planted_errors_are_most_suspect(task, seed):
    """One annotator, one label in ten wrong, a model that is right 19 times in 20."""
    truth, votes, suggestions = crowd(seed, task, n=600, skills=(0.9,), model=0.95)
    one = found(task, votes, suggestions)
    wrong = np.array([each["a0"] != right for each, right in zip(votes, truth, strict=True)])
    first = wrong[np.argsort(-one.suspicion)[: wrong.sum()]].mean()
    assert first > 3 * wrong.mean()


def test_a_wrong_vote_is_more_suspect_than_right_ones():
    """The model expects another answer: the farther away, the more suspect; two that agree less."""
    votes = [{"a": name, "b": name} for name in STARS.labels] * 4
    votes += [{"a": "one"}, {"a": "one"}, {"a": "one"}, {"a": "one", "b": "two"}]
    expected = [*STARS.labels * 4, "one", "two", "five", "one"]
    suggestions = [Suggestion(answer=answer, confidence=0.9) for answer in expected]
    suspicion = found(STARS, votes, suggestions).suspicion
    right, near, far, divided = suspicion[-4:]
    assert suspicion[:20].max() < right < near < far
    assert suspicion[0] < divided


def test_annotators_who_disagree_leave_it_to_the_model():
    """A tie has no answer of its own: the model's is expected."""
    votes = [{"a": "one", "b": "five"}, {"a": "two"}, {"a": "four"}]
    suggestions = [Suggestion(answer="five", confidence=0.9)] * 3
    assert found(STARS, votes, suggestions).answers == ["five", "two", "four"]
