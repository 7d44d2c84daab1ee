"""The payoff of labels, as a round measures it and acts on it."""

from __future__ import annotations

import pytest

from tests.xlt_backend.world import other_than
from xlt.errors import EncoderError
from xlt_backend.rounds import payoff


def test_labels_are_measured_after_a_training(world):
    """/status says what is known, in words; without news nothing is measured again."""
    world.trained()
    payoff = world.service.status("1")["payoff"]
    assert payoff["choosing"]["fallen_back"] is False
    assert "too early to say" in payoff["choosing"]["words"]
    assert payoff["languages"]["en"]["last_labels"] == {"words": "too early to say"}
    world.states.put("1", payoff={})
    world.round()
    assert world.state.payoff == {}


def test_labels_judge_the_model_whose_order_they_came_in(world):
    """A model that is right in 7 of 10: the intervals say so, whatever was chosen."""
    world.trainer.skill = 0.7
    world.label_studio.add_tasks(380)
    world.trained()
    for _ in range(8):
        world.label_studio.label_next(20)
        world.round()
    found = {k: of["prequential"] for k, of in world.state.payoff["languages"].items()}
    assert set(found) == {"en", "sw", "yo"}
    assert all(of["low"] <= 0.7 <= of["high"] for of in found.values())
    assert sum(of["labels"] for of in found.values()) == 160
    assert 20 < sum(of["effective"] for of in found.values()) < 160


def test_what_cannot_be_measured_does_not_fail_the_round(world, monkeypatch, caplog):
    """The order is out already."""

    def fail(*_: object, **__: object) -> None:
        raise EncoderError("the encoder is gone")

    monkeypatch.setattr(payoff, "measure", fail)
    world.trained()
    assert world.versions.current() == world.shown
    assert world.state.payoff == {}
    assert world.state.last_error == ""
    assert "payoff is not measured: the encoder is gone" in caplog.text


@pytest.mark.parametrize(("wrong", "least", "most"), [(True, 0.0, 0.2), (False, 0.35, 0.9)])
def test_a_source_whose_labels_teach_nothing_gets_less(world, wrong, least, most):
    """English labels that are all wrong say nothing of the others; /status says why."""
    world.setup()
    world.label_studio.extra_params |= {"audit_share": 0.0, "source_languages": ["en"]}
    world.trainer.telling, world.trainer.skill = 4.0, 1.0
    world.label_studio.add_tasks(300)
    world.round()
    for _ in range(80):
        task = world.label_studio.next_task()
        data = world.label_studio.stored[task]["data"]
        is_wrong = wrong and data["lang"] == "en"
        world.label_studio.label(task, other_than(data["text"]) if is_wrong else None)
    world.round()
    rows, stored = world.label_studio.predictions[world.shown], world.label_studio.stored
    waiting = [task for task in rows if not stored[task]["is_labeled"]]
    first = sorted(waiting, key=lambda task: rows[task].score)[:50]
    langs = [stored[task]["data"]["lang"] for task in first]
    assert least <= langs.count("en") / 50 <= most
    reasons = {task: world.service.why("1", str(task))["reason"] for task in waiting}
    said = {stored[task]["data"]["lang"] for task in waiting if "worse than" in reasons[task]}
    assert said == ({"en"} if wrong else set())
