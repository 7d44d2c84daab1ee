"""Renamed labels: how they are told, and answers with a label of earlier."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import MANY, answers, task_of
from xlt.errors import ConfigError, DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.renames import (
    GONE,
    answer_now,
    faults,
    label_now,
    refusal,
    unknown_in,
    with_told,
    without_effect,
)
from xlt.tasks.tags import Tag

OLD = ("a", "b", "c", "d", "e")
NOW = ("X", "a", "b")
RENAMES = {"c": "X", "d": "X", "e": GONE}


@MANY
@given(st.data())
def test_one_label_of_earlier_is_read_as_that_of_now(data):
    """Kept, renamed or merged; a removed one is no answer."""
    old, new = task_of("single_label", OLD), task_of("single_label", NOW)
    answer = data.draw(answers(old))
    now = answer_now(old.plain(answer), NOW, RENAMES)
    if answer == "e":
        with pytest.raises(DataError):
            new.read(now)
        return
    assert new.read(now) == {"a": "a", "b": "b", "c": "X", "d": "X"}[answer]
    assert answer_now(now, NOW, RENAMES) == now


@MANY
@given(st.data())
def test_of_several_labels_only_the_removed_one_is_lost(data):
    """Merged labels are there once."""
    old, new = task_of("multi_label", OLD), task_of("multi_label", NOW)
    answer = data.draw(answers(old))
    now = answer_now(old.plain(answer), NOW, RENAMES)
    names = {"a": "a", "b": "b", "c": "X", "d": "X"}
    assert set(new.read(now)) == {names[label] for label in answer if label != "e"}
    assert answer_now(now, NOW, RENAMES) == now


def test_other_answers_stay_as_they_are():
    """Numbers and objects of other kinds of tasks hold no label of their own."""
    for value in (None, 3, ["a", 3], [["c", "d"]], {"c": "d"}):
        assert answer_now(value, NOW, RENAMES) == value


def test_a_label_of_now_is_itself():
    """Whatever a rename says of it: it was told before the label came back."""
    assert label_now("a", ("a", "b"), {"a": "b"}) == "a"
    assert label_now("Cafe\u0301 ", ("x", "y"), {"Café": "x"}) == "x"
    assert label_now("z", ("x", "y"), {"a": "x"}) is None
    assert label_now("a", ("x", "y"), {"a": "gone too"}) is None
    assert label_now("a", ("x", "y"), {"a": GONE}) == GONE
    assert label_now(7, ("x", "y"), {"a": "x"}) is None


@given(st.text(max_size=9))
def test_reasons_name_the_label(label):
    """An unknown label can be read back from the reason; a removed one is no fault."""
    assert unknown_in(refusal(label, None)) == label
    assert unknown_in(refusal(label, GONE)) is None
    assert unknown_in("unknown label of another kind") is None


CHOICES = {"type": "choices", "from_name": "topic"}


def tag(labels: tuple[str, ...], **fields) -> Tag:
    """A control with renames."""
    attributes = {"choice": fields.pop("choice", "single")}
    return Tag(name="topic", tag="Choices", attributes=attributes, labels=labels,
               objects=("text",), renames=RENAMES, **fields)  # fmt: skip


def read(kind: str, tag: Tag, *chosen: object) -> object:
    """What an annotation with these choices answers."""
    control = KINDS[kind].control
    task = control.task(tag)
    assert task is not None
    return control.answer([CHOICES | {"value": {"choices": list(chosen)}}], tag, task)


def test_annotations_are_read_with_the_labels_of_now():
    """Stored long ago, or from a page that was open when the interface was edited."""
    assert read("single_label", tag(NOW), "d") == "X"
    assert read("multi_label", tag(NOW, choice="multiple"), "d", "X", "a", "e") == ("X", "a")
    assert read("multi_label", tag(NOW, choice="multiple"), "e") == ()
    with pytest.raises(DataError, match="a removed label: 'e'"):
        read("single_label", tag(NOW), "e")
    with pytest.raises(DataError, match="unknown label 'f'"):
        read("single_label", tag(NOW), "f")
    with pytest.raises(DataError, match="unknown label 'f'"):
        read("multi_label", tag(NOW, choice="multiple"), "a", "f", "e")


def test_leaves_of_trees_are_renamed_by_their_name_or_path():
    """As the label was called before: its path if another leaf had the same name."""
    paths = (("T", "X"), ("T", "a"), ("b",))
    tree = tag(NOW, paths=paths)
    assert read("single_label", tree, ["T"], ["T", "d"]) == "X"
    assert read("single_label", tree, ["T", "a"]) == "a"
    with pytest.raises(DataError, match="unknown label 'T / f'"):
        read("single_label", tree, ["T", "f"])
    with pytest.raises(DataError, match="unknown label ''"):
        read("single_label", tree, [])
    by_path = Tag(name="topic", tag="Choices", labels=NOW, objects=("text",), paths=paths,
                  renames={"T / f": "b"})  # fmt: skip
    assert read("single_label", by_path, ["T", "f"]) == "b"


# Telling ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("renames", "words"),
    [
        ({"a": "b", "b": "c"}, "'a' is renamed to 'b', which is renamed itself"),
        ({"a": "b", "b": "a"}, "'a' is renamed to 'b', which is renamed itself"),
        ({"a": "b", "b": ""}, "'a' is renamed to 'b', which is renamed itself"),
        ({"a": "a "}, "'a' is renamed to itself"),
        ({" ": "a"}, "a former label must not be empty"),
    ],
)
def test_chains_and_cycles_are_refused(renames, words):
    """The line names both labels."""
    assert words in next(faults(renames))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"c": "Y"}, r"rename: 'Y' is no label of the interface; labels: \['X', 'a', 'b'\]"),
        ({"a": "X"}, r"rename: 'a' is still a label of the interface.*labels: \['X', 'a', 'b'\]"),
        ({"a": ""}, "'a' is still a label of the interface"),
        ({"": "X"}, "a former label must not be empty"),
    ],
)
def test_the_interface_decides_which_renames_are_right(told, words):
    """A clear line, with the labels that there are."""
    with pytest.raises(ConfigError, match=words):
        with_told({}, told, NOW)
    assert with_told({}, {"c": "X", "e": ""}, NOW) == {"c": "X", "e": ""}


def test_a_label_that_is_renamed_twice_goes_to_its_last_name():
    """One step from each former name; a removal too; the newest word about a label counts."""
    assert with_told({"a": "b"}, {"b": "c"}, ("c", "d")) == {"a": "c", "b": "c"}
    assert with_told({"a": "b"}, {"b": ""}, ("c", "d")) == {"a": "", "b": ""}
    assert with_told({"a": "c"}, {"a": "d"}, ("c", "d")) == {"a": "d"}
    assert with_told({"a": ""}, {"b": "c"}, ("c", "d")) == {"a": "", "b": "c"}


def test_a_name_that_comes_back_is_no_longer_a_former_one():
    """Renamed, and renamed back."""
    assert with_told({"a": "b"}, {"b": "a"}, ("a", "d")) == {"b": "a"}


@MANY
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz"), max_size=6),
    st.dictionaries(st.sampled_from("xyzabc"), st.sampled_from("pq"), max_size=4),
)
def test_what_was_told_in_turn_is_followed_in_turn(stored, told):
    """Every label goes where it went step by step, and nothing has two steps."""
    labels = ("p", "q")
    both = with_told(stored, told, labels)

    assert list(faults(both)) == []
    for label in (*"abcdefxyz", *labels):
        middle = told[label] if label in told else stored.get(label, label)
        assert both.get(label, label) == told.get(middle, middle)


def test_renames_without_effect_are_said():
    """The interface was edited after they were told."""
    assert without_effect({"c": "X"}, NOW) == []
    assert without_effect({"e": GONE}, NOW) == []
    (line,) = without_effect({"c": "Y"}, NOW)
    assert "'Y' is no label of the interface" in line
