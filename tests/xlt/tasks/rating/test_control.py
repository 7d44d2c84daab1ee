"""Ratings in Label Studio's XML and JSON: stars, numbers, and what is none."""

from __future__ import annotations

import pytest

from tests.xlt.tasks.samples import control_tag
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Suggestion

CONTROL = KINDS["rating"].control


def tag(name: str, **attributes: str) -> Tag:
    """A control of this type, named "r"."""
    return Tag(name="r", tag=name, attributes=attributes, objects=("text",))


def result(value, kind="rating", name="r"):
    """A result as Label Studio writes it."""
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: value}}


def test_stars_are_5_unless_the_interface_says_so():
    """As in Label Studio."""
    assert CONTROL.task(tag("Rating")).labels == ("1", "2", "3", "4", "5")
    assert CONTROL.task(tag("Rating", maxRating="3", defaultValue="2")).labels == ("1", "2", "3")


def test_numbers_go_from_min_to_max_by_steps():
    """By 1 without a step; a greatest number that no step reaches is not on the scale."""
    assert CONTROL.task(tag("Number", min="0", max="2")).labels == ("0", "1", "2")
    assert CONTROL.task(tag("Number", min="0", max="0.3", step="0.1")).labels[-1] == "0.3"
    assert CONTROL.task(tag("Number", min="-1", max="10", step="4")).labels == ("-1", "3", "7")


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (tag("Rating", maxRating="1"), "no two ratings"),
        (tag("Rating", maxRating="many"), "no two ratings"),
        (tag("Rating", maxRating="2.5"), "no two ratings"),
        (tag("Rating", maxRating="99999999"), "a scale that xlt cannot learn"),
        (tag("Number"), "no min and no max, which xlt needs"),
        (tag("Number", min="0"), "no max, which xlt needs"),
        (tag("Number", max="9"), "no min, which xlt needs"),
        (tag("Number", min="5", max="5"), "no two numbers"),
        (tag("Number", min="5", max="1"), "no two numbers"),
        (tag("Number", min="0", max="1", step="2"), "no two numbers"),
        (tag("Number", min="0", max="1", step="0"), "no two numbers"),
        (tag("Number", min="0", max="x"), "no two numbers"),
        (tag("Number", min="0", max="1", step="1e-9"), "a scale that xlt cannot learn"),
    ],
)
def test_a_control_without_a_scale_is_refused(control, reason):
    """The reason says what is missing."""
    refused = CONTROL.task(control)
    assert isinstance(refused, Refusal)
    assert reason in refused.reason


def test_no_stars_are_no_answer():
    """Label Studio stores 0 if an annotator takes the stars back; of a number, 0 is one."""
    stars, numbers = tag("Rating"), tag("Number", min="0", max="3")
    assert CONTROL.answer([], stars, CONTROL.task(stars)) is None
    assert CONTROL.answer([result(0)], stars, CONTROL.task(stars)) is None
    assert CONTROL.answer([result(None)], stars, CONTROL.task(stars)) is None
    assert CONTROL.answer([result(0, "number")], numbers, CONTROL.task(numbers)) == 0


def test_more_stars_than_there_are_are_refused():
    """As they remain when the interface is edited to have fewer."""
    stars = tag("Rating", maxRating="3")
    with pytest.raises(DataError, match="expected a number from 1 to 3 in steps of 1, got 5"):
        CONTROL.answer([result(5)], stars, CONTROL.task(stars))
    with pytest.raises(DataError, match="got 'high'"):
        CONTROL.answer([result("high")], stars, CONTROL.task(stars))


def test_a_suggestion_is_written_as_the_control_writes_it():
    """Stars under `rating`, numbers under `number`."""
    suggestion = Suggestion(answer=2, confidence=0.7)
    for control, kind in ((tag("Rating"), "rating"), (tag("Number", min="0", max="3"), "number")):
        [written] = CONTROL.results(suggestion, control)
        assert (written["type"], written["value"]) == (kind, {kind: 2})
        assert written["score"] == 0.7
        assert CONTROL.answer([written], control, CONTROL.task(control)) == 2


@pytest.mark.parametrize(
    ("labels", "name"),
    [(["5"], "Rating"), (["1", "2", "3"], "Rating"), (["0", "1", "2"], "Number"),
     (["20"], "Number"), (["0", "0.5", "1"], "Number")],
)  # fmt: skip
def test_the_ready_interface_has_stars_if_the_scale_is_one_of_stars(labels, name):
    """From 1 by 1 up to 10; numbers for all others."""
    made = control_tag(CONTROL.template(labels))
    assert made.tag == name
    assert CONTROL.task(made) == KINDS["rating"].task(labels)
