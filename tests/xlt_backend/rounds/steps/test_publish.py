"""Published orders: their places, their ledger, and the switch to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xlt_backend.errors import PublishError, RedisDownError, UnreachableError
from xlt_backend.rounds.decide import Action
from xlt_backend.rounds.ledger import LEDGER, Ledger


def test_first_order_is_made_without_a_model(world):
    """Before there are labels the pool is put in order, and nothing is suggested."""
    world.label_studio.add_tasks(30)
    decision = world.round()

    assert decision.action is Action.START
    assert world.shown.startswith("start-")
    world.assert_consistent()
    rows = world.label_studio.predictions[world.shown].values()
    assert all(row.result == [] for row in rows)
    assert world.versions.current() is None


def test_suggestions_are_the_models_labels_with_their_confidence(world):
    """A published prediction has a label of the interface and a confidence in (0, 1]."""
    world.trained()
    for number, row in world.label_studio.predictions[world.shown].items():
        if world.label_studio.stored[number]["is_labeled"]:
            continue
        (region,) = row.result
        assert region["value"]["choices"][0] in ("sport", "music", "food")
        assert 1 / 3 <= region["score"] <= 1
        assert (region["from_name"], region["to_name"]) == ("topic", "text")


def test_every_order_is_noted_before_it_is_served(world):
    """With the chances of its tasks, in the store: labels find them, also after all of Redis."""
    seen: list[bool] = []

    def look(what: str) -> None:
        if what == "publish":
            ledger = Ledger.from_json(world.versions.note(LEDGER))
            seen.append(any(order.since is None for order in ledger.orders.values()))

    world.label_studio.before = look
    first = world.trained()
    assert seen == [True, True]
    ledger = Ledger.from_json(world.versions.note(LEDGER))
    assert first in ledger.orders
    assert len(ledger.labelled) == 30
    assert all(draw.predicted is None for draw in ledger.labelled.values())

    world.redis.flushall()
    done = {str(n) for n in world.label_studio.label_next(12)}
    world.round()
    found = Ledger.from_json(world.versions.note(LEDGER)).labelled
    assert set(ledger.labelled) | done == set(found)
    assert {found[id].predicted for id in done} <= {"sport", "music", "food"}
    assert world.state.payoff["languages"]["en"]["prequential"]["labels"] >= 1


def test_the_first_orders_draws_are_those_of_the_sampler(world):
    """A language's places are drawn from all its tasks that are left."""
    world.label_studio.add_tasks(60)
    world.round()
    (order,) = Ledger.from_json(world.versions.note(LEDGER)).orders.values()
    assert set(order.draws) == {str(n) for n in range(1, 61)}
    left = [draw.remaining for draw in order.draws.values() if draw.lang == "sw"]
    assert max(left) + sum(n == 1 for n in left) <= 20 + 2
    assert order.since == world.time


def test_a_damaged_ledger_is_begun_anew(world, caplog):
    """What was drawn is forgotten, aloud; the loop goes on."""
    world.trained()
    world.versions.write_note(LEDGER, b"{")
    world.label_studio.label_next(12)
    world.round()
    assert "draws.json is damaged" in caplog.text
    assert Ledger.from_json(world.versions.note(LEDGER)).orders
    world.assert_consistent()


def test_a_project_that_fell_back_is_ordered_at_random(world):
    """Most places are drawn, in all languages as before; it is remembered over restarts."""
    world.trained()
    ledger = Ledger.from_json(world.versions.note(LEDGER))
    world.versions.write_note(LEDGER, replace(ledger, fallen_back=True).to_json())
    world.redis.flushall()
    world.label_studio.label_next(12)
    world.round()
    found = Ledger.from_json(world.versions.note(LEDGER))
    assert found.fallen_back
    draws = [d for d in found.orders[world.shown].draws.values() if d.remaining > 5]
    assert np.mean([draw.propensity < 0.5 for draw in draws]) > 0.7
    assert world.state.payoff["choosing"]["fallen_back"] is True
    assert "drawn at random within each language" in world.state.payoff["choosing"]["words"]


def test_new_tasks_are_put_between_the_others(world):
    """New tasks get a place in the published order; those that have one keep it."""
    world.trained()
    before = {n: row.score for n, row in world.label_studio.predictions[world.shown].items()}
    shown = world.shown
    new = world.label_studio.add_tasks(25)
    decision = world.round()

    assert decision.action is Action.INSERT
    rows = world.label_studio.predictions[shown]
    assert {n: rows[n].score for n in before} == before
    assert set(new) <= set(rows)
    assert world.shown == shown
    world.assert_consistent()
    scored = [plan for plan in world.trainer.plans if plan.mode == "score"]
    assert len(scored) == 1


