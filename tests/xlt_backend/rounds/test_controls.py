"""A project whose interface has two controls: rounds learn both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes import CONFIG, LABELS
from tests.xlt_backend.world import World
from xlt.data.by_control import ByControl
from xlt_backend.labelstudio.interface import Interface

SECOND = CONFIG[CONFIG.index("<Choices") : CONFIG.index("</Choices>")].replace("topic", "tone")
TWO = CONFIG.replace("</View>", f"{SECOND}</Choices></View>")


@pytest.fixture
def world(world: World) -> World:
    """A project with the controls topic and tone, which both are the first word of a text."""
    use(world, TWO)
    world.trainer.words = {f"{n}: {label}": label for n in ("topic", "tone") for label in LABELS}
    return world


def use(world: World, config: str) -> None:
    """Edits the interface."""
    world.label_studio.info = replace(world.label_studio.info, label_config=config)


def add_tone(world: World, tasks: list[int], tone: str | None = None) -> None:
    """Answers the second control in the annotations of some tasks, with the topic or a tone."""
    for task in tasks:
        [annotation] = world.label_studio.stored[task]["annotations"]
        topic = annotation["result"][0]
        value = topic["value"] if tone is None else {"choices": [tone]}
        annotation["result"] = [topic, {**topic, "from_name": "tone", "value": value}]
    world.label_studio._revision += 1


def regions(world: World) -> list[set[str]]:
    """Controls of the regions of each published suggestion."""
    rows = world.label_studio.predictions[world.shown].values()
    return [{region["from_name"] for region in row.result} for row in rows if row.result]


def test_both_controls_are_learned_and_suggested(world: World) -> None:
    """In one prediction; half of the labels answer the first control alone."""
    world.label_studio.add_tasks(120)
    world.round()
    add_tone(world, world.label_studio.label_next(30)[::2])
    world.round()

    assert world.trainer.trainings == 1
    assert world.trainer.plans[-1].task.kind == "multi_task"
    world.assert_consistent()
    assert regions(world)
    assert all(names == {"topic", "tone"} for names in regions(world))
    task = Interface.from_label_config(TWO).task
    for row in world.label_studio.predictions[world.shown].values():
        assert row.answer is None or isinstance(task.read(row.answer), ByControl)
    accuracy = world.versions.meta(world.shown).metrics["audit"]
    assert all({"topic_accuracy", "tone_accuracy"} <= set(score) for score in accuracy.values())
    assert world.state.last_error == ""


def test_a_second_control_is_added_while_people_work(world: World) -> None:
    """Suggestions for the first one go on; the next model knows both, and is not judged worse."""
    use(world, CONFIG)
    world.trainer.words = {}
    first = world.trained()
    use(world, TWO)
    world.trainer.words = {f"{n}: {label}": label for n in ("topic", "tone") for label in LABELS}
    world.round()
    assert world.shown == first
    add_tone(world, world.label_studio.label_next(12))
    world.round()

    assert world.shown != first
    assert world.versions.current() == world.shown
    assert all(names == {"topic", "tone"} for names in regions(world))


def test_a_control_that_cannot_be_learned_is_named(world: World) -> None:
    """In /status, in one line."""
    use(world, TWO.replace("</View>", '<TextArea name="why" toName="text"/></View>'))
    world.label_studio.add_tasks(20)
    world.round()
    assert world.service.status("1")["notes"] == [
        "not learned: <TextArea name='why'> is another kind of control"
    ]
