"""The tag `<Taxonomy>`: its attributes, what Label Studio's page writes, what is not a path."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.xlt.tasks.trees import ALL_NODES, LEAVES
from xlt.errors import DataError
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Suggestion
from xlt.tasks.taxonomy.kind import KIND
from xlt.tasks.taxonomy.task import Taxonomy

DIET, SPORT = ("Health", "Diet"), ("Sport",)
TAG = Tag(
    name="topic",
    tag="Taxonomy",
    labels=tuple(" / ".join(path) for path in ALL_NODES),
    paths=ALL_NODES,
    objects=("text",),
)
ONE, SEVERAL = Taxonomy(paths=ALL_NODES), Taxonomy(paths=ALL_NODES, most=None)


def tag(**attributes: str) -> Tag:
    """The tag with attributes."""
    return replace(TAG, attributes=attributes)


def written(*paths, name="topic"):
    """A result as Label Studio's page writes it."""
    return {"from_name": name, "type": "taxonomy", "value": {"taxonomy": list(paths)}}


@pytest.mark.parametrize(
    ("attributes", "task"),
    [
        ({}, SEVERAL),
        ({"maxUsages": "1"}, ONE),
        ({"maxusages": "1"}, ONE),
        ({"maxUsages": "3"}, Taxonomy(paths=ALL_NODES, most=3)),
        ({"maxUsages": "many"}, SEVERAL),
        ({"leafsOnly": "true"}, Taxonomy(paths=LEAVES, most=None)),
        ({"leafsOnly": "false", "maxUsages": "1"}, ONE),
        ({"showFullPath": "true", "pathSeparator": " > "}, SEVERAL),
    ],
)
def test_attributes_say_what_can_be_chosen(attributes, task):
    """Any number of paths is Label Studio's default, and every node can be chosen."""
    assert KIND.control.task(tag(**attributes)) == task


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"apiUrl": "https://example.org/tree"}, "apiUrl"),
        ({"labeling": "true"}, "labels parts of the text"),
        ({"maxUsages": "0"}, "allows no choice"),
    ],
)
def test_a_tree_that_cannot_be_learned_is_refused(attributes, reason):
    """By one line that says why."""
    refusal = KIND.control.task(tag(**attributes))
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("paths", "attributes", "reason"),
    [
        ((("a",),), {"maxUsages": "1"}, "fewer than two choices"),
        ((("a",), ("b", "")), {}, "without a name"),
        ((("a",), ("b", "c"), ("b", "c ")), {}, "look the same"),
        ((("a", "b"), ("a/b",)), {"pathSeparator": "/"}, "look the same: 'a/b', 'a/b'"),
        ((("a", "b"), ("a / b",)), {}, "look the same: 'a / b', 'a / b'"),
    ],
)
def test_choices_that_nobody_can_tell_apart_are_refused(paths, attributes, reason):
    """Label Studio's page joins the names of a path at the separator: then they are the same."""
    refusal = KIND.control.task(replace(tag(**attributes), paths=paths))
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("results", "one", "several"),
    [
        ([written(["Health", "Diet"])], (DIET,), (DIET,)),
        ([written(["Sport"], ["Health", "Diet"])], None, (DIET, SPORT)),
        ([written(["Health"], ["Health", "Diet"])], (DIET,), (DIET,)),
        ([written(["Sport"]), written(["Health", "Diet"])], None, (DIET, SPORT)),
        ([written()], None, ()),
        ([], None, ()),
        ([written(["Sport"], name="other")], None, ()),
        ([{"from_name": "topic", "value": {"choices": ["Sport"]}}], None, ()),
    ],
)
def test_an_annotation_is_read_as_its_paths(results, one, several):
    """Nothing chosen is an answer only where several can be chosen."""
    assert KIND.control.answer(results, tag(maxUsages="1"), ONE) == one
    assert KIND.control.answer(results, tag(), SEVERAL) == several


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (written(["Sport", "Diet"]), "unknown label 'Sport / Diet'"),
        (written(["Sport"], ["Illness"]), "unknown label 'Illness'"),
        (written(["Health", "Food"]), "unknown label 'Health / Food'"),
        (written("Sport"), "of a form that xlt does not read"),
        (written(["Sport", 3]), "of a form that xlt does not read"),
        (written([]), "of a form that xlt does not read"),
        ({"from_name": "topic", "value": {"taxonomy": "Sport"}}, "of a form that xlt"),
    ],
)
def test_a_path_that_the_tree_no_longer_has_is_named(result, message):
    """Moved, renamed or removed, or never there: Label Studio accepts such answers."""
    for form, task in ((tag(), SEVERAL), (tag(maxUsages="1"), ONE)):
        with pytest.raises(DataError, match=message):
            KIND.control.answer([result], form, task)