def test_new_tasks_before_the_first_model_make_a_new_order(world):
    """Without a model the whole pool is put in order again."""
    world.label_studio.add_tasks(10)
    world.round()
    first = world.shown
    world.label_studio.add_tasks(10)
    world.round()

    assert world.shown != first
    assert set(world.label_studio.predictions) == {world.shown}
    world.assert_consistent()


def test_tasks_without_text_are_served_last(world):
    """They are not lost, not suggested for, and named to whoever asks."""
    world.label_studio.add_tasks(20)
    for number, data in ((3, {}), (5, {"text": "$undefined$"}), (7, {"text": "s3://a/b.txt"})):
        world.label_studio.stored[number]["data"] = data
    world.round()

    rows = world.label_studio.predictions[world.shown]
    order = sorted(rows, key=lambda number: rows[number].score)
    assert set(order[-3:]) == {3, 5, 7}
    assert set(world.state.unusable) == {"3", "5", "7"}


@pytest.mark.parametrize("phase", ["publish half", "switch"])
def test_half_published_first_order_is_made_up_for(world, phase):
    """The first order, without a model, survives the same."""
    world.label_studio.add_tasks(30)

    def fail(what: str) -> None:
        if what == phase:
            raise UnreachableError("Label Studio is down")

    world.label_studio.before = fail
    with pytest.raises(UnreachableError):
        world.round()
    assert world.shown == ""
    world.label_studio.before = lambda _: None
    world.round()

    world.assert_consistent()


def test_predictions_that_label_studio_did_not_store_stop_the_switch(world):
    """Where the count is wrong the project goes on showing what it showed."""
    first = world.trained()
    world.label_studio.label_next(12)
    world.label_studio.loses_rows = 7
    with pytest.raises(PublishError):
        world.round()
    assert world.shown == first == world.versions.current()
    assert "7 of" in world.state.last_error

    world.label_studio.loses_rows = 0
    world.round()
    assert world.shown == world.versions.versions()[-1] != first


def test_rolled_back_version_is_shown_and_stays(world):
    """Who rolls a version back sees the one before, and is not overruled by the next round."""
    first = world.trained()
    world.label_studio.label_next(12)
    world.round()
    world.versions.rollback()
    world.round()
    assert world.shown == first
    world.round()

    assert world.shown == first == world.versions.current()
    assert world.trainer.trainings == 2


def test_a_round_without_redis_is_not_explained(world, monkeypatch):
    """The order is published all the same."""

    def down(*args, **kwargs):
        raise RedisDownError("away")

    world.setup()
    monkeypatch.setattr(world.states, "explain", down)
    world.trained()
    assert "place" not in world.service.why("1", "90")
    world.assert_consistent()


def test_texts_without_words_wait_till_the_end(world):
    """They are served after all others of their language, and people are told why."""
    world.label_studio.extra_params = {"audit_share": 0.0}
    world.label_studio.add_tasks(30, langs=("en",))
    world.label_studio.stored[5]["data"]["text"] = "… 5"
    world.round()
    rows = world.label_studio.predictions[world.shown]
    assert max(rows, key=lambda n: rows[n].score) == 5
    assert "comes last: has no letters" in world.service.why("1", "5")["reason"]


def test_suggestions_that_bulk_import_left_out_are_said(world, caplog):
    """In the state and in the log; those of inserted tasks join them, a new order forgets them."""
    world.label_studio.left_out = set(range(1, 200))
    world.label_studio.singly = 3
    world.trained()
    rows = world.label_studio.predictions[world.shown]
    bare = {str(n) for n, task in world.label_studio.stored.items() if not task["is_labeled"]}
    bare -= {str(n) for n, row in rows.items() if row.result}

    assert (world.state.left_out["singly"], world.state.left_out["bare"]) == (3, len(bare))
    assert len(bare) == 87
    assert set(world.state.left_out["tasks"]) == bare
    assert "90 suggestions: 3 were sent one by one, 87 are not shown" in caplog.text
    new = world.label_studio.add_tasks(5)
    world.round()
    assert (world.state.left_out["singly"], world.state.left_out["bare"]) == (6, 89)
    assert {str(n) for n in new} & set(world.state.left_out["tasks"])

    world.label_studio.left_out = set()
    world.label_studio.add_tasks(5)
    world.round()
    assert world.state.left_out["bare"] == 89
    world.label_studio.label_next(12)
    world.round()
    assert world.state.left_out == {}
