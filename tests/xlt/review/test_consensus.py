"""Labels to review: suspicion as cleanlab scores it, and what planted errors show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cleanlab.multiannotator import (
    get_active_learning_scores,
    get_label_quality_multiannotator,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.errors import SamplingError
from xlt.review.consensus import Votes, consensus

MANY = settings(max_examples=40)
#: Skill of three annotators who vote on everything now and then.
SKILLS = (0.95, 0.8, 0.55)


def crowd(seed, *, n=200, classes=4, skills=SKILLS, share=1.0, least=1, distance=2.0):
    """Truth, votes by annotators of known skill, probabilities of a calibrated model.

    Every text has at least `least` votes; an annotator votes on a `share` of the texts. The model
    sees the truth in unit noise: at distance 0.5, 2, 3 it is right 0.4, 0.8, 0.96 of the time.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    given_to = rng.random((n, len(skills))) < share
    for row in np.flatnonzero(given_to.sum(axis=1) < least):
        given_to[row, rng.permutation(len(skills))[:least]] = True
    rows, annotators = np.nonzero(given_to)
    wrong = rng.random(len(rows)) > np.array(skills)[annotators]
    labels = (truth[rows] + wrong * rng.integers(1, classes, len(rows))) % classes
    logits = distance * (distance * np.eye(classes)[truth] + rng.standard_normal((n, classes)))
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    votes = Votes(rows=rows, annotators=annotators, labels=labels)
    return truth, votes, weights / weights.sum(axis=1, keepdims=True)


def wide(votes, n, annotators):
    """The table (N, M) that cleanlab takes, NaN where there is no vote."""
    table = np.full((n, annotators), np.nan)
    table[votes.rows, votes.annotators] = votes.labels
    return table


@pytest.mark.filterwarnings("ignore")  # cleanlab's own, of pandas
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [1.0, 0.75])
def test_the_consensus_is_cleanlabs_where_all_texts_have_several_votes(seed, share):
    """Labels, their quality, annotators' quality and all weights, to the last digits."""
    _, votes, p = crowd(seed, share=share, least=2)
    found = consensus(votes, p, 3, prior=0)
    said = get_label_quality_multiannotator(
        wide(votes, len(p), 3), p, return_weights=True, verbose=False
    )
    table = said["label_quality"]
    np.testing.assert_array_equal(found.labels, table["consensus_label"])
    own = found.posterior[np.arange(len(p)), found.labels]
    np.testing.assert_allclose(own, table["consensus_quality_score"], atol=1e-12)
    np.testing.assert_allclose(found.agreement, table["annotator_agreement"], atol=1e-12)
    np.testing.assert_allclose(found.annotator_weights, said["annotator_weight"], atol=1e-12)
    assert found.model_weight == pytest.approx(said["model_weight"])
    quality = said["annotator_stats"]["annotator_quality"].sort_index()
    np.testing.assert_allclose(found.quality, quality, atol=1e-12)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_suspicion_is_one_minus_activelabs_score(seed, monkeypatch):
    """For texts with and without votes; the temperature is ours, by language, and left out."""
    monkeypatch.setattr("cleanlab.multiannotator.find_best_temp_scaler", lambda *_: 1.0)
    _, votes, p = crowd(seed, share=0.75, least=2)
    open_ones = np.random.default_rng(seed).dirichlet(np.ones(4), 50)
    found = consensus(votes, p, 3, prior=0)
    of_labelled, of_open = get_active_learning_scores(wide(votes, len(p), 3), p, open_ones)
    np.testing.assert_allclose(1 - found.suspicion, of_labelled, atol=1e-9)
    np.testing.assert_allclose(1 - found.unlabelled_suspicion(open_ones), of_open, atol=1e-9)


def test_a_consensus_by_hand():
    """Two texts, two classes: 0 and 1 agree on the first and not on the second.

    Every second pair agrees: A = 1/2 for both, naming the larger class errs 1/2 of the time, so
    annotators weigh 1 - 1 = nothing, and the model, never wrong, sqrt(2).
    """
    votes = Votes(
        rows=np.array([0, 0, 1, 1]),
        annotators=np.array([0, 1, 0, 1]),
        labels=np.array([0, 0, 0, 1]),
    )
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    found = consensus(votes, p, 2, prior=0)
    assert found.labels.tolist() == [0, 1]
    assert found.agreement.tolist() == [1.0, 0.5]
    assert found.model_weight == pytest.approx(np.sqrt(2))
    np.testing.assert_allclose(found.posterior, p, atol=1e-5)
    np.testing.assert_allclose(found.suspicion, [0.1, 0.3], atol=1e-5)


@MANY
@given(st.integers(0, 10**6), st.sampled_from([0.0, 10.0]), st.sampled_from([0.4, 1.0]))
def test_names_of_classes_and_annotators_do_not_matter(seed, prior, share):
    """Classes and annotators by other numbers: the same suspicion, labels renamed."""
    _, votes, p = crowd(seed, n=40, share=share)
    rng = np.random.default_rng(seed)
    classes, people = rng.permutation(4), rng.permutation(3)
    renamed = replace(votes, labels=classes[votes.labels], annotators=people[votes.annotators])
    q = np.empty_like(p)
    q[:, classes] = p
    one = consensus(votes, p, 3, prior=prior)
    two = consensus(renamed, q, 3, prior=prior)
    np.testing.assert_allclose(two.suspicion, one.suspicion, atol=1e-9)
    np.testing.assert_array_equal(two.labels, classes[one.labels])
    np.testing.assert_allclose(two.quality[people], one.quality, atol=1e-9)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([0.0, 3.0, 10.0]))
