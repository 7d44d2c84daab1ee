"""Labels that changed since the active version was trained, in numbers and in words."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from xlt.tasks.kinds import task_from_json
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.cli import build_parser
from xlt_backend.rounds.labels import (
    advice,
    after_training,
    faults_in_words,
    label_changes,
    told_in_words,
)
from xlt_backend.setup.renames import parse_renames

MODEL = SingleLabel(labels=("sport", "music", "food"))


def changed(*labels: str, model=MODEL, rename=None, unused=None, given=()):
    """The changes, as JSON keeps them."""
    lost = {reason: ["1"] * count for reason, count in (unused or {}).items()}
    found = label_changes(model, SingleLabel(labels=labels), rename or {}, lost, given)
    assert json.loads(json.dumps(found)) == found
    return found


def test_nothing_changed():
    """Neither by a training nor in another order."""
    assert changed("food", "sport", "music") == {}
    assert changed("a", "b", model=None) == {}
    assert faults_in_words({}) == told_in_words({}) == advice({}, 1) == ""


def test_added_renamed_and_removed():
    """As was told: no fault, and in one line."""
    found = changed(
        *("sport", "arts", "news"),
        rename={"music": "arts", "food": "", "former": "arts", "never": ""},
        unused={"a removed label: 'food'": 2},
    )
    assert found == {
        "added": ["news"],
        "renamed": {"music": "arts"},
        "removed": {"food": {"answers": 2}},
    }
    assert faults_in_words(found) == ""
    words = told_in_words(found)
    assert "not suggested yet: 'news'" in words
    assert "in other labels: 'music' as 'arts'" in words
    assert "removed: 'food' (2 answers)" in words
    assert after_training(found) == {"removed": {"food": {"answers": 2}}}


@pytest.mark.parametrize(
    ("labels", "perhaps"),
    [
        (("sport", "music", "cuisine"), {"food": "cuisine"}),  # one vanished, one appeared
        (("Sports", "Musics", "x"), {"sport": "Sports", "music": "Musics", "food": ""}),
        (("sport", "music", "Foods", "x"), {"food": "Foods"}),
        (("sport", "music", "x", "y"), {"food": ""}),
        (("sport", "music"), {"food": ""}),  # removed, it seems
        (("musical", "music"), {"sport": "", "food": ""}),
    ],
)
def test_likely_names(labels, perhaps):
    """One for one, or close in writing; otherwise none is proposed."""
    found = changed(*labels)["vanished"]
    assert {label: each["perhaps"] for label, each in found.items()} == perhaps


def test_a_label_that_merged_is_likely_one_of_those_that_stayed():
    """Two spellings of one label: none of the labels appeared."""
    model = SingleLabel(labels=("Sport", "Sports", "food"))
    found = changed("Sport", "food", model=model, unused={"unknown label 'Sports'": 1})
    assert found == {"vanished": {"Sports": {"answers": 1, "perhaps": "Sport"}}}


def test_before_the_first_model_answers_tell_the_former_labels():
    """A label that answers have is no new one."""
    found = changed(
        *("sport", "cuisine"), model=None, given=("sport",), unused={"unknown label 'food'": 3}
    )
    assert found == {"vanished": {"food": {"answers": 3, "perhaps": "cuisine"}}}
    assert after_training(found) == found


def test_too_few_labels_are_left():
    """Or it is another kind of task: said, since suggestions stop."""
    found = changed("a", "b")
    assert found["unusable"] == "the active version knows too few of the labels"
    assert "no suggestions until the next training" in faults_in_words(found)
    found = changed("sport", "music", model=MultiLabel(labels=("sport", "music")))
    assert found == {"unusable": "the active version is of the kind multi_label, not single_label"}


def test_kinds_whose_labels_are_not_followed():
    """It is said that the model cannot be used, and no rename is proposed."""
    model, task = (task_from_json({"kind": "rating"} | scale) for scale in (
        {"lowest": 1, "step": 1, "steps": 4}, {"lowest": 1, "step": 1, "steps": 9}
    ))  # fmt: skip
    assert label_changes(model, model, {}, {}, ()) == {}
    found = label_changes(model, task, {}, {"unknown label '7'": ["1"]}, ())
    assert found == {
        "unusable": "the labels differ from those of the active version, of the kind rating"
    }
    assert advice(found, 1) == ""


def test_advice_is_a_command_that_can_be_pasted():
    """Also with odd labels: the command line reads them as they are."""
    model = SingleLabel(labels=("sport", 'it\'s = "odd" & more'))
    found = changed("sport", "a=b", model=model, unused={})
    (command,) = re.findall("`(xlt [^`]*)`", advice(found, 12))
    args = build_parser("connect").parse_args(shlex.split(command)[1:])

    assert args.project == 12
    assert parse_renames(args.rename, ("sport", "a=b")) == {'it\'s = "odd" & more': "a=b"}
