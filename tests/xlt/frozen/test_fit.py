"""A frozen model learns across languages, from unlabelled texts, and judges itself honestly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import xlt.frozen.fit
from xlt.frozen.features import Features, Labelled
from xlt.frozen.fit import Fitted, fit_frozen
from xlt.frozen.model import FrozenModel
from xlt.frozen.ngrams import count_ngrams
from xlt.tasks.calibration import Link, probabilities
from xlt.tasks.single_label.task import SingleLabel

SIZE, CLASSES = 8, 3
RNG = np.random.default_rng(5)
MEANINGS = 3.0 * np.eye(CLASSES, SIZE)
#: Hausa lies elsewhere, and in a direction that looks like the first class.
PLACES = {"en": np.zeros(SIZE), "ha": 6.0 * np.eye(SIZE)[0]}


def texts(count: int, lang: str, seed: int, noise: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Returns vectors of texts in a language, and their classes."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, CLASSES, count)
    return MEANINGS[classes] + PLACES[lang] + rng.normal(0, noise, (count, SIZE)), classes


def read(vectors: np.ndarray, written: Sequence[str] = ()) -> Features:
    """Returns features of texts by an encoder of one layer; without any n-gram by default."""
    return Features(vectors=vectors[:, None], ngrams=count_ngrams(written or [""] * len(vectors)))


def labelled(
    vectors: np.ndarray,
    classes: np.ndarray,
    langs: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    weights: np.ndarray | None = None,
    written: Sequence[str] = (),
) -> Labelled:
    """Returns labelled texts, each a group of its own unless told otherwise."""
    return Labelled(
        features=read(vectors, written),
        langs=langs,
        targets=np.eye(CLASSES)[classes],
        groups=groups or [str(row) for row in range(len(vectors))],
        weights=np.ones(len(vectors)) if weights is None else weights,
    )


def fit(
    given: Labelled, pool: np.ndarray | None = None, *, lang: str = "ha", link: Link = "softmax"
) -> Fitted:
    """Fits with a fixed seed."""
    pool = np.zeros((0, SIZE)) if pool is None else pool
    return fit_frozen(given, read(pool), [lang] * len(pool), link, np.random.default_rng(1))


def logits(model: FrozenModel, vectors: np.ndarray, lang: str) -> np.ndarray:
    """Returns the logits of texts in a language."""
    return model.outputs(read(vectors), [lang] * len(vectors)).values


def share_right(model: FrozenModel, vectors: np.ndarray, classes: np.ndarray, lang: str) -> float:
    """Returns the accuracy on texts of a language."""
    return float((logits(model, vectors, lang).argmax(axis=1) == classes).mean())


def test_labels_of_one_language_teach_another_that_lies_elsewhere():
    """Where a linear layer alone calls everything the first class."""
    vectors, classes = texts(60, "en", 0)
    pool, hidden = texts(200, "ha", 1)
    fitted = fit(labelled(vectors, classes, ["en"] * 60), pool)
    assert share_right(fitted.model, pool, hidden, "ha") > 0.9
    task = SingleLabel(labels=("a", "b", "c"))
    layer = task.probe(vectors, [task.labels[c] for c in classes], l2=0.4)
    assert (layer.outputs(pool).values.argmax(axis=1) == hidden).mean() < 0.6


def test_unlabelled_texts_help():
    """In the mean of ten draws of few labels."""
    gains = []
    for seed in range(10):
        vectors, classes = texts(9, "ha", 100 + seed, noise=1.2)
        pool, _ = texts(400, "ha", 200 + seed, noise=1.2)
        new, truth = texts(400, "ha", 300 + seed, noise=1.2)
        given = labelled(vectors, classes, ["ha"] * 9)
        with_pool, alone = fit(given, pool), fit(given)
        gains.append(
            share_right(with_pool.model, new, truth, "ha")
            - share_right(alone.model, new, truth, "ha")
        )
    assert np.mean(gains) > 0.0


def test_a_label_without_trust_changes_nothing():
    """A wrong label of weight 0.001, copied fifty times over."""
    vectors, classes = texts(60, "en", 0)
    wrong = np.concatenate([vectors, vectors[:50]]), np.concatenate([classes, 2 - classes[:50]])
    weights = np.concatenate([np.ones(60), np.full(50, 0.001)])
    groups = [str(row) for row in (*range(60), *range(50))]
    new, truth = texts(300, "en", 7)
    doubtful = fit(labelled(*wrong, ["en"] * 110, groups=groups, weights=weights))
    assert share_right(doubtful.model, new, truth, "en") > 0.9


def test_labels_without_trust_do_not_judge_the_others():
    """Neither the penalty nor the scale of the logits is chosen by them."""
    vectors, classes = texts(60, "en", 0)
    wrong = np.concatenate([vectors, vectors]), np.concatenate([classes, (classes + 1) % 3])
    weights = np.concatenate([np.ones(60), np.full(60, 0.001)])
    groups = [str(row) for row in (*range(60), *range(60))]
    new, _ = texts(300, "en", 7)
    doubtful = fit(labelled(*wrong, ["en"] * 120, groups=groups, weights=weights))
    alone = fit(labelled(vectors, classes, ["en"] * 60))
    sure = [
        probabilities(logits(fitted.model, new, "en"), "softmax").max(axis=1).mean()
        for fitted in (doubtful, alone)
    ]
    assert sure[0] == pytest.approx(sure[1], abs=0.03)
    assert doubtful.penalty == alone.penalty


def test_the_only_label_of_a_language_does_not_choose_the_penalty():
    """Three hundred others do, which are hard to tell apart; that one may be easy."""
    for seed in range(12):
        vectors, classes = texts(300, "en", seed, noise=1.8)
        new, found = texts(1, "ha", 1000 + seed, noise=1.8)
        both = np.concatenate([vectors, new]), np.concatenate([classes, found])
        assert fit(labelled(*both, [*["en"] * 300, "ha"])).penalty >= 1.0


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_one_group_is_no_evidence_for_certainty(link: Link):
    """No text can be left out with its group: the scale of the logits stays as it is."""
    vectors, classes = texts(600, "en", 0, noise=2.5)
    one = fit(labelled(vectors, classes, ["en"] * 600, groups=["g"] * 600), link=link)
    each = fit(labelled(vectors, classes, ["en"] * 600), link=link)
    steep = [np.ptp(logits(fitted.model, vectors, "en"), axis=1).max() for fitted in (one, each)]
    assert steep[0] < 1.5 * steep[1]


def test_left_out_predictions_know_nothing_of_their_group():
    """Random labels, each text twice in one group: nothing can be learned, though all is known."""
    rng = np.random.default_rng(2)
    vectors, classes = rng.normal(size=(150, SIZE)), rng.integers(0, CLASSES, 150)
    twice = labelled(
        np.concatenate([vectors, vectors]),
        np.concatenate([classes, classes]),
        ["en"] * 300,
        groups=[str(row) for row in (*range(150), *range(150))],
    )
    fitted = fit(twice)
    right = fitted.cross_fitted.argmax(axis=1) == np.concatenate([classes, classes])[fitted.rows]
    assert right.mean() == pytest.approx(1 / CLASSES, abs=0.12)


def test_confidence_is_accuracy():
    """The mean probability of the decisions is the share that is right, on new texts."""
    vectors, classes = texts(300, "en", 0, noise=2.5)
    fitted = fit(labelled(vectors, classes, ["en"] * 300))
    new, truth = texts(2000, "en", 9, noise=2.5)
    believed = probabilities(logits(fitted.model, new, "en"), "softmax")
    right = (believed.argmax(axis=1) == truth).mean()
    assert 0.5 < right < 0.95
    assert believed.max(axis=1).mean() == pytest.approx(right, abs=0.05)


@pytest.mark.parametrize("count", [16, 63, 200])
def test_few_labels_make_no_certainty(count: int):
    """Labels that are easily told apart, all of them, are few all the same."""
    vectors, classes = texts(count, "en", 0, noise=0.5)
    fitted = fit(labelled(vectors, classes, ["en"] * count))
    believed = probabilities(logits(fitted.model, vectors, "en").astype(float), "softmax")
    assert believed.max() < 0.99995


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
@pytest.mark.parametrize("count", [16, 40, 300])
def test_a_label_that_nobody_gave_stays_possible(count: int, link: Link):
    """Within a factor of ten of the rule of succession: one in two more than there are labels."""
    vectors, classes = texts(count, "en", 0, noise=1.5)
    fitted = fit(labelled(vectors, classes % 2, ["en"] * count), link=link)
    new, _ = texts(300, "en", 5, noise=1.5)
    believed = probabilities(logits(fitted.model, new, "en"), link)
    assert 0.1 < believed[:, 2].mean() * (count + 2) < 10.0


def test_several_labels_of_a_text_are_learned_apart():
    """Sigmoid outputs: a text may have all labels or none."""
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 2, (200, 2)).astype(float)
    vectors = np.concatenate([3 * bits - 1.5, np.zeros((200, SIZE - 2))], axis=1)
    vectors += rng.normal(0, 0.5, vectors.shape)
    given = Labelled(
        features=read(vectors),
        langs=["en"] * 200,
        targets=bits,
        groups=[str(row) for row in range(200)],
        weights=np.ones(200),
    )
    believed = probabilities(logits(fit(given, link="sigmoid").model, vectors, "en"), "sigmoid")
    assert ((believed > 0.5) == (bits > 0.5)).all(axis=1).mean() > 0.95


def test_words_tell_what_vectors_do_not():
    """In a language whose texts the encoder reads as noise."""
    rng = np.random.default_rng(8)
    words = ("good fine", "ugly bad", "plain")
    classes = rng.integers(0, CLASSES, 150)
    written = [f"{words[c]} {number}" for number, c in enumerate(classes)]
    noise = rng.normal(size=(150, SIZE))
    given = labelled(noise[:60], classes[:60], ["ha"] * 60, written=written[:60])
    new = read(noise[60:], written[60:])
    fitted = fit(given)
    predicted = fitted.model.outputs(new, ["ha"] * 90).values.argmax(axis=1)
    assert (predicted == classes[60:]).mean() > 0.95
    assert share_right(fitted.model, noise[60:], classes[60:], "ha") < 0.6


def test_a_layer_that_tells_more_than_the_last_is_used():
    """Vectors of several layers count alike."""
    vectors, classes = texts(120, "en", 0)
    noise = np.random.default_rng(9).normal(size=vectors.shape)
    both = Features(vectors=np.stack([vectors, noise], axis=1), ngrams=read(vectors).ngrams)
    given = replace(labelled(vectors, classes, ["en"] * 120), features=both)
    fitted = fit_frozen(given, both.take(slice(0)), [], "softmax", np.random.default_rng(1))
    new, truth = texts(120, "en", 3)
    later = Features(vectors=np.stack([new, noise], axis=1), ngrams=both.ngrams)
    predicted = fitted.model.outputs(later, ["en"] * 120).values.argmax(axis=1)
    assert (predicted == truth).mean() > 0.9


def test_the_number_of_texts_to_compare_with_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """Languages with few texts keep theirs."""
    monkeypatch.setattr(xlt.frozen.fit, "MOST_LABELS", 40)
    monkeypatch.setattr(xlt.frozen.fit, "MOST_TEXTS", 30)
    english, hausa = texts(90, "en", 0), texts(10, "ha", 1)
    vectors, classes = (np.concatenate(pair) for pair in zip(english, hausa, strict=True))
    pool, hidden = texts(200, "ha", 2)
    fitted = fit(labelled(vectors, classes, ["en"] * 90 + ["ha"] * 10), pool)
    assert len(fitted.model.support) == 70
    assert set(range(90, 100)) <= set(fitted.rows.tolist())
    assert share_right(fitted.model, pool, hidden, "ha") > 0.9


def test_the_same_seed_gives_the_same_model():
    """Bit for bit."""
    vectors, classes = texts(60, "en", 0)
    pool, _ = texts(50, "ha", 1)
    one, two = (fit(labelled(vectors, classes, ["en"] * 60), pool) for _ in range(2))
    for name, value in one.model.tensors().items():
        assert (value == two.model.tensors()[name]).all(), name
