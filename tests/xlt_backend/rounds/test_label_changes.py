"""Labels that change while people work: rounds, suggestions and history follow."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.fakes import CONFIG, LABELS
from tests.xlt_backend.story import OPTIONS, Story
from tests.xlt_backend.world import World
from xlt_backend.names import is_ours
from xlt_backend.rounds import ledger
from xlt_backend.rounds.decide import Action


def config(*labels: str) -> str:
    """The interface with other labels."""
    start, end = CONFIG.index("<Choice value"), CONFIG.index("</Choices>")
    return CONFIG[:start] + "".join(f'<Choice value="{name}"/>' for name in labels) + CONFIG[end:]


@pytest.fixture
def trained(world: World) -> World:
    """A project with a model that is always right; it has audit labels."""
    world.trainer.skill = 1.0
    world.trained()
    return world


def edited(world: World, *labels: str, rename: dict[str, str] | None = None) -> Any:
    """Edits the labels, tells renames, and runs a round; its decision."""
    world.label_studio.edit(label_config=config(*labels))
    if rename is not None:
        world.label_studio.extra_params |= {"rename": rename}
    return world.round()


def suggested(world: World) -> dict[int, str | None]:
    """Task -> the label that Label Studio shows."""
    rows = world.label_studio.predictions[world.shown]
    return {
        number: rows[number].result[0]["value"]["choices"][0] if rows[number].result else None
        for number, task in world.label_studio.stored.items()
        if not task["is_labeled"]
    }


def about(world: World, number: int) -> str:
    """The first label of a task."""
    return str(world.label_studio.stored[number]["data"]["text"].split()[0])


def of(world: World, label: str) -> int:
    """The number of labelled tasks with this first label."""
    stored = world.label_studio.stored
    return sum(task["is_labeled"] and about(world, n) == label for n, task in stored.items())


def test_renamed_label_goes_on_without_a_training(trained):
    """Suggestions have the new name at once; answers of both names are one label."""
    world, old = trained, trained.shown
    before = suggested(world)
    decision = edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})

    assert (decision.action, world.trainer.trainings) == (Action.PUBLISH, 1)
    assert decision.reason == f"the labels of {old} were renamed or removed"
    assert suggested(world) == {n: "cuisine" if s == "food" else s for n, s in before.items()}
    assert world.shown != old
    assert world.shown.startswith(old)
    assert is_ours(world.shown)
    assert world.versions.current() == old
    assert set(world.label_studio.predictions) == {world.shown}
    assert (decision.changed, world.state.unused) == (0, {})
    assert world.state.label_changes == {"renamed": {"food": "cuisine"}}
    assert world.round().action is Action.NOTHING


def test_renamed_label_is_one_label_for_the_next_model(trained):
    """Old answers train under the new name, with new ones; then nothing of the old is left."""
    world = trained
    edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})
    first = of(world, "food")
    for number in list(suggested(world))[:15]:
        name = about(world, number)
        world.label_studio.label(number, "cuisine" if name == "food" else name)
    decision = world.round()

    assert decision.trained
    assert decision.changes.to_json()["new"]["labels"] == 15
    assert set(decision.changes.to_json()) == {"new"}
    plan = world.trainer.plans[-1]
    assert plan.task.labels == ("sport", "music", "cuisine")
    stored = world.versions.open(world.shown) / "examples.json"
    assert '"food"' not in stored.read_text()
    assert of(world, "food") > first > 0
    assert stored.read_text().count('"cuisine"') == of(world, "food")
    assert "compare with" not in decision.reason
    assert world.state.label_changes == {}
    assert world.shown == world.versions.current()


def test_older_model_is_judged_in_the_labels_of_now(trained):
    """It was always right, and is so under another name: a worse model does not replace it."""
    world, old = trained, trained.versions.current()
    edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})
    served = world.shown
    world.trainer.skill = 0.0
    for number in list(suggested(world))[:40]:
        name = about(world, number)
        world.label_studio.label(number, "cuisine" if name == "food" else name)
    decision = world.round()

    judged = world.versions.meta(world.versions.versions()[-1]).details["verdict"]
    right = sum(world.state.audit_labels.values())
    assert decision.trained
    assert f"worse than the active version: 0 of {right} audit labels right, before" in judged
    assert f"before {right}" in judged
    assert (world.versions.current(), world.shown) == (old, served)
    assert set(suggested(world).values()) <= {"sport", "music", "cuisine"}


def test_worse_model_does_not_bring_old_names_back(trained):
    """Labels are renamed and enough are new at once: the older model is read in the new ones."""
    world, old = trained, trained.versions.current()
    world.trainer.skill = 0.0
    world.label_studio.label_next(40)
    decision = edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})

    assert decision.trained
    assert world.versions.current() == old
    assert world.shown not in (old, "")
    assert set(suggested(world).values()) == {"sport", "music", "cuisine"}


def test_history_is_read_in_the_labels_of_now(trained):
    """Suggestions of earlier orders are right under the new name: accuracy does not fall."""
    world = trained
    world.label_studio.label_next(12)
    world.round()
    before = world.state.payoff["languages"]
    edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})
    for number in list(suggested(world))[:12]:
        name = about(world, number)
        world.label_studio.label(number, "cuisine" if name == "food" else name)
    assert world.round().trained

    drawn = ledger.read(world.versions).labelled.values()
    assert "food" in {draw.predicted for draw in drawn}
    after = world.state.payoff["languages"]
    for lang in ("en", "sw", "yo"):
        assert before[lang]["prequential"]["accuracy"] == 1.0
        assert after[lang]["prequential"]["accuracy"] == 1.0
        assert after[lang]["prequential"]["labels"] > before[lang]["prequential"]["labels"]


def test_merged_labels(trained):
    """Two labels become one that the interface has: answers, suggestions, no new training."""
    world = trained
    before = suggested(world)
    decision = edited(world, "sport", "arts", rename={"food": "arts", "music": "arts"})

    assert (decision.action, decision.changed, world.trainer.trainings) == (Action.PUBLISH, 0, 1)
    assert suggested(world) == {n: s if s == "sport" else "arts" for n, s in before.items()}
    assert sum(world.state.labels.values()) + sum(world.state.audit_labels.values()) == 30


def test_removed_label_is_never_suggested(trained, caplog):
    """Its answers are counted, and are no fault: it was told. The others go on."""
    caplog.set_level(logging.WARNING)
    world = trained
    lost = of(world, "food")
    before = suggested(world)
    decision = edited(world, "sport", "music", rename={"food": ""})

    assert (decision.action, world.trainer.trainings) == (Action.PUBLISH, 1)
    after = suggested(world)
    assert set(after.values()) == {"sport", "music"}
    assert all(after[n] == s for n, s in before.items() if s != "food")
    assert world.state.unused["a removed label: 'food'"]["answers"] == lost
    assert world.state.label_changes == {"removed": {"food": {"answers": lost}}}
    assert "not used" not in caplog.text
    assert decision.changes.to_json() == {
        "gone": {"labels": lost, "tasks": list(decision.changes.gone)}
    }


def test_added_label_leaves_suggestions_and_places(trained):
    """No training, no new order; the state says that the model does not know it."""
    world = trained
    version, before = world.shown, suggested(world)
    decision = edited(world, "art", *LABELS)

    assert (decision.action, world.trainer.trainings) == (Action.NOTHING, 1)
    assert (world.shown, suggested(world)) == (version, before)
    assert world.state.label_changes == {"added": ["art"]}

    new = world.label_studio.add_tasks(3)
    assert world.round().action is Action.INSERT
    assert {number: suggested(world)[number] for number in new} == {
        number: about(world, number) for number in new
    }
    for number in list(suggested(world))[:10]:
        world.label_studio.label(number, "art" if number % 2 else None)
    assert world.round().trained
    assert world.trainer.plans[-1].task.labels == ("art", *LABELS)
    assert world.state.label_changes == {}


def test_label_that_vanished_is_said_with_its_likely_name(trained, caplog):
    """Nothing is renamed by itself; the other labels are still suggested."""
    caplog.set_level(logging.WARNING)
    world = trained
    lost = of(world, "food")
    world.label_studio.extra_params |= {"retrain_after_labels": lost}
    first = edited(world, "sport", "music", "cuisine")

    assert (first.action, first.changed, world.trainer.trainings) == (Action.PUBLISH, 0, 1)
    assert world.state.due_at is None
    assert set(suggested(world).values()) == {"sport", "music"}
    assert world.state.label_changes == {
        "added": ["cuisine"],
        "vanished": {"food": {"answers": lost, "perhaps": "cuisine"}},
    }
    assert f"'food' ({lost} answers) is no label of the interface any more" in caplog.text
    assert world.state.unused["unknown label 'food'"]["answers"] == lost

    decision = edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})
    assert (decision.action, decision.changed) == (Action.PUBLISH, 0)
    assert "cuisine" in suggested(world).values()


def test_rename_that_is_undone(trained):
    """The label has its first name again: so have answers and suggestions, whatever was told."""
    world = trained
    version, before = world.shown, suggested(world)
    edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})
    decision = edited(world, *LABELS)

    assert decision.action is Action.PUBLISH
    assert (world.shown, suggested(world)) == (version, before)
    assert world.state.label_changes == {
        "no_effect": [f"'food' is still a label of the interface, change it there first; "
                      f"labels: {list(LABELS)}",
                      f"'cuisine' is no label of the interface; labels: {list(LABELS)}"]
    }  # fmt: skip
    assert world.state.unused == {}


def test_labels_in_another_order_change_nothing(trained):
    """Neither the order nor the model; before, this led to a training."""
    world = trained
    version, before = world.shown, suggested(world)
    decision = edited(world, *LABELS[::-1])

    assert (decision.action, world.trainer.trainings) == (Action.NOTHING, 1)
    assert (world.shown, suggested(world)) == (version, before)
    new = world.label_studio.add_tasks(3)
    world.round()
    assert {n: suggested(world)[n] for n in new} == {n: about(world, n) for n in new}


def test_killed_between_storing_and_switching(trained):
    """The next round goes on: the order is published once, and the model stays active."""
    world, old = trained, trained.shown

    def killed(what: str) -> None:
        if what == "switch":
            raise KeyboardInterrupt

    world.label_studio.before = killed
    with pytest.raises(KeyboardInterrupt):
        edited(world, "sport", "music", "cuisine", rename={"food": "cuisine"})
    assert world.shown == old
    world.label_studio.before = lambda _: None
    world.round()

    assert world.shown.startswith(f"{old}.")
    assert "cuisine" in suggested(world).values()
    assert world.versions.current() == old


@pytest.mark.parametrize("choice", ["single", "multiple"])
def test_trained_weights_are_read_in_other_labels(
    choice, redis, tmp_path, tiny_encoder, float32, monkeypatch
):
    """A real model: orders and /predict agree; no merger makes a suggestion less sure."""
    world = World(home=tmp_path / "home", redis=redis, encoder=str(tiny_encoder))
    story = Story(world, tiny=True)
    world.label_studio.extra_params = OPTIONS | {"relabel_share": 0.0}
    world.label_studio.edit(label_config=config(*LABELS).replace("single", choice))
    story.add_tasks(40)
    story.round()
    story.label_next(16)
    story.round()
    waiting = sorted(suggested(world))
    before = {n: story.predict(range(n, n + 1))[0] for n in waiting[:6]}

    trainings = world.versions.versions()
    world.label_studio.edit(label_config=config("sport", "arts").replace("single", choice))
    world.label_studio.extra_params |= {"rename": {"music": "arts", "food": "arts"}}
    story.round()
    rows = world.label_studio.predictions[world.shown]
    assert world.versions.versions() == trainings
    for number, former in before.items():
        (answer,) = story.predict(range(number, number + 1))
        assert answer["model_version"] == world.shown != former["model_version"]
        for found, shown in zip(answer["result"], rows[number].result, strict=True):
            assert found | {"score": 0} == dict(shown) | {"score": 0}
            assert found["score"] == pytest.approx(shown["score"], abs=1e-4)  # vectors of 16 bits
        chosen = [label for one in answer["result"] for label in one["value"]["choices"]]
        assert set(chosen) <= {"sport", "arts"}
        if choice == "single":  # sport keeps its probability, the other two add theirs up
            assert answer["result"][0]["score"] >= former["result"][0]["score"] - 1e-6