def test_suspicion_and_posteriors_are_probabilities(seed, people, prior):
    """In [0, 1], rows sum to 1, whatever the votes are, one class and one annotator included."""
    rng = np.random.default_rng(seed)
    _, votes, p = crowd(seed, n=12, skills=rng.random(people), share=rng.random())
    if seed % 3 == 0:
        votes = replace(votes, labels=np.zeros_like(votes.labels))
    found = consensus(votes, p, people, prior=prior)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1.0)
    for values in (
        found.suspicion,
        found.posterior,
        found.agreement,
        found.unlabelled_suspicion(p),
    ):
        assert np.isfinite(values).all()
        assert ((values >= 0) & (values <= 1)).all()
    seen = np.bincount(votes.annotators, minlength=people) > 0
    np.testing.assert_array_equal(np.isnan(found.quality), ~seen)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.4, 1.0])
def test_annotators_of_planted_quality_are_ordered_rightly(seed, share):
    """Also if most texts have one vote."""
    _, votes, p = crowd(seed, n=600, share=share)
    found = consensus(votes, p, 3)
    assert found.quality.argsort().tolist() == [2, 1, 0]
    assert found.annotator_weights.argsort().tolist() == [2, 1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_planted_errors_are_most_suspect(seed):
    """One annotator, one label in ten wrong, a model that is right four times in five."""
    truth, votes, p = crowd(seed, n=600, skills=(0.9,))
    found = consensus(votes, p, 1)
    wrong = votes.labels != truth
    first = wrong[np.argsort(-found.suspicion)[: wrong.sum()]].mean()
    assert first > 4 * wrong.mean()


@pytest.mark.parametrize("seed", range(5))
def test_a_consensus_is_better_than_the_majority_and_than_the_model(seed):
    """Of a good annotator and two bad ones."""
    truth, votes, p = crowd(seed, n=600, skills=(0.95, 0.6, 0.6))
    table = wide(votes, len(p), 3).astype(int)
    majority = np.array([np.bincount(row, minlength=4).argmax() for row in table])
    right = (consensus(votes, p, 3).labels == truth).mean()
    assert right > (majority == truth).mean() + 0.03
    assert right > (p.argmax(axis=1) == truth).mean() + 0.03


def test_what_a_bad_model_does_not_expect_waits_behind_new_texts():
    """What competes: texts that the model is unsure of, and labels that it does not expect."""

    def before_new_texts(distance):
        truth, votes, p = crowd(0, n=600, skills=(0.95,), distance=distance)
        found = consensus(votes, p, 1)
        new = found.unlabelled_suspicion(crowd(1, n=600, distance=distance)[2])
        early = found.suspicion > np.median(new)
        return (votes.labels != truth)[early]

    assert not len(before_new_texts(0.5))
    early = before_new_texts(3.0)
    assert 12 < len(early) < 90
    assert early.mean() > 0.3


def test_disagreement_is_more_suspect_than_agreement():
    """Two votes that differ, one vote, two that agree, with a model that says nothing."""
    votes = Votes(
        rows=np.array([0, 0, 1, 2, 2, 3, 3, 4, 4]),
        annotators=np.array([0, 1, 0, 0, 1, 0, 1, 0, 1]),
        labels=np.array([0, 1, 0, 0, 0, 1, 1, 1, 1]),
    )
    found = consensus(votes, np.full((5, 2), 0.5), 2)
    assert found.suspicion[0] > found.suspicion[1] > found.suspicion[2]


FINE = Votes(rows=np.array([0, 1]), annotators=np.array([0, 0]), labels=np.array([0, 1]))


@pytest.mark.parametrize(
    ("votes", "p", "message"),
    [
        (FINE, np.array([[0.5, 0.5], [np.nan, 0.5]]), "see row.s. 1"),
        (FINE, np.full((3, 2), 0.5), "must have a vote; see row.s. 2"),
        (FINE, np.zeros((0, 2)), "N >= 1"),
        (FINE, np.ones((2, 1)), "C >= 2"),
        (replace(FINE, labels=np.array([0, 2])), np.full((2, 2), 0.5), "labels of votes"),
        (replace(FINE, annotators=np.array([0, -1])), np.full((2, 2), 0.5), "annotators of"),
        (replace(FINE, labels=np.array([0])), np.full((2, 2), 0.5), "labels of votes"),
        (
            Votes(rows=np.array([0, 1, 1]), annotators=np.zeros(3, int), labels=np.zeros(3, int)),
            np.full((2, 2), 0.5),
            "at most one vote",
        ),
    ],
)
def test_what_cannot_be_weighed_is_refused(votes, p, message):
    """By a line that says what was wrong."""
    with pytest.raises(SamplingError, match=message):
        consensus(votes, p, 1)
