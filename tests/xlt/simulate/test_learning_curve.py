"""A strategy's curve: budgets, seeds, audit labels, and the last labels' gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.graded import Stars
from tests.xlt.simulate.parallel import LANGS, SMALL, replay
from xlt.errors import ConfigError
from xlt.simulate.acquisition import ACQUISITIONS
from xlt.simulate.learning_curve import EVERYTHING, CurveSettings, run_cell
from xlt.simulate.strategies import PLACES
from xlt.tasks.logistic import fit, scaled

#: Measures of kinds whose examples have several outputs; the tasks here have labels.
_OF_SEVERAL = {"mnlp"}
NAMES = sorted(set(ACQUISITIONS) - _OF_SEVERAL) + [
    f"{name}@{place}" for name in ("margin", "badge") for place in PLACES
]


@pytest.mark.parametrize("name", ["default", "stratified", "in-target", "zero-shot", *NAMES])
def test_every_strategy_spends_the_budget_on_distinct_rows(name):
    """At each round exactly so many labels, each text once, in the places that it may use."""
    points = run_cell(replay(), name, 3, SMALL)
    assert [point["labels"] for point in points] == [6, 16, 20]
    for point in points:
        assert sum(point["spent"].values()) == point["labels"]
        assert set(point["accuracy"]) == set(LANGS)
    if name in ("stratified", "random@equal"):
        assert max(points[-1]["spent"].values()) - min(points[-1]["spent"].values()) <= 1
    if "target" in name:
        assert "en" not in points[-1]["spent"]
    if name == "zero-shot" or name.endswith("@source"):
        assert set(points[-1]["spent"]) == {"en"}


@pytest.mark.parametrize("name", ["default", "random", "margin"])
def test_a_seed_gives_one_curve(name):
    """The same seed, the same curve; another seed another one."""
    one, again, other = (run_cell(replay(), name, seed, SMALL) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_audit_labels_cost_and_do_not_train():
    """Labels asked for are more than labels trained on, by about the audit share."""
    share = CurveSettings(budgets=(60,), batch=60, audit_share=0.5, pool_share=1.0)
    [point] = run_cell(replay(), "random", 0, share)[-1:]
    assert point["labels"] == 60
    assert 15 < point["trained"] < 45


def test_a_pool_that_ends_ends_the_curve():
    """A budget above the pool is not spent twice."""
    big = CurveSettings(budgets=(50, 5000), batch=200, pool_share=1.0)
    assert [point["labels"] for point in run_cell(replay(), "random", 0, big)] == [50, 120]


def test_all_labels_are_one_point():
    """What the others are on their way to: the drawn pool, audit tasks aside."""
    [point] = run_cell(replay(), EVERYTHING, 0, CurveSettings(budgets=(10,), pool_share=1.0))
    assert point["labels"] == 120
    assert point["trained"] < 120


def test_strategies_see_the_same_texts():
    """A seed draws one pool for all: labelling it all gives one model."""
    whole = CurveSettings(budgets=(96,), batch=96)
    ends = [run_cell(replay(), name, 5, whole)[-1]["trained"] for name in ("random", "stratified")]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", ["default", "margin", "core_set", EVERYTHING])
def test_a_task_of_graded_answers_is_simulated_as_well(name):
    """Nearly right counts in part; ways that need class probabilities say so."""
    data = replay()
    graded = replace(data, task=Stars(labels=data.task.labels))
    plain, points = (run_cell(which, name, 3, SMALL) for which in (data, graded))
    assert [point["labels"] for point in points] == [point["labels"] for point in plain]
    assert all(0 <= mean <= 1 for point in points for mean in point["accuracy"].values())
    if name == EVERYTHING:  # the same decisions: credit that is graded is never less
        both = zip(points[0]["accuracy"].values(), plain[0]["accuracy"].values(), strict=True)
        assert all(nearly > right for nearly, right in both)
    with pytest.raises(ConfigError, match="needs class probabilities"):
        run_cell(graded, "badge", 3, SMALL)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"budgets": ()}, "ascending"),
        ({"budgets": (20, 10)}, "ascending"),
        ({"batch": 0}, "batch"),
        ({"audit_share": 0.7}, "audit_share"),
        ({"pool_share": 0.0}, "pool_share"),
        ({"l2": 0.0}, "l2"),
    ],
)
def test_settings_out_of_range_are_refused(changed, message):
    """One line that names the value."""
    with pytest.raises(ConfigError, match=message):
        CurveSettings(**changed)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=6, unique=True), st.integers(1, 200))
def test_rounds_are_steps_of_at_most_a_batch_and_hit_every_budget(budgets, batch):
    """No round is larger than a batch, every budget is the end of one."""
    found = CurveSettings(budgets=tuple(sorted(budgets)), batch=batch).rounds()
    assert set(budgets) <= set(found)
    assert all(0 < step <= batch for step in np.diff([0, *found]))


def test_what_the_last_labels_bought_is_the_difference_that_they_make():
    """Against probes fitted here, with and without a language's later half."""
    all_of_it = CurveSettings(budgets=(80,), batch=80, pool_share=1.0, audit_share=0.0)
    data = replay()
    [point] = run_cell(data, "random", 0, all_of_it)
    rows = np.random.default_rng([0, 1]).permutation(np.arange(120))[:80]
    x, test = scaled(data.pool.vectors, data.pool.vectors), data.test
    seen, truth = scaled(test.vectors, data.pool.vectors), data.task.classes(test.answers)
    targets = np.eye(3)[data.task.classes(data.pool.answers)]
    assert set(point["bought"]) == set(LANGS)
    for lang, bought in point["bought"].items():
        own = np.flatnonzero(data.pool.langs[rows] == lang)
        assert bought["labels"] == len(own) // 2
        kept = np.delete(rows, own[-bought["labels"] :])
        right = [
            float((probe.outputs(seen).values.argmax(1) == truth)[test.langs == lang].mean())
            for probe in (fit(x[k], targets[k], "softmax", l2=0.4) for k in (rows, kept))
        ]
        assert bought["gain"] == pytest.approx(right[0] - right[1], abs=0.026)
    assert run_cell(data, "random", 0, SMALL)[-1]["bought"] == {}
