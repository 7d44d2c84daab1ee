"""What the kernel machine believes of texts without labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import xlt.frozen.machine
from xlt.frozen.features import Features, Labelled
from xlt.frozen.fit import fit_frozen
from xlt.frozen.machine import balanced, expected_shares
from xlt.frozen.ngrams import count_ngrams


@st.composite
def beliefs(draw) -> tuple[np.ndarray, np.ndarray]:
    """Draws probabilities (N, W), each above zero, and shares (W,)."""
    texts, labels = draw(st.integers(1, 12)), draw(st.integers(2, 5))
    positive = st.floats(0.01, 1.0)
    rows = draw(arrays(float, (texts, labels), elements=positive))
    shares = draw(arrays(float, labels, elements=positive))
    return rows / rows.sum(axis=1, keepdims=True), shares / shares.sum()


@given(beliefs())
def test_balanced_beliefs_are_probabilities_with_the_expected_shares(drawn):
    """Of many texts; three passes come near."""
    rows, shares = drawn
    result = balanced(rows, shares)
    assert (result >= 0).all()
    assert result.sum(axis=1) == pytest.approx(1.0)
    before, after = (np.abs(value.mean(axis=0) - shares).sum() for value in (rows, result))
    assert after <= before + 1e-9


@given(beliefs())
def test_balancing_keeps_what_agrees_already(drawn):
    """Means that are as expected change nothing."""
    rows, _ = drawn
    assert balanced(rows, rows.mean(axis=0)) == pytest.approx(rows)


@given(beliefs(), st.randoms(use_true_random=False))
def test_balancing_follows_the_order_of_labels(drawn, random):
    """No label has a place of its own."""
    rows, shares = drawn
    order = random.sample(range(len(shares)), len(shares))
    assert balanced(rows[:, order], shares[order]) == pytest.approx(
        balanced(rows, shares)[:, order]
    )


def test_few_labels_say_little_about_shares_and_many_say_all():
    """Between even shares and those given."""
    shares = np.array([0.7, 0.2, 0.1])
    few, many = (expected_shares(shares, float(labels)) for labels in (3, 30_000))
    assert np.abs(few - 1 / 3).max() < 0.05
    assert many == pytest.approx(shares, abs=0.001)
    assert few.sum() == pytest.approx(1.0)


def rare_share(seed: int) -> float:
    """Returns the share of texts, half and half, that get the label given 2 times of 10."""
    rng = np.random.default_rng(seed)
    classes = np.array([0] * 8 + [1] * 2)
    vectors = rng.normal(0, 1, (210, 8))
    vectors[:, 0] += 3.0 * np.concatenate([classes, np.arange(200) % 2])
    features = Features(vectors=vectors[:, None], ngrams=count_ngrams([""] * 210))
    labelled = Labelled(
        features=features.take(slice(10)),
        langs=["en"] * 10,
        targets=np.eye(2)[classes],
        groups=[str(row) for row in range(10)],
        weights=np.ones(10),
    )
    texts = features.take(slice(10, None))
    fitted = fit_frozen(labelled, texts, ["en"] * 200, "softmax", rng)
    decided = fitted.model.outputs(texts, ["en"] * 200).values.argmax(axis=1)
    return float((decided == 1).mean())


def test_a_label_that_was_given_most_by_chance_takes_fewer_texts(monkeypatch):
    """In the mean of ten draws, against self-training by what is believed as it is."""
    shares = [rare_share(seed) for seed in range(10)]
    monkeypatch.setattr(xlt.frozen.machine, "balanced", lambda believed, shares: believed)
    as_believed = [rare_share(seed) for seed in range(10)]
    assert 2 * np.mean(as_believed) < np.mean(shares) < 0.5
