"""Models of a task whose labels changed: what they say of the labels of now."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from tests.xlt.tasks.samples import MANY, SEEDS, random_outputs, task_of
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.relabelling import Regrouping, Relabelling, relabelling
from xlt.tasks.renames import GONE, answer_now
from xlt.tasks.single_label.task import SingleLabel

KINDS = ("single_label", "multi_label")
BOTH = pytest.mark.parametrize("kind", KINDS)
OLD = ("a", "b", "c", "d", "e")


def predicted(task, seed: int, count: int = 5) -> Predictions:
    """Predictions of a model that drew its outputs at random."""
    outputs = random_outputs(task, seed, count)
    scores = Scores(outputs=outputs, vectors=np.zeros((count, 2), np.float32))
    return interpret(task, scores, ["en"] * count, Calibration())


@st.composite
def changes(draw) -> tuple[tuple[str, ...], dict[str, str]]:
    """Labels of now in any order, and what became of those of earlier; two survive at least."""
    fates = draw(st.lists(st.sampled_from(["same", "X", "Y", "gone", "lost"]), min_size=5,
                          max_size=5))  # fmt: skip
    fates[:2] = ["same", "X"]
    renames = {
        label: GONE if fate == "gone" else fate
        for label, fate in zip(OLD, fates, strict=True)
        if fate in ("X", "Y", "gone")
    }
    kept = [label for label, fate in zip(OLD, fates, strict=True) if fate == "same"]
    added = draw(st.lists(st.sampled_from(["new", "newer"]), unique=True))
    named = {name for name in renames.values() if name != GONE}
    return tuple(draw(st.permutations([*kept, *named, *added]))), renames


def read_as(kind: str, labels, renames, source=OLD) -> Relabelling:
    """The reading of a model of the old labels."""
    reading = relabelling(task_of(kind, source), task_of(kind, labels), renames)
    assert reading is not None
    return reading


@BOTH
@MANY
@given(SEEDS)
def test_same_labels_change_nothing(kind, seed):
    """Not a bit: the predictions are the very same."""
    task = task_of(kind, OLD)
    reading = read_as(kind, OLD, {"z": "a"})
    before = predicted(task, seed)

    assert reading.read(before) is before
    assert (reading.changed, reading.added) == ({}, ())


@BOTH
@MANY
@given(SEEDS, changes())
def test_beliefs_stay_beliefs(kind, seed, change):
    """In [0, 1]; of one label a distribution over the labels that the model knows."""
    labels, renames = change
    reading = read_as(kind, labels, renames)
    after = reading.read(predicted(task_of(kind, OLD), seed))

    assert after.beliefs.values.shape == (5, len(labels))
    assert ((after.beliefs.values >= 0) & (after.beliefs.values <= 1)).all()
    unknown = [labels.index(label) for label in reading.added]
    assert (after.beliefs.values[:, unknown] == 0).all()
    if kind == "single_label":
        assert after.beliefs.values.sum(axis=1) == pytest.approx(1)
    assert ((after.uncertainty >= 0) & (after.uncertainty <= 1)).all()


@BOTH
@MANY
@given(SEEDS, changes())
def test_suggestions_are_answers_of_now(kind, seed, change):
    """A label that was removed or that vanished is never suggested, nor is one not learned."""
    labels, renames = change
    reading = read_as(kind, labels, renames)
    task = task_of(kind, labels)
    after = reading.read(predicted(task_of(kind, OLD), seed))

    for suggestion in after.suggestions:
        assert task.read(json.loads(json.dumps(task.plain(suggestion.answer)))) == suggestion.answer
        assert set(suggestion.probabilities) == set(labels) - set(reading.added)
        assert suggestion.answer == reading.known.read(task.plain(suggestion.answer))


@BOTH
@MANY
@given(SEEDS, st.permutations(OLD))
def test_renaming_all_labels_and_back_is_the_identity(kind, seed, order):
    """In any order of the labels; suggestions are renamed and keep their confidence."""
    names = {label: label.upper() * 2 for label in OLD}
    before = predicted(task_of(kind, OLD), seed)
    there = read_as(kind, [names[label] for label in order], names)
    middle = there.read(before)
    back = read_as(kind, OLD, {v: k for k, v in names.items()}, source=there.target.labels)
    after = back.read(middle)

    assert there.changed == names
    assert after.beliefs.values == pytest.approx(before.beliefs.values)
    assert after.uncertainty == pytest.approx(before.uncertainty)
    for one, two, renamed in zip(
        before.suggestions, after.suggestions, middle.suggestions, strict=True
    ):
        assert one.answer == two.answer
        plain = there.source.plain(one.answer)
        assert there.target.read(answer_now(plain, there.target.labels, names)) == renamed.answer
        assert renamed.confidence == pytest.approx(one.confidence)


@MANY
@given(SEEDS, changes())
def test_probabilities_of_merged_labels_add_up_and_the_rest_is_shared_out(seed, change):
    """Oracle: softmax over the log-sum-exp of each group of logits."""
    labels, renames = change
    source = SingleLabel(labels=OLD)
    logits = random_outputs(source, seed, 5).values.astype(np.float64)
    reading = read_as("single_label", labels, renames)
    groups = [
        [n for n, old in enumerate(OLD) if renames.get(old, old) == label]
        for label in labels
        if label not in reading.added
    ]
    expected = softmax(np.stack([logsumexp(logits[:, g], axis=1) for g in groups], axis=1), axis=1)

    got = reading.beliefs(Outputs(softmax(logits, axis=1)))
    assert got.values == pytest.approx(expected, rel=1e-9)


@MANY
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), changes())
def test_any_of_merged_labels_makes_the_new_one_right(chances, change):
    """Oracle: all outcomes of independent labels, counted."""
    labels, renames = change
    reading = read_as("multi_label", labels, renames)
    expected = dict.fromkeys(reading.known.labels, 0.0)
    for outcome in product((0, 1), repeat=5):
        weight = np.prod([p if right else 1 - p for p, right in zip(chances, outcome, strict=True)])
        right = {renames.get(old, old) for old, yes in zip(OLD, outcome, strict=True) if yes}
        for label in expected.keys() & right:
            expected[label] += float(weight)

    got = reading.beliefs(Outputs(np.array([chances])))
    assert got.values[0].tolist() == pytest.approx(list(expected.values()))


def test_tiny_probabilities_keep_their_ratio():
    """Two labels are left of which the model believed next to nothing, or nothing at all."""
    reading = read_as("single_label", ("a", "b"), {})
    believed = Outputs(np.array([[3e-300, 1e-300, 1, 0, 0], [0.0, 0, 1, 0, 0]]))

    assert reading.beliefs(believed).values.tolist() == [
        pytest.approx([0.75, 0.25]),
        [0.5, 0.5],
    ]


@BOTH
@MANY
@given(SEEDS)
def test_an_added_label_changes_neither_suggestion_nor_uncertainty(kind, seed):
    """The model goes on with the labels that it knows."""
    before = predicted(task_of(kind, OLD), seed)
    reading = read_as(kind, ("new", *OLD), {})
    after = reading.read(before)

    assert reading.added == ("new",)
    assert reading.changed == {}
    assert [s.answer for s in after.suggestions] == [s.answer for s in before.suggestions]
    assert after.uncertainty == pytest.approx(before.uncertainty)


def test_models_that_cannot_be_used():
    """Another kind; too few labels left; a kind that does not tell its columns; no task."""
    single = task_of("single_label", ("a", "b"))
    assert relabelling(None, single) is None
    assert relabelling(task_of("multi_label", ("a", "b")), single) is None
    assert relabelling(task_of("single_label", ("b", "c")), single) is None
    assert relabelling(task_of("single_label", ("b", "c")), single, {"c": "b"}) is None
    assert relabelling(task_of("single_label", ("b", "c")), single, {"c": "a"}) is not None
    assert relabelling(task_of("multi_label", ("c",)), task_of("multi_label", ("a",))) is None

    class Other:
        """A task of a kind that does not regroup."""

        kind = "other"
        labels = ("a", "b")
        width = 4

    assert not isinstance(Other(), Regrouping)
    one, two = Other(), Other()
    assert relabelling(one, two) is None
    same = relabelling(one, one)
    assert same is not None
    assert same.beliefs(Outputs(np.ones((1, 4)))).values.tolist() == [[1, 1, 1, 1]]
