"""Taxonomies in Label Studio's interfaces: which nodes the page shows, and trees that change."""

from __future__ import annotations

import pytest
from label_studio_sdk.label_interface.interface import LabelInterface

from tests.xlt.tasks.trees import ALL_NODES, LEAVES, TREES, all_answers
from xlt.errors import DataError
from xlt.tasks.task import Suggestion
from xlt.tasks.taxonomy.task import Taxonomy
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.convert import votes_of
from xlt_backend.labelstudio.interface import Interface, template

TREE = (
    '<Choice value="Health"><Choice value="Diet" alias="food" hint="meals"/>'
    '<Choice value="Illness"><Choice value="Malaria"/></Choice></Choice>'
    '<Choice value="Sport"/>'
)


def config(tree: str = TREE, more: str = "", name: str = "topic") -> str:
    """An interface with one taxonomy."""
    control = f'<Taxonomy name="{name}" toName="text" {more}>{tree}</Taxonomy>'
    return f'<View><Text name="text" value="$text"/>{control}</View>'


def task_with(*annotations) -> dict:
    """A task with annotations, each by another person: paths that the page wrote."""
    return {
        "id": 1,
        "annotations": [
            {"id": n, "completed_by": n, "lead_time": 3.0, "result": [
                {"from_name": "topic", "to_name": "text", "type": "taxonomy",
                 "value": {"taxonomy": paths}}]}
            for n, paths in enumerate(annotations)
        ],
    }  # fmt: skip


def test_every_node_can_be_chosen_and_an_alias_is_its_name():
    """In the order of the page; hints change nothing. Leaves alone, if the interface says so."""
    found = Interface.from_label_config(config())
    assert found.task == Taxonomy(
        paths=(
            ("Health",), ("Health", "food"), ("Health", "Illness"),
            ("Health", "Illness", "Malaria"), ("Sport",),
        ),
        most=None,
    )  # fmt: skip
    leaves = Interface.from_label_config(config(more='leafsOnly="true" maxUsages="1"'))
    assert leaves.task.labels == ("Health / food", "Health / Illness / Malaria", "Sport")
    assert (leaves.task.most, leaves.notes) == (1, ())


def test_of_siblings_with_one_value_the_page_shows_the_first():
    """The second is no path, whatever is below it."""
    twice = '<Choice value="A"/><Choice value="A" alias="b"><Choice value="C"/></Choice>'
    found = Interface.from_label_config(config(twice + '<Choice value="D"/>'))
    assert found.task.labels == ("A", "D")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('apiUrl="https://example.org/tree.json"', "takes its choices from an address"),
        ('perRegion="true"', "is not asked once per text"),
        ('labeling="true"', "labels parts of the text"),
        ('maxUsages="0"', "allows no choice"),
        ('value="$tree"', "takes its labels from the task"),
    ],
)
def test_a_taxonomy_that_cannot_be_learned_is_refused(more, reason):
    """By one line that names it and says why."""
    tree = "" if "value=" in more else TREE
    with pytest.raises(UnsupportedConfigError, match=f"<Taxonomy name='topic'> {reason}"):
        Interface.from_label_config(config(tree, more))


@pytest.mark.parametrize("paths", TREES[:2])
@pytest.mark.parametrize("most", [1, None])
def test_label_studio_accepts_every_answer_and_it_is_read_back(paths, most):
    """By the SDK's validator: of one path and of several, at inner nodes and at leaves."""
    labels = [" / ".join(path) for path in paths]
    written = template("taxonomy", labels)
    if most is None:
        written = written.replace('maxUsages="1" ', "")
    interface = Interface.from_label_config(written)
    assert interface.task == Taxonomy(paths=paths, most=most)
    checker = LabelInterface(written)
    for answer in all_answers(paths, most):
        if answer or most is None:
            results = interface.results(Suggestion(answer=answer, confidence=0.5))
            assert interface.answer(results) == interface.task.read([list(p) for p in answer])
            prediction = {"result": results, "score": 0.5}
            assert checker.validate_prediction(prediction, return_errors=True) == []


def test_answers_to_a_tree_that_has_changed_are_counted_by_reason():
    """A node was moved, renamed, removed, or is no leaf any more: the others still count."""
    interface = Interface.from_label_config(config(more='leafsOnly="true"'))
    task = task_with(
        [["Health", "Illness", "Malaria"]], [["Illness", "Malaria"]], [["Health", "Diet"]],
        [["Sport"], ["Weather"]], [["Health", "Illness"]],
    )  # fmt: skip
    votes = votes_of(task, interface)

    assert votes.answers == {"0": (("Health", "Illness", "Malaria"),)}
    assert votes.unused == (
        "unknown label 'Illness / Malaria'",
        "unknown label 'Health / Diet'",
        "unknown label 'Weather'",
        "unknown label 'Health / Illness'",
    )


def test_several_paths_where_one_is_learned_are_counted():
    """And a submission without a path; nothing is guessed."""
    interface = Interface.from_label_config(config(more='maxUsages="1"'))
    votes = votes_of(task_with([["Sport"], ["Health"]], [], [["Health", "food"]]), interface)

    assert votes.answers == {"2": (("Health", "food"),)}
    assert votes.unused == ("several choices of 'topic', where one is learned", "nothing chosen")


def test_a_suggestion_of_a_path_that_was_removed_is_not_shown():
    """The model was trained before: the task suggests nothing."""
    interface = Interface.from_label_config(config(more='leafsOnly="true"'))
    for path in (("Health", "Illness"), ("Weather",), ("Sport", "Malaria")):
        assert interface.results(Suggestion(answer=(path,), confidence=0.9)) is None
    assert interface.results(Suggestion(answer=(("Sport",),), confidence=0.9))


def test_labels_of_an_interface_make_it_again():
    """Those of a tree with inner nodes, and those of leaves alone."""
    for paths in (ALL_NODES, LEAVES):
        labels = [" / ".join(path) for path in paths]
        assert Interface.from_label_config(template("taxonomy", labels)).task.labels == tuple(
            labels
        )


def test_names_that_the_page_cannot_tell_apart_are_refused():
    """It joins the names of a path at the separator."""
    same = '<Choice value="A"><Choice value="B"/></Choice><Choice value="A / B"/>'
    with pytest.raises(UnsupportedConfigError, match="look the same: 'A / B', 'A / B'"):
        Interface.from_label_config(config(same))
    with pytest.raises(DataError):
        template("taxonomy", ["A / B", "A / B"])
