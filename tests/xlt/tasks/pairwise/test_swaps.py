"""Exchanged texts exchange the answer: of every model, before and after calibration."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.pooling import combine
from xlt.errors import DataError
from xlt.frozen.features import Features, Labelled
from xlt.frozen.fit import fit_frozen
from xlt.frozen.ngrams import count_ngrams
from xlt.models.predictor import Predictor
from xlt.tasks.calibration import Calibration
from xlt.tasks.heads import build_head
from xlt.tasks.pairwise.probe import swapped_columns
from xlt.tasks.pairwise.task import Pairwise
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.swaps import swap_of
from xlt.training.train import train

SIZE = 4
SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=15)
TASKS = [Pairwise(labels=("left", "right"), context=context) for context in (False, True)]
both = pytest.mark.parametrize("task", TASKS, ids=["pair", "context"])


def drawn(task: Pairwise, seed: int, count: int) -> torch.Tensor:
    """Vectors of each text (N, K, H)."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(0, 1, (count, task.texts, SIZE))).float()


def exchanged(each: torch.Tensor) -> torch.Tensor:
    """The same with left and right exchanged; a context stays first."""
    order = [*range(each.shape[1] - 2), each.shape[1] - 1, each.shape[1] - 2]
    return each[:, order]


def given_answers(seed: int, count: int) -> list[str]:
    """Answers, both of them."""
    rng = np.random.default_rng(seed)
    return [*rng.choice(["left", "right"], count - 2).tolist(), "left", "right"]


@both
@FEW
@given(SEEDS)
def test_swapped_vectors_are_those_of_swapped_texts(task, seed):
    """As the encoder would make them, bit for bit; twice is as before."""
    each = drawn(task, seed, 5)
    here, there = combine(each).numpy(), combine(exchanged(each)).numpy()
    np.testing.assert_array_equal(task.swap(here), there)
    np.testing.assert_array_equal(task.swap(task.swap(here)), here)


@pytest.mark.parametrize(("width", "texts"), [(5, 2), (8, 3), (1, 2)])
def test_vectors_of_another_number_of_texts(width, texts):
    """They are refused, not read wrongly."""
    with pytest.raises(DataError, match=f"expected a vector of {texts} texts"):
        swapped_columns(width, texts)


def assert_exchanged(task: Pairwise, here: np.ndarray, there: np.ndarray) -> None:
    """Logits are exchanged exactly, and so are probabilities, answers and uncertainty."""
    np.testing.assert_array_equal(here, there[:, ::-1])
    langs = [("en", "ha")[row % 2] for row in range(len(here))]
    answers = given_answers(0, len(here))
    for calibration in (
        Calibration(),
        Calibration(pooled=2.3, temperatures={"hau": 0.7}),
        task.fit(task_outputs(here), answers, langs),
    ):
        one, other = (
            task.beliefs(task_outputs(logits), langs, calibration) for logits in (here, there)
        )
        np.testing.assert_array_equal(one.values, other.values[:, ::-1])
        np.testing.assert_array_equal(task.uncertainty(one), task.uncertainty(other))
        sure = one.values[:, 0] != one.values[:, 1]
        pairs = zip(task.decode(one), task.decode(other), sure, strict=True)
        turned = {"left": "right", "right": "left"}
        assert all(a.answer == turned[b.answer] for a, b, differs in pairs if differs)


def task_outputs(values: np.ndarray):
    """Outputs of these logits."""
    from xlt.tasks.outputs import Outputs

    return Outputs(np.ascontiguousarray(values))


@both
@FEW
@given(SEEDS)
def test_a_probe(task, seed):
    """Fitted on one order only."""
    each = drawn(task, seed, 20)
    here, there = combine(each).numpy(), combine(exchanged(each)).numpy()
    probe = task.probe(here, given_answers(seed, 20), l2=0.4)
    assert_exchanged(task, probe.outputs(here).values, probe.outputs(there).values)
    turned = task.probe(
        there,
        [{"left": "right", "right": "left"}[a] for a in given_answers(seed, 20)],
        l2=0.4,
    )
    np.testing.assert_allclose(probe.outputs(here).values, turned.outputs(here).values, atol=0.02)


