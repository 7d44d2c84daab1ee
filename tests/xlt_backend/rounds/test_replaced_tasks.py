"""A task is its id and its text: another text under an old id is another task."""

from __future__ import annotations

import json

import pytest

from tests.xlt_backend.world import World, other_than
from xlt_backend.rounds import ledger
from xlt_backend.rounds.changes import in_words
from xlt_backend.rounds.decide import Action
from xlt_backend.rounds.review import TAB


def labelled(world: World) -> list[int]:
    """Ids of labelled tasks."""
    return [n for n, task in world.label_studio.stored.items() if task["is_labeled"]]


def waiting(world: World) -> list[int]:
    """Ids of the others."""
    return [n for n, task in world.label_studio.stored.items() if not task["is_labeled"]]


def drawn(world: World) -> ledger.Ledger:
    """What the store knows of draws."""
    return ledger.read(world.versions)


def test_labels_of_other_texts_count_as_changes(world):
    """Ten tasks are deleted and their ids given away: the same labels make a training due."""
    world.trained()
    for number in labelled(world)[:10]:
        label = world.label_studio.stored[number]["data"]["text"].split()[0]
        world.label_studio.replace_task(number, f"{label} new {number}")
        world.label_studio.label(number)

    decision = world.round()

    assert (decision.changed, decision.trained) == (10, True)
    assert len(decision.changes.replaced) == 10
    assert "10 labels of other texts than before under the same ids" in decision.reason
    assert (world.state.changed, world.state.changes) == (0, {})


def test_edited_labels_are_said(world):
    """Below the threshold of a training, the project's state tells what changed."""
    world.trained()
    one, two, three, four, *_ = labelled(world)
    world.label_studio.edit_text(one, f"food edited {one}")
    world.label_studio.unlabel(two)
    text = world.label_studio.stored[three]["data"]["text"]
    world.label_studio.label(three, other_than(text))
    del world.label_studio.stored[four]

    world.round()

    assert in_words(world.state.changes) == (
        "1 corrected label, 1 label of other texts than before under the same ids, 2 labels gone"
    )
    assert world.state.changes["replaced"] == {"labels": 1, "tasks": [str(one)]}
    assert world.state.changed == 4


def test_draw_of_the_old_task_is_not_kept(world):
    """Neither a label's draw nor that of a place in the queue passes to another text."""
    world.trained()
    done = labelled(world)
    [next_one] = world.label_studio.label_next(1)
    for number in (*done[:5], next_one):
        world.label_studio.replace_task(number, f"food new {number}")
        world.label_studio.label(number)
    before = drawn(world).labelled
    world.label_studio.label_next(4)
    world.round()

    assert {str(n) for n in done[:5]} <= before.keys()
    after = drawn(world).labelled
    assert not {str(n) for n in (*done[:5], next_one)} & after.keys()
    assert {str(n) for n in done[5:]} <= after.keys()


@pytest.mark.parametrize("model", [True, False], ids=["model", "no model"])
@pytest.mark.parametrize("how", ["replaced", "edited"])
def test_new_text_gets_its_own_place_and_suggestion(world, how, model):
    """Under an id that was in the order before; the other tasks keep their places."""
    if model:
        world.trained()
    else:
        world.label_studio.add_tasks(20)
        world.round()
    shown = world.shown
    first, second, *others = waiting(world)
    before = dict(world.label_studio.predictions[shown])
    for number in (first, second):
        change = world.label_studio.replace_task if how == "replaced" else None
        (change or world.label_studio.edit_text)(number, f"food new {100 + number}")

    decision = world.round()

    world.assert_consistent()
    rows = world.label_studio.predictions[world.shown]
    if not model:
        assert decision.action is Action.START
        return
    assert (decision.action, world.shown) == (Action.INSERT, shown)
    assert {n: rows[n] for n in others} == {n: before[n] for n in others}
    assert rows[first] != before[first]
    (region,) = rows[first].result
    assert region["value"]["choices"] == ["food"]
    assert world.round().action is Action.NOTHING


