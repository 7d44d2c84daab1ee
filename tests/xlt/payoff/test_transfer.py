"""What source labels are worth to the targets, against scikit-learn and on planted cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from xlt.data.examples import Example
from xlt.payoff.transfer import FOLDS, measure_transfer, transfer_of
from xlt.tasks.logistic import scaled
from xlt.tasks.single_label.task import SingleLabel


def clusters(rng, n, classes=3, width=8):
    """Texts (n, width) of classes that are easy to tell apart, and their classes."""
    middle = 3 * np.eye(classes, width)
    y = np.arange(n) % classes
    return middle[y] + rng.standard_normal((n, width)), y


TASK = SingleLabel(labels=("c0", "c1", "c2"))


def measured(x, y, is_source, folds, rng):
    """The transfer between labels with these class numbers."""
    answers = [TASK.labels[number] for number in y]
    return measure_transfer(x, answers, TASK, is_source, folds, rng)


def test_the_same_as_with_scikit_learn(rng):
    """Two sides of the same size: nothing is drawn, and the gain is a difference of two means."""
    x, y = clusters(rng, 96)
    y = np.where(rng.random(96) < 0.3, rng.integers(0, 3, 96), y)
    is_source = np.arange(96) // 3 % 2 == 0
    folds = np.arange(96) // 6 % FOLDS
    found = measured(x, y, is_source, folds, rng)

    z, gains = scaled(x, x), []
    for fold in range(FOLDS):
        held = (folds == fold) & ~is_source
        brier = []
        for side in (~is_source, is_source):
            rows = (folds != fold) & side
            head = LogisticRegression(C=1 / 2.0, max_iter=1000, tol=1e-8).fit(z[rows], y[rows])
            off = head.predict_proba(z[held]) - np.eye(3)[y[held]]
            brier.append((off**2).sum(axis=1))
        gains.append(brier[0] - brier[1])
    gain = np.concatenate(gains)
    assert found.gain == pytest.approx(gain.mean(), abs=1e-4)
    assert found.error == pytest.approx(gain.std(ddof=1) / np.sqrt(len(gain)), abs=1e-4)
    assert (found.labels, found.judged) == (36, 48)


@pytest.mark.parametrize(
    ("wrong", "blur", "sign"), [(0.7, 0.0, -1), (0.0, 2.0, 1), (0.0, 0.0, 0)], ids=str
)
def test_the_worse_side_gets_less(rng, wrong, blur, sign):
    """Wrong labels make a source a bad teacher; texts that are hard to read, the targets."""
    x, y = clusters(rng, 400)
    is_source = rng.random(400) < 0.5
    y = np.where(is_source & (rng.random(400) < wrong), rng.integers(0, 3, 400), y)
    x = x + np.where(is_source, 0.0, blur)[:, None] * rng.standard_normal(x.shape)
    found = measured(x, y, is_source, rng.integers(0, FOLDS, 400), rng)
    if sign:
        assert np.sign(found.gain) == sign
        assert abs(found.gain) > 2 * found.error
        assert sign * (found.share(0.5) - 0.5) > 0.1
    else:
        assert found.share(0.5) == pytest.approx(0.5, abs=0.1)


def test_translations_do_not_teach_one_another(rng):
    """Random classes that a text shares with its translation alone: neither side knows anything."""
    x = rng.standard_normal((120, 60))
    labels = [f"c{n}" for n in rng.integers(0, 2, 120)]
    langs = ["ha"] * 120 + ["en"] * 120
    texts = [
        Example(id=str(n), texts=("t",), lang=lang, answer=labels[n % 120], group=str(n % 120))
        for n, lang in enumerate(langs)
    ]
    both = np.concatenate([x, x])
    kept = transfer_of(texts, both, TASK, ["eng_Latn"], rng)
    leaked = transfer_of([replace(e, group=None) for e in texts], both, TASK, ["en"], rng)
    assert leaked.gain > 4 * leaked.error
    assert abs(kept.gain) < 2 * kept.error


def test_names_of_classes_do_not_matter(rng):
    """Any other names in any other order give the same gain."""
    x, y = clusters(rng, 90)
    texts = [
        Example(id=str(n), texts=("t",), lang="en" if n % 2 else "ha", answer=f"{k}")
        for n, k in enumerate(y)
    ]
    names = {"0": "z", "1": "m", "2": "a"}
    renamed = [replace(e, answer=names[e.answer]) for e in texts]
    one, two = (
        transfer_of(given, x, SingleLabel(labels=labels), ["en"], np.random.default_rng(5))
        for given, labels in ((texts, tuple("012")), (renamed, tuple("amz")))
    )
    assert two.gain == pytest.approx(one.gain, abs=1e-4)


@pytest.mark.parametrize(("targets", "sources"), [(0, 50), (50, 0), (7, 50), (50, 7), (8, 8)])
def test_few_labels_say_nothing(rng, targets, sources):
    """Below eight of either side there is no measurement; with eight it is very unsure."""
    n = targets + sources
    x, y = clusters(rng, n)
    found = measured(x, y, np.arange(n) >= targets, np.arange(n) % FOLDS, rng)
    assert (found is not None) == (min(targets, sources) >= 8)