@pytest.mark.parametrize(
    ("path", "now"),
    [
        (["Food"], (DIET,)),
        (["Medicine", "Illness", "Malaria"], (("Health", "Illness", "Malaria"),)),
        (["Medicine"], (("Health",),)),
        (["Health", "Diet"], (DIET,)),
    ],
)
def test_a_renamed_node_is_read_as_that_of_now(path, now):
    """It takes the nodes below it along; a path of the tree is itself."""
    renames = {"Food": "Health / Diet", "Medicine": "Health", "Health / Diet": "Sport"}
    for form, task in ((tag(), SEVERAL), (tag(maxUsages="1"), ONE)):
        assert KIND.control.answer([written(path)], replace(form, renames=renames), task) == now


def test_a_removed_node_is_no_answer_alone():
    """Nor is a node below it; if several can be chosen, the others are the answer."""
    gone = {"Gossip": ""}
    several, one = (replace(tag(**more), renames=gone) for more in ({}, {"maxUsages": "1"}))
    result = written(["Gossip", "Stars"], ["Sport"])
    assert KIND.control.answer([result], several, SEVERAL) == (SPORT,)
    with pytest.raises(DataError, match="a removed label: 'Gossip / Stars'"):
        KIND.control.answer([written(["Gossip", "Stars"])], one, ONE)
    with pytest.raises(DataError, match="unknown label 'Health / Gossip'"):
        KIND.control.answer([written(["Health", "Gossip"])], several, SEVERAL)


@pytest.mark.parametrize(
    ("separator", "parts"),
    [(None, ["Health", "AC", "DC"]), ("/", ["Health", "AC ", " DC"]), (">", ["Health", "AC / DC"])],
)
def test_a_name_with_the_separator_comes_back_in_parts(separator, parts):
    """The page joins all names and splits them again; suggestions have them whole."""
    path = ("Health", "AC / DC")
    attributes = {} if separator is None else {"pathSeparator": separator}
    odd = replace(tag(**attributes), paths=(*ALL_NODES, path))
    task = KIND.control.task(odd)

    assert KIND.control.answer([written(parts)], odd, task) == (path,)
    [result] = KIND.control.results(Suggestion(answer=(path,), confidence=0.5), odd)
    assert result["value"] == {"taxonomy": [list(path)]}
    assert KIND.control.answer([result], odd, task) == (path,)


def test_a_suggestion_is_one_result_with_all_paths():
    """With its confidence; equal suggestions have equal ids, no path is no result."""
    [one] = KIND.control.results(Suggestion(answer=(DIET, SPORT), confidence=0.123456789), TAG)
    [other] = KIND.control.results(Suggestion(answer=(DIET,), confidence=2.0), TAG)

    assert one["value"] == {"taxonomy": [["Health", "Diet"], ["Sport"]]}
    assert (one["from_name"], one["to_name"], one["type"]) == ("topic", "text", "taxonomy")
    assert (one["score"], other["score"]) == (0.123457, 1.0)
    assert one["id"] != other["id"]
    assert KIND.control.results(Suggestion(answer=(), confidence=0.5), TAG) == []


@pytest.mark.parametrize(
    ("labels", "leaves"),
    [(("Health/Diet", "Sport"), "true"), (("Health", "Health / Diet", "Sport"), None)],
)
def test_the_interface_has_the_tree_of_the_labels(labels, leaves):
    """Nested as the paths are; inner nodes can be chosen if one is among the labels."""
    config = KIND.control.template(labels)
    [taxonomy] = ElementTree.fromstring(config).iter("Taxonomy")
    tree = {choice.get("value"): [inner.get("value") for inner in choice] for choice in taxonomy}

    assert tree == {"Health": ["Diet"], "Sport": []}
    assert taxonomy.get("leafsOnly") == leaves
    assert taxonomy.get("maxUsages") == "1"