def test_text_that_is_replaced_while_a_round_publishes(world):
    """The prediction of the old text lands on the new task; the next round takes it back."""
    world.trained()
    world.label_studio.label_next(12)
    victim = waiting(world)[0]

    def replace(what: str) -> None:
        if what == "publish":
            world.label_studio.before = lambda _: None
            world.label_studio.replace_task(victim, f"music new {victim}")

    world.label_studio.before = replace
    world.round()
    stale = world.label_studio.predictions[world.shown][victim]
    decision = world.round()

    assert decision.action is Action.INSERT
    assert world.label_studio.predictions[world.shown][victim] != stale
    assert world.round().action is Action.NOTHING


def test_killed_between_taking_back_and_publishing(world):
    """The tasks are without a place then, and get one in the next round."""
    world.trained()
    number = waiting(world)[0]
    world.label_studio.edit_text(number, f"music new {number}")

    def fail(what: str) -> None:
        if what == "publish":
            raise KeyboardInterrupt

    world.label_studio.before = fail
    with pytest.raises(KeyboardInterrupt):
        world.round()
    world.label_studio.before = lambda _: None

    assert world.round().action is Action.INSERT
    world.assert_consistent()


def test_task_whose_text_comes_later(world):
    """Without text it stood last; with one it has a place of its own."""
    world.label_studio.add_tasks(120)
    world.label_studio.stored[100]["data"]["text"] = ""
    world.round()
    world.label_studio.label_next(30)
    world.round()
    world.label_studio.edit_text(100, "music en 100")
    world.round()

    (region,) = world.label_studio.predictions[world.shown][100].result
    assert region["value"]["choices"]
    assert world.state.unusable == {}


def test_suspects_of_other_texts_are_no_longer_listed(world):
    """Neither in the state nor in the tab: nobody is asked to check another task's label."""
    world.trainer.telling = 3.0
    world.label_studio.add_tasks(120)
    world.round()
    wrong = world.label_studio.label_next(40)[::8]
    for number in wrong:
        text = world.label_studio.stored[number]["data"]["text"]
        world.label_studio.label(number, other_than(text))
    world.round()
    listed = [item["task"] for item in world.state.doubtful]
    assert len(listed) > 2
    world.label_studio.replace_task(int(listed[0]), "food new 5")
    world.label_studio.label(int(listed[0]))
    world.label_studio.unlabel(int(listed[1]))
    world.round()

    assert [item["task"] for item in world.state.doubtful] == listed[2:]
    assert world.label_studio.tabs[TAB] == [int(task) for task in listed[2:]]


def test_labels_are_stored_with_their_texts(world):
    """A version says of which texts it knows the labels; a version of the first xlt does not."""
    version = world.trained()
    path = world.versions.open(version) / "examples.json"
    stored = json.loads(path.read_text("utf-8"))

    assert len(stored) == 30
    assert all({"answer", "digest", "audit"} <= set(label) for label in stored.values())
    assert len({label["digest"] for label in stored.values()}) == 30


def test_text_that_trained_a_model_does_not_judge_it(world):
    """Tasks are deleted and imported again in another order: audit tasks have trained texts now."""
    world.trained()
    stored = world.label_studio.stored
    done = labelled(world)
    texts = [stored[n]["data"]["text"] for n in done]
    version = world.versions.open(world.versions.current())
    known = json.loads((version / "examples.json").read_text("utf-8"))
    judges = {id for id, label in known.items() if label["audit"]}
    trained = {stored[int(id)]["data"]["text"] for id in known if id not in judges}
    for number, text in zip(done, texts[7:] + texts[:7], strict=True):
        world.label_studio.replace_task(number, text)
        world.label_studio.label(number)
    seen = sum(stored[int(id)]["data"]["text"] in trained for id in judges)
    assert seen > 0

    decision = world.round()

    assert decision.trained
    left = len(judges) - seen
    expected = f"of {left} audit labels right, before" if left else "no audit labels to judge by"
    assert expected in decision.reason