def features_of(each: torch.Tensor) -> Features:
    """Features with two layers; pairs have no n-grams."""
    vectors = combine(each).numpy()
    return Features(
        vectors=np.stack([vectors[:, ::-1] * 2, vectors], axis=1),
        ngrams=count_ngrams([("a", "b")] * len(each)),
    )


@both
@FEW
@given(SEEDS)
def test_a_frozen_model(task, seed):
    """Its kernel machine, too, with a pool and with languages."""
    each = drawn(task, seed, 20)
    langs = [("en", "ha")[row % 2] for row in range(20)]
    fitted = fit_frozen(
        Labelled(
            features=features_of(each),
            langs=langs,
            targets=task.targets(given_answers(seed, 20)),
            groups=[str(row) for row in range(20)],
            weights=np.ones(20),
        ),
        features_of(drawn(task, seed + 1, 7)),
        ["ha"] * 7,
        task.link,
        np.random.default_rng(0),
        swap=swap_of(task),
    )
    here = features_of(each)
    there = here.swapped(task.swap)
    outputs = [fitted.model.outputs(features, langs).values for features in (here, there)]
    assert_exchanged(task, *outputs)


@both
@FEW
@given(SEEDS)
def test_a_head(task, seed):
    """With any weights, trained or not."""
    torch.manual_seed(seed)
    head = build_head(task, SIZE, texts=task.texts)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    head.center.normal_()
    each = drawn(task, seed, 9)
    rows = [vectors.reshape(-1, SIZE) for vectors in (each, exchanged(each))]
    with torch.no_grad():
        here, there = (head.of_vectors(vectors).numpy() for vectors in rows)
    assert_exchanged(task, here, there)


def test_other_tasks_are_not_exchanged():
    """The order of their texts means something."""
    assert swap_of(SingleLabel(labels=("left", "right"))) is None
    assert swap_of(TASKS[0]) is not None


WORDS = ["the team won the game", "a good goal", "a vote in the state", "the party lost"]
EXAMPLES = [
    Example(
        id=f"{a}{b}",
        texts=(WORDS[a], WORDS[b]) if (a + b) % 2 else (WORDS[b], WORDS[a]),
        lang="en",
        answer="left" if (a + b) % 2 else "right",
    )
    for a, b in combinations(range(4), 2)
] * 2


@both
@pytest.mark.parametrize("learner", ["frozen", "joint"])
def test_a_stored_model(task, learner, tiny_encoder: Path, tmp_path: Path):
    """Trained, calibrated, saved and loaded: the answer to exchanged texts is the other one."""
    context = ("which comes first",) if task.context else ()
    examples = [
        replace(example, id=str(row), texts=context + example.texts)
        for row, example in enumerate(EXAMPLES)
    ]
    settings = {"encoder": str(tiny_encoder), "precision": "fp32", "learner": learner}
    if learner == "joint":
        settings |= {"head_learning_rate": 5e-3, "body_learning_rate": 5e-3, "epochs": 8.0}
    config = TrainConfig.from_mapping(settings)
    result = train(examples, [], task, config, tmp_path / "m", held_out=examples[:4])
    assert result.train_accuracy == 1.0

    predictor = Predictor.load(tmp_path / "m")
    assert predictor.task == task
    assert predictor.texts == task.texts
    turned = [replace(e, texts=(*e.texts[:-2], e.texts[-1], e.texts[-2])) for e in examples]
    one, other = predictor.predict(examples), predictor.predict(turned)
    np.testing.assert_allclose(one.beliefs.values, other.beliefs.values[:, ::-1], atol=1e-5)
    assert [s.answer for s in one.suggestions] == [e.answer for e in examples]
    assert all(
        a.answer != b.answer for a, b in zip(one.suggestions, other.suggestions, strict=True)
    )
