"""What holds for every kind of task: its folder, its answers, its demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xlt.tasks
from tests.xlt.tasks.samples import (
    ANSWERS,
    FEW,
    LABELS,
    MANY,
    PROBED,
    SEEDS,
    answers,
    certain_of,
    contradict,
    drawn,
    examples_of,
    labels_of,
    others_of,
    task_of,
)
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS, infer_task, read_answers, task_from_json

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_a_kind_is_known_by_the_name_of_its_folder(kind):
    """The registry, the tasks and the table of samples agree on it."""
    assert KINDS[kind].name == task_of(kind).kind == kind
    assert kind in ANSWERS


def test_the_folders_of_all_kinds_hold_the_same_files(kind):
    """What is where in one kind is there in all; a folder with a kind.py is a known kind."""
    root = Path(xlt.tasks.__file__).parent
    folders = {file.parent.name: file.parent for file in root.glob("*/kind.py")}
    names = {file.name for file in folders[kind].glob("*.py")}

    assert set(folders) == set(KINDS)
    assert names == {
        "__init__.py", "answers.py", "control.py", "head.py", "judging.py", "kind.py", "probe.py",
        "task.py",
    }  # fmt: skip


def test_a_task_goes_to_json_and_back(kind):
    """With its kind; equal tasks are equal and have equal hashes."""
    task = task_of(kind)
    value = json.loads(json.dumps(task.to_json()))
    assert value["kind"] == kind
    assert task_from_json(value) == task
    assert hash(task_from_json(value)) == hash(task)
    assert task_of(kind, others_of(kind)) != task


@pytest.mark.parametrize("labels", [(), ("a", "a"), ("a", "b", "a")])
def test_labels_that_make_no_task_are_refused(kind, labels):
    """None, or one of them twice: in code and in JSON."""
    with pytest.raises(DataError):
        KINDS[kind].task(labels)
    with pytest.raises(DataError):
        task_from_json({"kind": kind, "labels": list(labels)})


def test_a_task_says_what_its_numbers_are(kind):
    """A column per output, a name for the mean credit, names of uncertainty measures."""
    task = task_of(kind)
    assert task.labels == labels_of(kind)
    assert task.width >= 1
    assert task.measure
    assert len(task.measures) == len(set(task.measures)) >= 1


@MANY
@given(st.data())
def test_an_answer_goes_to_json_and_back(kind, data):
    """Read takes back what plain gives; in whatever order a list is."""
    task = task_of(kind)
    answer = data.draw(answers(task))
    plain = task.plain(answer)
    stored = json.loads(json.dumps(plain))

    assert task.read(stored) == answer
    assert hash(task.read(stored)) == hash(answer)
    assert json.dumps(task.plain(task.read(stored))) == json.dumps(plain)
    if isinstance(stored, list):
        assert task.read(stored[::-1]) == answer
        assert json.dumps(task.plain(task.read(stored[::-1]))) == json.dumps(plain)
    assert isinstance(task.describe(answer), str)
    assert task.describe(answer)


@MANY
@given(st.data())
def test_an_answer_decides_its_labels(kind, data):
    """Each at most once; equal answers decide the same, and others more, but for spans' places."""
    task = task_of(kind)
    one, other = data.draw(answers(task)), data.draw(answers(task))
    decided = task.decisions(one)

    assert len({label for label, _ in decided}) == len(decided)
    assert {label for label, _ in decided} <= set(task.labels)
    [sure] = task.decode(certain_of(task, [one]))
    has = {label for label, has in decided if has}
    assert has == {label for label, share in sure.probabilities.items() if share == 1}
    assert decided == task.decisions(other) or one != other
    assert decided != task.decisions(other) or one == other or kind not in PROBED


@pytest.mark.parametrize(
    "value",
    [None, 7, 0.5, True, {"a": 1}, "unknown", ["unknown"], [[["health"]]], [None], "Health"],
)
def test_what_is_no_answer_is_refused(kind, value):
    """By a line that names what was seen."""
    with pytest.raises(DataError) as refused:
        task_of(kind).read(value)
    assert "unknown" not in str(value) or "unknown" in str(refused.value)


@FEW
@given(SEEDS)
def test_the_task_of_a_table_is_inferred_from_its_answers(kind, seed):
    """From cells as tables hold them; then every cell is an answer of it."""
    task = task_of(kind)
    table = examples_of(drawn(task, seed, 20), kind)
    inferred = infer_task(table)

    assert inferred.kind == kind
    assert set(inferred.labels) == set(labels_of(kind))
    for example, read in zip(table, read_answers(table, inferred), strict=True):
        assert task.read(inferred.plain(read.answer)) == example.answer


@MANY
@given(st.data(), st.integers(1, 5))
def test_annotators_who_agree_have_their_answer(kind, data, people):
    """With full weight, by any names."""
    task = task_of(kind)
    answer = data.draw(answers(task))
    agreement = task.agree({f"annotator {n}": answer for n in range(people)})
    assert (agreement.answer, agreement.weight, agreement.reason) == (answer, 1.0, "")


@MANY
@given(st.data())
def test_an_agreement_is_an_answer_or_a_reason(kind, data):
    """Its weight is trust in (0, 1]; names of annotators and the order of votes do not matter."""
    task = task_of(kind)
    votes = data.draw(st.lists(answers(task), min_size=1, max_size=5))
    agreement = task.agree({str(n): vote for n, vote in enumerate(votes)})
    turned = task.agree({f"x{n}": vote for n, vote in enumerate(votes[::-1])})

    assert (turned.answer, turned.reason) == (agreement.answer, agreement.reason)
    assert turned.weight == pytest.approx(agreement.weight)
    if agreement.reason:
        assert (agreement.answer, agreement.weight) == (None, 0.0)
    else:
        assert task.read(task.plain(agreement.answer)) == agreement.answer
        assert 0 < agreement.weight <= 1
        assert agreement.weight < 1 or not any(
            contradict(task, agreement.answer, vote) for vote in votes
        )


def test_training_needs_answers_that_differ(kind):
    """One line of what is missing; empty if nothing is."""
    task = task_of(kind)
    several = drawn(task, 0, 20)
    for few in ([], several[:1], several[:1] * 9):
        missing = task.missing(few)
        assert missing
        assert "\n" not in missing
    assert task.missing(several) == ""
    assert task.missing(several[: task.width]) == ""


@FEW
@given(SEEDS)
def test_texts_with_one_label_each_demonstrate_the_kind(kind, seed):
    """The examples that come of them are a table of the kind, with answers that can be learnt."""
    rng = np.random.default_rng(seed)
    table = [
        Example(id=str(n), texts=(f"text {n}",), lang=("en", "ha")[n % 2], answer=label)
        for n, label in enumerate(rng.permutation(list(LABELS) * 15).tolist())
    ]
    made = KINDS[kind].demonstrate(table, rng)
    task = infer_task(made)

    assert task.kind == kind
    assert task.missing([example.answer for example in read_answers(made, task)]) == ""
    assert len({example.id for example in made}) == len(made) > 0
    assert {example.lang for example in made} == {"en", "ha"}
