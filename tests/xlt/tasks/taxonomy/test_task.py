"""Taxonomies: reading answers, agreement of annotators, tasks from tables and from JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import FEW, examples_of
from tests.xlt.tasks.trees import ALL_NODES, LEAVES, TREES, answers_of, graph_of, selected
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.kinds import infer_task, read_answers, task_from_json
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.taxonomy.kind import KIND
from xlt.tasks.taxonomy.task import Taxonomy

ONE, SEVERAL = Taxonomy(paths=ALL_NODES), Taxonomy(paths=ALL_NODES, most=None)
OF_LEAVES = Taxonomy(paths=LEAVES)
DIET, ILLNESS = ("Health", "Diet"), ("Health", "Illness")
MALARIA, SPORT, WEATHER = ("Health", "Illness", "Malaria"), ("Sport",), ("Weather",)

of_every_form = pytest.mark.parametrize(
    "task", [Taxonomy(paths=paths, most=most) for paths in TREES for most in (1, None)], ids=str
)


@of_every_form
@FEW
@given(st.data())
def test_an_answer_goes_to_json_and_back(task, data):
    """In any order, as lists of names or as labels; so does the task."""
    answer = data.draw(answers_of(task.paths, task.most))
    plain = json.loads(json.dumps(task.plain(answer)))
    ordered = tuple(path for path in task.paths if path in answer)

    assert task.read(plain) == task.read(plain[::-1]) == ordered
    assert task.read([" / ".join(path) for path in plain]) == ordered
    assert task.describe(answer)
    assert task_from_json(json.loads(json.dumps(task.to_json()))) == task
    has = {label for label, has in task.decisions(ordered) if has}
    on = selected(answer, graph_of(task.paths)) if task.most is None else set(answer)
    assert has == {" / ".join(path) for path in task.paths if path in on}


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("Health / Diet", (DIET,)),
        ("Health/Diet", (DIET,)),
        (" Health  /Diet ", (DIET,)),
        ([["Health", "Diet"]], (DIET,)),
        (["Sport", ["Health", "Diet"]], (DIET, SPORT)),
        (["Health", "Health / Diet"], (DIET,)),
        ([], ()),
    ],
)
def test_a_cell_is_a_path_or_several(value, answer):
    """With spaces around the slash or without; a path that leads on to another is part of it."""
    assert SEVERAL.read(value) == answer


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("Diet", "unknown label 'Diet'; labels: .*'Health / Diet'"),
        (["Health", "Diet"], "unknown label 'Diet'"),
        ([["Diet", "Health"]], "unknown label 'Diet / Health'"),
        ([["Health", 3]], r"unknown label \['Health', 3\]"),
        ([["Sport"], ["Sport"]], "expected each path once"),
        ({"taxonomy": [["Sport"]]}, "expected a path or a list of paths"),
    ],
)
def test_what_is_no_path_of_the_tree_is_refused(value, message):
    """A name alone is none, nor is a path upside down."""
    with pytest.raises(DataError, match=message):
        SEVERAL.read(value)


def test_one_path_is_one():
    """Neither several nor none; a way to a path counts as the path."""
    for value in ([], ["Sport", "Weather"]):
        with pytest.raises(DataError, match="expected one path"):
            ONE.read(value)
    assert ONE.read(["Health", "Health / Diet"]) == (DIET,)


@pytest.mark.parametrize(
    ("paths", "most", "message"),
    [
        ((), None, "at least 1 labels"),
        ((("a",),), 1, "at least 2 labels"),
        ((("a",), ("a",)), None, "distinct"),
        ((("a / b",), ("a", "b")), None, "distinct"),
        ((("a", ""), ("b",)), None, "expected names in every path"),
        (((), ("b",)), None, "expected names in every path"),
        ((("a",), ("b",)), 0, "at least 1 path per example, got 0"),
    ],
)
def test_paths_that_make_no_task_are_refused(paths, most, message):
    """In code and in JSON."""
    with pytest.raises(DataError, match=message):
        Taxonomy(paths=paths, most=most)
    with pytest.raises(DataError):
        task_from_json({"kind": "taxonomy", "paths": list(map(list, paths)), "most": most})


@pytest.mark.parametrize(
    "value",
    [{}, {"paths": [["a"], ["b"]]}, {"paths": "ab", "most": 1}, {"paths": ["a"], "most": 1}],
)
def test_json_that_is_no_task_is_refused(value):
    """Whatever is missing or of another form."""
    with pytest.raises(DataError):
        task_from_json({"kind": "taxonomy"} | value)


# Agreement ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "votes", "answer", "weight"),
    [
        (ONE, [(DIET,), (ILLNESS,)], (("Health",),), 2 / 3),
        (ONE, [(DIET,), (DIET,), (ILLNESS,)], (DIET,), (1 + 1 + 1 / 2) / 3),
        (ONE, [(MALARIA,), (ILLNESS,), (DIET,)], (ILLNESS,), (4 / 5 + 1 + 1 / 2) / 3),
        (ONE, [(MALARIA,), (DIET,), (SPORT,)], (("Health",),), (2 / 4 + 2 / 3 + 0) / 3),
        (ONE, [(MALARIA,), (MALARIA,), (SPORT,), (WEATHER,)], (MALARIA,), 1 / 2),
        (ONE, [(MALARIA,), (SPORT,)], None, 0),
        (OF_LEAVES, [(DIET,), (MALARIA,)], None, 0),
        (OF_LEAVES, [(DIET,), (MALARIA,), (DIET,)], (DIET,), (1 + 1 + 2 / 5) / 3),
        (OF_LEAVES, [(DIET,), (DIET,), (MALARIA,), (WEATHER,)], (DIET,), (1 + 1 + 2 / 5) / 4),
        (SEVERAL, [(DIET, SPORT), (DIET, SPORT)], (DIET, SPORT), 1),
        (SEVERAL, [(DIET,), (ILLNESS,)], (("Health",),), 2 / 3),
        (SEVERAL, [(DIET,), (DIET, SPORT)], None, 0),
        (SEVERAL, [(DIET,), (DIET, SPORT), ()], (DIET,), (1 + 4 / 5 + 0) / 3),
        (SEVERAL, [(), ()], (), 1),
        (SEVERAL, [(), (DIET,)], None, 0),
    ],
)
def test_annotators_agree_on_the_deepest_path_that_most_of_them_share(task, votes, answer, weight):
    """Worked by hand. Half is not most: a leaf that half chose is a tie, or its branch is right."""
    found = task.agree({str(n): vote for n, vote in enumerate(votes)})
    assert found.answer == answer
    assert found.weight == pytest.approx(weight)
    assert bool(found.reason) == (answer is None)


@of_every_form
@FEW
@given(st.data())
def test_an_agreement_is_above_more_than_half_of_the_votes(task, data):
    """Each of its paths is, by the nodes that networkx finds, unless it is the one most chosen."""
    answers = answers_of(task.paths, task.most)
    votes = data.draw(st.lists(answers, min_size=1, max_size=5))
    votes = [task.read(task.plain(vote)) for vote in votes]
    found = task.agree({str(n): vote for n, vote in enumerate(votes)})
    graph = graph_of(task.paths)
    if found.answer is None:
        return
    assert task.read(task.plain(found.answer)) == found.answer
    assert found.weight == pytest.approx(task.credit([found.answer] * len(votes), votes).mean())
    for path in found.answer:
        on = sum(path in selected(vote, graph) for vote in votes)
        assert 2 * on > len(votes) or max(votes, key=votes.count) == found.answer


# Tables -------------------------------------------------------------------------------------


def test_cells_that_hold_paths_are_a_taxonomy():
    """One path is asked for if every cell has one; labels alone are several labels."""
    one = [(DIET,), (SPORT,), (DIET,)]
    assert infer_task(examples_of(one)) == Taxonomy(paths=(DIET, SPORT))
    several = [*one, (SPORT, ILLNESS), ()]
    assert infer_task(examples_of(several)) == Taxonomy(paths=(DIET, ILLNESS, SPORT), most=None)
    assert infer_task(examples_of([("Sport",), ("Health / Diet",)])) == MultiLabel(
        labels=("Health / Diet", "Sport")
    )


@pytest.mark.parametrize(
    ("cells", "paths", "most"),
    [
        (["Health / Diet", "Sport"], (DIET, SPORT), 1),
        (["Health/Diet", "Sport"], (DIET, SPORT), 1),
        (["Science / science/technology", "Sport"], (("Science", "science/technology"), SPORT), 1),
        ([("Health / Diet",), ("Sport",)], (DIET, SPORT), 1),
        ([("Health / Diet", "Sport"), ()], (DIET, SPORT), None),
    ],
)
def test_labels_are_paths_if_the_kind_is_asked_for(cells, paths, most):
    """A slash within a name is one if others are written with spaces; then all cells are read."""
    table = examples_of(cells)
    task = infer_task(table, "taxonomy")
    assert task == Taxonomy(paths=paths, most=most)
    assert all(isinstance(example.answer, tuple) for example in read_answers(table, task))


@pytest.mark.parametrize("cells", [[], ["a", ("b",)], [3, "a"], [(3,), ("a",)], [((3,),)]])
def test_other_cells_are_of_another_kind(cells):
    """Or of none."""
    assert KIND.infer(cells) is None


def test_cells_without_any_path_are_refused():
    """Nothing can be learned from them."""
    with pytest.raises(DataError, match="a path in at least one row"):
        KIND.infer([(), ()])


def test_labels_of_the_demo_are_put_under_branches():
    """Two texts of one label are in one branch; a label that belongs to none is a branch."""
    labels = ["health", "sport", "weather", "business", "farming", "gossip", "health"]
    table = [Example(id=str(n), texts=("x",), answer=label) for n, label in enumerate(labels)]
    made = [example.answer for example in KIND.demonstrate(table, np.random.default_rng(0))]

    assert [path[-1] for [path] in made] == labels
    assert [len(path) for [path] in made] == [2, 2, 2, 2, 2, 1, 2]
    assert len({path[0] for [path] in made}) == 4
    assert made[0] == made[-1]
