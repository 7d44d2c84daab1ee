"""Answers that are not used are counted, by reason, where people look."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import CONFIG, FakeLabelStudio
from tests.xlt_backend.rounds.test_snapshot import taken
from xlt_backend.rounds.unused import by_reason, problems

EDITED = {
    "a label was renamed": (
        {"choices": ["film"]},
        "topic",
        "unknown label 'film'",
    ),
    "the control was renamed": (
        {"choices": ["sport"]},
        "subject",
        "no answer to 'topic', but to 'subject'",
    ),
    "several could be chosen": (
        {"choices": ["sport", "food"]},
        "topic",
        "several choices of 'topic', where one is learned",
    ),
    "the choices were nested, a node with all its leaves was chosen": (
        {"choices": [["sport"], ["sport", "ball"], ["sport", "run"]]},
        "topic",
        "an answer to 'topic' of a form that xlt does not read",
    ),
    "the choices are nested": (
        {"choices": [["sport", "football"]]},
        "topic",
        "an answer to 'topic' of a form that xlt does not read",
    ),
}


def spoil(label_studio, numbers, value, control) -> None:
    """Gives tasks an answer as another interface would store it."""
    for number in numbers:
        (annotation,) = label_studio.stored[number]["annotations"]
        annotation["result"] = [{"from_name": control, "type": "choices", "value": value}]


@pytest.mark.parametrize(("value", "control", "reason"), EDITED.values(), ids=list(EDITED))
def test_edit_of_the_interface_is_told_everywhere(value, control, reason, world, caplog):
    """In the state, in the log, in the answer about a task; the other labels are used."""
    caplog.set_level(logging.WARNING)
    world.label_studio.extra_params = {"audit_share": 0.0}
    world.label_studio.add_tasks(40)
    for number in range(1, 31):
        world.label_studio.label(number)
    spoil(world.label_studio, range(1, 13), value, control)

    world.round()

    status = world.service.status("1")
    assert status["unused"] == {reason: {"answers": 12, "tasks": [str(n) for n in range(1, 13)]}}
    assert sum(status["labels"].values()) == 18
    assert f"12 answers are not used: {reason} (12; tasks 1, 2, 3 …)" in caplog.text
    assert reason in world.service.why("1", "7")["reason"]
    assert reason not in world.service.why("1", "20")["reason"]


def test_reasons_of_every_kind_of_annotation():
    """Skips, machine-made ones, ties and answers of tasks without text: none is lost."""
    fake = FakeLabelStudio()
    fake.add_tasks(6)
    for number in range(1, 6):
        fake.label(number, "sport")
    fake.label(3, "food", completed_by=2)
    fake.stored[1]["annotations"][0]["was_cancelled"] = True
    fake.stored[2]["annotations"][0] |= {"parent_prediction": 9, "lead_time": None}
    fake.stored[4]["data"] = {"text": ""}

    reading = taken(fake, share=0.0)

    assert dict(reading.unused) == {
        "skipped": ["1"],
        "annotated by the machine only": ["2"],
        "annotators disagree": ["3", "3"],
        "no text: 'text' is empty": ["4"],
    }
    assert [example.id for example in reading.snapshot.train] == ["5"]


@given(
    st.dictionaries(
        st.text(min_size=1), st.lists(st.integers(1, 500).map(str), min_size=1), max_size=40
    )
)
def test_every_answer_is_counted_however_many_reasons(unused):
    """Rare reasons are counted together; lists stay short."""
    found = by_reason(unused)

    assert sum(row["answers"] for row in found.values()) == sum(map(len, unused.values()))
    assert len(found) <= 21
    assert all(len(row["tasks"]) <= 100 for row in found.values())


def test_what_annotators_meant_is_no_problem():
    """A healthy project has skips and disagreement; the line about others names tasks."""
    expected = {"skipped": ["1", "2"], "annotators disagree": ["3", "3"]}
    assert problems(by_reason(expected)) == ""
    lost = problems(by_reason(expected | {"unknown label 'x'": ["7"]}))
    assert lost == "1 answers are not used: unknown label 'x' (1; task 7)"


def test_answers_to_the_chosen_control_are_read(world):
    """Those to the first control are none; a wrong name is an error before the round."""
    second = CONFIG[CONFIG.index("<Choices") : CONFIG.index("</Choices>")] + "</Choices>"
    config = CONFIG.replace("</View>", second.replace("topic", "tone") + "</View>")
    world.label_studio.info = replace(world.label_studio.info, label_config=config)
    world.label_studio.add_tasks(20)
    for number in range(1, 5):
        world.label_studio.label(number)
    spoil(world.label_studio, range(1, 4), {"choices": ["food"]}, "tone")
    world.label_studio.extra_params = {"control": "tone", "audit_share": 0.0}

    world.round()

    assert sum(world.state.labels.values()) == 3
    assert list(world.state.unused) == ["no answer to 'tone', but to 'topic'"]
    world.setup(schema=config, extra_params={"control": "mood"})
    assert "control='mood'" in world.state.config_error


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        (
            ["sport"] * 31,
            "training needs at least 2 different labels, got ['sport'] from 31 labels",
        ),
        (["sport", "food"], "2 of 20 labels to train on"),
        (["sport", "food"] * 15, ""),
    ],
)
def test_status_says_what_a_first_model_waits_for(labels, missing, world):
    """A number of labels alone does not tell that all of them are the same."""
    world.label_studio.extra_params = {"audit_share": 0.0, "min_labels": 20}
    world.label_studio.add_tasks(60)
    for number, label in enumerate(labels, start=1):
        world.label_studio.label(number, label)

    world.round()

    assert world.service.status("1")["missing"] == missing
