"""The loop's use cases: a round from snapshot to switch, events, and every way to fail."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis import Redis

from tests.fakes import CONFIG, LABELS, FakeLabelStudio, FakeRight, FakeTrainer
from xlt.data.examples import Example, TaskSpec
from xlt.errors import (
    CancelledError,
    ConfigError,
    CorruptVersionError,
    DataError,
    DivergedError,
    EncoderError,
    StoreError,
    XltError,
)
from xlt.store.versions import ProjectStore, Store
from xlt_backend.errors import (
    PublishError,
    RedisDownError,
    TrainerError,
    UnreachableError,
    UnsupportedConfigError,
)
from xlt_backend.labelstudio.wire import SetupRequest, WebhookEvent
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import ProjectState, StateStore
from xlt_backend.rounds import payoff as worth
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.rounds.ledger import LEDGER, Ledger
from xlt_backend.rounds.ports import Tools
from xlt_backend.rounds.round import Round
from xlt_backend.rounds.snapshot import in_audit
from xlt_backend.service.events import Service
from xlt_backend.settings import Settings
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.bench import Bench
from xlt_backend.worker.reconcile import reconcile


@dataclass
class World:
    """Everything around one project."""

    home: Path
    redis: Redis
    label_studio: FakeLabelStudio = field(default_factory=FakeLabelStudio)
    trainer: FakeTrainer = field(default_factory=FakeTrainer)
    right: FakeRight = field(default_factory=FakeRight)
    time: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        self.settings = Settings(home=self.home)
        self.states = StateStore(self.redis)
        self.queue = TrainQueue(self.redis)
        self.store = Store(
            self.settings.model_dir, now=lambda: datetime.fromtimestamp(self.time, UTC)
        )
        self.service = Service(
            states=self.states, queue=self.queue, store=self.store, now=lambda: self.time
        )
        self.label_studio.extra_params = {"retrain_after_labels": 10, "audit_share": 0.2}

    def round(self) -> Decision:
        """Runs one round; a second passes."""
        self.time += 1
        tools = Tools(
            label_studio=self.label_studio,
            store=self.store,
            states=self.states,
            settings=self.settings,
            trainer=self.trainer,
            identify=lambda texts: [("und", 0.0) for _ in texts],
            now=lambda: self.time,
        )
        return Round("1", self.right, tools).run()

    @property
    def versions(self) -> ProjectStore:
        """The project's models."""
        return self.store.project(self.label_studio.info.key)

    @property
    def state(self) -> ProjectState:
        """What Redis says."""
        return self.states.get("1")

    @property
    def shown(self) -> str:
        """What Label Studio shows."""
        return self.label_studio.info.model_version

    def event(self, action: str, **fields: Any) -> str:
        """Posts an event; what became of it."""
        body = {"action": action, "project": {"id": 1, "title": "Topics"}, **fields}
        return self.service.hear(WebhookEvent.model_validate(body)).status

    def setup(self, **fields: Any) -> str:
        """Posts /setup."""
        body = {"project": self.label_studio.info.key, "schema": CONFIG} | fields
        return self.service.setup(SetupRequest.model_validate(body))

    def trained(self) -> str:
        """Brings the project to its first model; its version."""
        self.label_studio.add_tasks(120)
        self.round()
        self.label_studio.label_next(30)
        self.round()
        assert self.versions.current() == self.shown
        return self.shown

    def assert_consistent(self) -> None:
        """What Label Studio shows is whole: every waiting task has one place of its own."""
        waiting = {n for n, task in self.label_studio.stored.items() if not task["is_labeled"]}
        rows = self.label_studio.predictions[self.shown]
        assert waiting <= set(rows)
        scores = [rows[number].score for number in waiting]
        assert len(set(scores)) == len(scores)
        assert all(0 < score < 1 for score in scores)
        if not self.shown.startswith("start-"):
            assert self.versions.current() == self.shown


@pytest.fixture
def world(tmp_path, redis) -> World:
    """A project without tasks."""
    return World(home=tmp_path / "home", redis=redis)


# The loop ---------------------------------------------------------------------------------------


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


def test_second_round_without_news_does_nothing(world):
    """A round that finds nothing new writes nothing to Label Studio."""
    world.label_studio.add_tasks(30)
    world.round()
    world.label_studio.calls.clear()

    assert world.round().action is Action.NOTHING
    assert {"publish", "switch", "prune"}.isdisjoint(world.label_studio.calls)


def test_enough_labels_make_a_model(world):
    """The first model is trained, published, switched to and promoted, in this order."""
    world.label_studio.add_tasks(120)
    world.round()
    world.label_studio.label_next(30)
    promoted_at_switch: list[object] = []
    world.label_studio.before = lambda what: (
        promoted_at_switch.append(world.versions.current()) if what == "switch" else None
    )
    decision = world.round()

    assert decision.action is Action.PUBLISH
    assert promoted_at_switch == [None]
    assert world.versions.current() == world.shown == decision.version
    assert set(world.label_studio.predictions) == {world.shown}
    world.assert_consistent()


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


def test_audit_labels_never_train(world):
    """Labels of audit tasks judge the model and are not given to it."""
    seen: list[set[str]] = []

    def look(plan) -> None:
        (folder,) = (world.home / "work" / world.label_studio.info.key).glob("train-*")
        from xlt_backend.trainer.folder import AUDIT, LABELLED, read_examples

        seen.append({e.id for e in read_examples(folder / LABELLED)})
        seen.append({e.id for e in read_examples(folder / AUDIT)})

    world.trainer.before = lambda plan: look(plan) if plan.mode == "train" else None
    world.trained()

    train, audit = seen
    assert train
    assert audit
    assert not train & audit
    assert sum(world.state.labels.values()) == len(train)
    assert sum(world.state.audit_labels.values()) == len(audit)


def test_too_few_new_labels_wait(world):
    """Labels below the threshold are counted and cause no training."""
    world.trained()
    world.label_studio.label_next(4)

    assert world.round().action is Action.NOTHING
    assert world.state.changed == 4
    assert world.state.needed == 6
    assert world.trainer.trainings == 1


def test_new_labels_make_the_next_version(world):
    """Enough new labels cause a new version; the old predictions go after the switch."""
    first = world.trained()
    world.label_studio.label_next(12)
    world.round()

    assert world.shown != first
    assert set(world.label_studio.predictions) == {world.shown}
    assert world.versions.versions() == (first, world.shown)
    world.assert_consistent()


def test_time_makes_a_training_due(world):
    """A few labels are trained on after a while, counted from the first of them."""
    first = world.trained()
    world.label_studio.label_next(2)
    world.round()
    assert world.state.due_at == pytest.approx(world.time + 600)
    world.time += 601
    world.service.tick()

    assert world.queue.status("1") == "waiting"
    world.round()
    assert world.shown != first


def test_changed_and_deleted_labels_count_as_new(world):
    """A label that was corrected or taken back is news as much as one that was added."""
    world.trained()
    labelled = [n for n, task in world.label_studio.stored.items() if task["is_labeled"]]
    for number in labelled[:5]:
        said = world.label_studio.stored[number]["data"]["text"].split()[0]
        world.label_studio.label(number, "food" if said != "food" else "music")
    for number in labelled[5:12]:
        world.label_studio.unlabel(number)
    world.round()

    assert world.trainer.trainings == 2
    world.assert_consistent()


def test_order_to_train_ignores_thresholds(world):
    """Whoever presses the button gets a training with what there is, once."""
    world.setup()
    world.trained()
    world.label_studio.label_next(1)
    world.event("START_TRAINING")
    world.round()
    assert world.trainer.trainings == 2

    world.round()
    assert world.trainer.trainings == 2


def test_order_to_train_without_news_trains_nothing(world):
    """The same labels give the same model: an order to train on them is answered without."""
    world.setup()
    world.trained()
    world.event("START_TRAINING")
    world.round()

    assert world.trainer.trainings == 1


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

    monkeypatch.setattr(worth, "measure", fail)
    world.trained()
    assert world.versions.current() == world.shown
    assert world.state.payoff == {}
    assert world.state.last_error == ""
    assert "what labels are worth: the encoder is gone" in caplog.text


def test_another_encoder_has_vectors_of_its_own(world):
    """What the one before made of the texts is not mixed with what it makes of them."""
    world.trained()
    trained_on = len(world.trainer.plans)
    world.label_studio.extra_params |= {"train": {"encoder": "another"}}
    world.label_studio.label_next(12)
    world.round()
    embedded = [plan for plan in world.trainer.plans[trained_on:] if plan.mode == "embed"]
    assert [plan.config["encoder"] for plan in embedded] == ["another"]


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


def test_edited_labels_retrain(world):
    """Other labels make another task: predictions of the old ones are not published again."""
    world.trained()
    old = world.shown
    config = CONFIG.replace('<Choice value="food"/>', '<Choice value="food"/><Choice value="art"/>')
    world.label_studio.edit(label_config=config)
    world.round()

    assert world.shown != old
    assert world.trainer.trainings == 2
    assert world.trainer.plans[-1].spec.labels == ("sport", "music", "food", "art")


def test_edited_labels_without_enough_of_them_start_anew(world):
    """Where hardly any label is one of the new ones, the pool is ordered without a model."""
    world.trained()
    config = CONFIG.replace("sport", "a").replace("music", "b").replace("food", "c")
    world.label_studio.edit(label_config=config)
    world.round()

    assert world.shown.startswith("start-")
    assert world.trainer.trainings == 1


def test_project_without_tasks(world):
    """Nothing to do is not an error."""
    assert world.round().action is Action.NOTHING


def test_everything_labelled(world):
    """When no task waits the model is still made, and nothing breaks."""
    world.label_studio.add_tasks(40)
    for number in world.label_studio.stored:
        world.label_studio.label(number)
    decision = world.round()

    assert decision.action is Action.PUBLISH
    assert world.versions.current() is not None
    assert world.round().action is Action.NOTHING


# A model that is not better ---------------------------------------------------------------------


def test_worse_model_is_kept_back(world):
    """A model that audit labels show to be worse is saved with the reason and never shown."""
    world.trainer.skill = 1.0
    first = world.trained()
    world.label_studio.label_next(60)
    world.trainer.skill = 0.0
    world.round()

    assert world.shown == first == world.versions.current()
    second = world.versions.versions()[-1]
    assert second != first
    change = world.versions.history()[-1]
    assert (change.action, change.version) == ("refused", second)
    assert "worse" in change.reason
    assert "worse" in world.state.last_round["reason"]


def test_worse_model_is_not_trained_again(world):
    """The same labels are not tried again; more labels are."""
    world.trainer.skill = 1.0
    world.trained()
    world.label_studio.label_next(60)
    world.trainer.skill = 0.0
    world.round()
    world.round()
    assert world.trainer.trainings == 2

    world.trainer.skill = 1.0
    world.label_studio.label_next(12)
    world.round()
    assert world.trainer.trainings == 3
    assert world.shown == world.versions.versions()[-1]


def test_diverged_training_is_reported_and_not_repeated(world):
    """It shows nothing, says why, and waits for other labels."""
    world.label_studio.add_tasks(120)
    world.round()
    world.label_studio.label_next(30)

    def diverge(plan) -> None:
        raise DivergedError("one class is predicted for everything")

    world.trainer.before = lambda plan: diverge(plan) if plan.mode == "train" else None
    with pytest.raises(DivergedError):
        world.round()
    assert "one class" in world.state.last_error
    assert world.shown.startswith("start-")

    assert world.round().action is Action.NOTHING
    assert world.trainer.trainings == 1
    world.trainer.before = lambda plan: None
    world.label_studio.label_next(1)
    world.round()
    assert world.versions.current() == world.shown
    assert world.state.last_error == ""


# Interrupted ------------------------------------------------------------------------------------

PHASES = [
    "project", "activity", "tasks", "scores", "versions", "publish", "publish half", "switch",
    "prune",
]  # fmt: skip


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("error", [UnreachableError("Label Studio is down"), KeyboardInterrupt()])
def test_round_that_ends_in_any_request_is_made_up_for(world, phase, error):
    """Label Studio down, or the worker gone, at any request: the next round repairs it.

    What is shown is whole at every moment, and nothing is trained twice.
    """
    first = world.trained()
    world.label_studio.label_next(12)

    def fail(what: str) -> None:
        if what == phase:
            raise error

    world.label_studio.before = fail
    with pytest.raises(type(error)):
        world.round()
    assert world.shown in (first, world.versions.versions()[-1])
    if world.shown == first or phase == "prune":
        world.assert_consistent()
    if isinstance(error, XltError):
        assert "Label Studio is down" in world.state.last_error

    world.label_studio.before = lambda _: None
    world.round()
    assert world.trainer.trainings == 2
    assert world.shown == world.versions.versions()[-1] != first
    world.assert_consistent()
    world.round()
    assert set(world.label_studio.predictions) == {world.shown}
    assert world.state.last_error == ""


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


def test_killed_between_saving_and_publishing_with_news_meanwhile(world):
    """A version that was saved is published even where labels arrived since."""
    world.trained()
    world.label_studio.label_next(12)

    def fail(what: str) -> None:
        if what == "publish":
            raise UnreachableError("Label Studio is down")

    world.label_studio.before = fail
    with pytest.raises(UnreachableError):
        world.round()
    world.label_studio.before = lambda _: None
    world.label_studio.label_next(3)
    world.round()

    assert world.trainer.trainings == 2
    assert world.shown == world.versions.versions()[-1]
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


def test_training_process_that_dies_shows_nothing_new(world):
    """Its last words are kept, the model in use stays in use, and it is tried again."""
    first = world.trained()
    world.label_studio.label_next(12)

    def die(plan) -> None:
        raise TrainerError("the training process ended with killed by SIGKILL")

    world.trainer.before = die
    with pytest.raises(TrainerError):
        world.round()
    assert world.shown == first
    assert "SIGKILL" in world.state.last_error

    world.trainer.before = lambda plan: None
    world.round()
    assert world.shown != first


def test_encoder_that_does_not_exist(world):
    """The message names it; Label Studio keeps what it has."""
    world.label_studio.add_tasks(20)

    def missing(plan) -> None:
        raise EncoderError("no encoder 'xlm-rubbish'")

    world.trainer.before = missing
    with pytest.raises(EncoderError):
        world.round()

    assert "xlm-rubbish" in world.state.last_error
    assert world.state.phase == "failed in score"


def test_full_disk_keeps_the_active_version(world, monkeypatch):
    """A version that cannot be written is not there; the loop goes on when there is room."""
    first = world.trained()
    world.label_studio.label_next(12)

    def full(*_: object, **__: object) -> str:
        raise StoreError("cannot write v0002: no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(ProjectStore, "commit", full)
        with pytest.raises(StoreError):
            world.round()
    assert world.versions.versions() == (first,)
    assert world.shown == first
    assert "no space left" in world.state.last_error

    world.round()
    assert world.shown != first


def test_corrupt_version_is_replaced(world):
    """A damaged active version is not used; a new one is trained from the same labels."""
    first = world.trained()
    folder = world.versions.open(first)
    (folder / "model.txt").write_text("damaged")
    world.store = Store(world.settings.model_dir)
    with pytest.raises(CorruptVersionError):
        world.versions.open(first)
    world.label_studio.add_tasks(5)
    world.round()

    assert world.shown != first
    assert world.trainer.trainings == 2
    world.assert_consistent()
    assert first in world.state.last_error


def test_lost_scores_are_computed_again(world):
    """The cache on the worker's disk may be emptied at any time."""
    world.trained()
    shutil.rmtree(world.home / "work")
    world.label_studio.add_tasks(5)
    world.round()

    world.assert_consistent()


def test_flushed_redis_is_rebuilt(world):
    """Everything in Redis can be had again from Label Studio and the store."""
    world.setup()
    world.trained()
    before = world.state
    world.redis.flushall()
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()

    after = world.state
    assert world.trainer.trainings == 1
    for name in ("key", "label_config", "extra_params", "shown", "model", "labels", "accuracy"):
        assert getattr(after, name) == getattr(before, name), name


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


def test_round_that_was_taken_over_writes_nothing(world):
    """A worker that lost its lease does not touch Label Studio any more."""
    first = world.trained()
    world.label_studio.label_next(12)
    world.trainer.before = lambda plan: setattr(world.right, "lost", True)
    world.label_studio.calls.clear()
    with pytest.raises(CancelledError):
        world.round()

    assert {"publish", "switch"}.isdisjoint(world.label_studio.calls)
    assert world.shown == first


def test_cancelled_round_is_no_error(world):
    """Somebody who stops a round is not told that something went wrong."""
    world.trained()
    world.label_studio.label_next(12)
    world.trainer.before = lambda plan: setattr(world.right, "stop", True)
    with pytest.raises(CancelledError):
        world.round()

    assert world.state.phase == "cancelled"
    assert world.state.last_error == ""


def test_redis_that_goes_away_during_a_round_does_not_stop_it(world, monkeypatch):
    """What cannot be reported is not reported; Label Studio gets its predictions."""
    world.label_studio.add_tasks(30)
    real = StateStore.put

    def gone(self, project, **values):
        from xlt_backend.errors import RedisDownError

        if world.label_studio.calls:
            raise RedisDownError("Redis does not answer")
        real(self, project, **values)

    monkeypatch.setattr(StateStore, "put", gone)
    world.round()

    world.assert_consistent()


# Bad input --------------------------------------------------------------------------------------


def test_unsupported_interface_is_named_and_setup_still_answers(world):
    """The message says what is supported; /setup answers as ever."""
    config = CONFIG.replace("<Text", "<Image").replace("$text", "$image")
    world.label_studio.edit(label_config=config)
    world.label_studio.add_tasks(5)
    assert world.setup(schema=config) == ""
    assert "supported: one label per text" in world.state.config_error
    with pytest.raises(UnsupportedConfigError):
        world.round()

    assert "supported: one label per text" in world.state.last_error


def test_bad_options_are_named(world):
    """An unknown option is refused with the known ones, and nothing else happens."""
    world.label_studio.extra_params = {"retrain_afer_labels": 3}
    world.label_studio.add_tasks(5)
    with pytest.raises(ConfigError, match="retrain_after_labels"):
        world.round()

    assert "retrain_afer_labels" in world.state.last_error


def test_unknown_labels_are_left_out(world):
    """A label that the interface does not have trains nothing and breaks nothing."""
    world.label_studio.add_tasks(60)
    world.round()
    world.label_studio.label_next(30)
    world.label_studio.label(world.label_studio.next_task(), "no such label")
    world.round()

    assert sum(world.state.labels.values()) + sum(world.state.audit_labels.values()) == 30


# Events -----------------------------------------------------------------------------------------


def test_setup_answers_the_version_that_is_shown(world):
    """/setup says which version the project's predictions have."""
    assert world.setup() == ""
    version = world.trained()

    assert world.setup() == version


def test_setup_of_a_new_project_asks_for_its_first_order(world):
    """Connecting is enough: the pool is put in order."""
    world.setup()

    assert world.queue.status("1") == "waiting"


def test_setup_without_redis_answers_from_memory_and_store(world, tmp_path):
    """Label Studio's label stream does not stop because Redis is away."""
    version = world.trained()
    gone = Redis(unix_socket_path=str(tmp_path / "none"), retry=None)
    service = Service(states=StateStore(gone), queue=TrainQueue(gone), store=world.store)
    request = SetupRequest.model_validate({"project": world.label_studio.info.key, "schema": ""})

    assert service.setup(request) == version


def test_setup_without_redis_knows_what_was_promoted_since_it_was_asked_last(world, monkeypatch):
    """Its memory may be of the order without a model that was shown then."""
    world.label_studio.add_tasks(120)
    world.round()
    order = world.setup()
    assert order == world.shown
    world.time += 100
    world.label_studio.label_next(30)
    world.round()
    version = world.shown

    def away(self, project, *names):
        raise RedisDownError("Redis does not answer")

    for name in ("get", "some"):
        monkeypatch.setattr(StateStore, name, away)
    assert world.setup() == version != order


def test_setup_of_another_project_with_the_same_id_drops_the_state(world):
    """A new Label Studio counts from 1 again: it does not get the old one's models."""
    world.trained()
    world.setup()

    assert world.setup(project="1.1999999999") == ""
    assert world.state.model == ""


def test_labels_are_counted_until_there_are_enough(world):
    """An event below the threshold is counted; the one that reaches it asks."""
    world.setup()
    world.trained()
    for number in range(1, 10):
        answer = world.event(
            "ANNOTATION_CREATED", annotation={"id": number}, task={"id": 500 + number}
        )
        assert answer == f"ok: {number} of 10 new labels"
    world.redis.delete("xlt:waiting:1")
    answer = world.event("ANNOTATION_CREATED", annotation={"id": 10}, task={"id": 510})

    assert answer == "ok: a round was asked for"


def test_the_same_event_a_hundred_times_counts_once(world):
    """Events may come twice."""
    world.setup()
    world.trained()
    answers = {
        world.event("ANNOTATION_CREATED", annotation={"id": 1}, task={"id": 501})
        for _ in range(100)
    }

    assert answers == {"ok: 1 of 10 new labels"}


def test_skips_are_no_labels(world):
    """A skipped task teaches nothing."""
    world.setup()
    answer = world.event(
        "ANNOTATION_CREATED", annotation={"id": 1, "was_cancelled": True}, task={"id": 501}
    )

    assert answer == "ok: skipped"


@pytest.mark.parametrize(
    ("action", "fields", "answer"),
    [
        ("START_TRAINING", {}, "ok: a round"),
        ("TASKS_CREATED", {"tasks": [{"id": 1}]}, "ok: a round"),
        ("PROJECT_UPDATED", {}, "ok: the labelling interface is as before"),
        ("TASKS_DELETED", {"tasks": [{"id": 1}]}, "ignored: nothing to do"),
        ("LABEL_LINK_CREATED", {}, "ignored: nothing to do"),
    ],
)
def test_events(world, action, fields, answer):
    """Each event has an answer that says what became of it."""
    world.setup()

    assert world.event(action, **fields).startswith(answer)


def test_deleted_annotations_are_news(world):
    """They come without their tasks and still count."""
    world.setup()
    world.trained()
    annotations = [{"id": number} for number in range(10)]
    world.redis.delete("xlt:waiting:1")

    assert world.event("ANNOTATIONS_DELETED", annotations=annotations).startswith("ok: a round")


def test_event_of_an_unknown_project_is_ignored_with_words(world):
    """It is accepted, and the answer says why nothing happens."""
    assert "project 1 is not connected" in world.event("START_TRAINING")
    assert world.queue.projects() == ()


def test_lost_events_are_found_again(world):
    """Labels whose webhooks never came are found by comparing, once."""
    world.setup()
    first = world.trained()
    world.label_studio.label_next(12)

    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert world.shown != first
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
    assert world.label_studio.webhooks == 2


def test_old_predictions_are_deleted_once_it_is_quiet(world):
    """A round that had to leave some behind is followed by one that deletes them, no sooner."""
    world.setup()
    world.label_studio.is_quiet = False
    world.trained()
    old = set(world.label_studio.predictions) - {world.shown}
    assert world.state.leftovers == len(old) > 0

    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
    world.label_studio.is_quiet = True
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert set(world.label_studio.predictions) == {world.shown}
    assert world.state.leftovers == 0
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()


# The encoder's adaptation -----------------------------------------------------------------------


@pytest.fixture
def translated(world, tmp_path) -> World:
    """A project with a model of 60 labels, and an installation with translations."""
    table = tmp_path / "translations.csv"
    table.write_text("source,target,lang\n")
    world.settings = replace(world.settings, translations=table)
    world.setup()
    world.trained()
    world.label_studio.label_next(40)
    world.round()
    return world


def adaptations(world: World) -> int:
    """How often the training process was told to adapt."""
    return sum(plan.mode == "adapt" for plan in world.trainer.plans)


def encoder(world: World) -> str:
    """What the active model started from."""
    meta = world.versions.meta(world.versions.current())
    return str(meta.details["config"]["encoder"])


def reconciled(world: World) -> tuple[str, ...]:
    """What the reconciler asks for."""
    return reconcile(world.label_studio, world.states, world.queue, world.service)


def test_the_encoder_is_adapted_in_a_quiet_hour_and_used_where_labels_say_so(translated):
    """Labels come first; then one adaptation, and one training that starts from it."""
    world = translated
    assert (adaptations(world), world.state.adaptation_due) == (0, True)
    world.label_studio.is_quiet = False
    assert reconciled(world) == ()
    world.round()
    assert adaptations(world) == 0

    world.label_studio.is_quiet = True
    assert reconciled(world) == ("1",)
    world.round()
    assert (adaptations(world), world.state.adaptation_due) == (1, False)
    assert world.state.adaptation == "9 texts gained, 1 lost"
    assert world.states.is_due("1")  # to train again
    assert encoder(world) == "bundled"
    world.round()
    assert encoder(world).endswith(world.trainer.plans[-1].config["encoder"])
    assert "adapted-" in encoder(world)
    assert not world.states.is_due("1")
    assert reconciled(world) == ()
    world.assert_consistent()


def test_an_adaptation_that_labels_do_not_choose_is_not_used(translated):
    """The model stays; half as many labels again decide anew."""
    world = translated
    world.trainer.adaptation = {"adapted": False, "reason": "no clear gain"}
    world.round()
    assert (encoder(world), world.state.adaptation) == ("bundled", "no clear gain")
    assert not world.states.is_due("1")
    world.round()
    assert adaptations(world) == 1

    world.label_studio.label_next(40)
    world.trainer.adaptation = {"adapted": True, "reason": "now it is"}
    world.round()  # trains
    world.round()
    assert (adaptations(world), world.state.adaptation) == (2, "now it is")


def test_other_work_interrupts_an_adaptation(translated):
    """Nobody waits for it; it goes on when it is quiet again."""
    world = translated

    def label_meanwhile(plan):
        world.right.others = plan.mode == "adapt"

    world.trainer.before = label_meanwhile
    assert world.round().action is Action.NOTHING
    assert (world.state.phase, world.state.adaptation_due) == ("done", True)
    world.trainer.before, world.right.others = lambda _: None, False
    world.round()
    assert world.state.adaptation_due is False


def test_a_round_that_must_end_ends_an_adaptation_too(translated):
    """Whoever cancels means all of it."""
    translated.trainer.before = lambda plan: setattr(translated.right, "stop", True)
    with pytest.raises(CancelledError):
        translated.round()


@pytest.mark.parametrize("failure", [{"hopeless": True, "reason": "no translations in sw"}, None])
def test_an_adaptation_that_cannot_be_made_is_told_once(translated, failure):
    """Not tried again before texts, languages or tables are others; labels go on training."""
    world = translated

    def fail(plan):
        if plan.mode == "adapt":
            raise DataError("translations.csv must have columns source, target and lang")

    if failure is None:
        world.trainer.before = fail
    else:
        world.trainer.adaptation = failure
    world.round()
    world.round()
    assert adaptations(world) == 1
    assert world.state.adaptation in ("no translations in sw", fail_words())
    assert world.state.last_error == ""

    with open(world.settings.translations, "a", encoding="utf-8") as file:
        file.write("rain,mvua,sw\n")
    world.round()
    assert adaptations(world) == 2


def fail_words() -> str:
    """What the table's reader says."""
    return "translations.csv must have columns source, target and lang"


def test_nothing_is_adapted_without_translations(world):
    """Monolingual text alone does not help."""
    world.setup()
    world.trained()
    world.round()
    assert (adaptations(world), world.state.adaptation_due) == (0, False)


def test_an_adapted_encoder_that_is_gone_is_done_without(translated):
    """Its folder may be emptied at any time: training starts from the installation's encoder."""
    world = translated
    world.round()
    world.round()
    assert "adapted-" in encoder(world)
    shutil.rmtree(world.settings.home / "work")
    world.label_studio.label_next(12)
    world.round()
    assert encoder(world) == "bundled"


def test_project_that_cannot_be_looked_at_holds_back_no_other(world):
    """Its state says why."""
    world.setup()

    def fail(what: str) -> None:
        if what == "webhook":
            raise UnreachableError("Label Studio is down")

    world.label_studio.before = fail
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
    assert "Label Studio is down" in world.state.last_error


def test_project_under_another_address_is_looked_after_too(world):
    """Somebody added us by hand, under a name of this machine that we do not know."""
    world.setup(extra_params={"retrain_after_labels": 5})
    world.label_studio.extra_params = None
    world.label_studio.connected = list
    world.trained()
    world.label_studio.label_next(6)

    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert world.trainer.trainings == 2


def test_deleted_project_is_forgotten_by_reconciling(world):
    """It is not asked about again."""
    world.setup()
    world.label_studio.edit(id=2)

    reconcile(world.label_studio, world.states, world.queue, world.service)
    assert "1" not in world.states.projects()


def test_label_studio_that_answers_again_ends_the_pause(world):
    """After an outage nobody waits for the rest of a long pause."""
    world.setup()
    ticket = world.queue.ask("1")
    world.queue.begin("1", ticket.job_id).finish(ok=False)
    assert world.queue.status("1") == "held"

    reconcile(world.label_studio, world.states, world.queue, world.service)
    assert world.queue.status("1") == "waiting"


def test_status_says_what_people_want_to_know(world):
    """Labels and accuracy per language, the job, the last round, the last error."""
    world.setup()
    world.trained()
    status = world.service.status("1")

    assert status["shown"] == status["model"] == world.shown
    assert set(status["labels"]) == {"en", "sw", "yo"}
    assert status["phase"] == "done"
    assert status["last_error"] == ""
    assert status["last_round"]["peak_rss_bytes"] == 10**9
    assert all(0 <= score["accuracy"] <= 1 for score in status["accuracy"].values())
    assert "label_config" not in status


def test_status_says_why_a_task_stands_where_it_stands(world):
    """Its language's quota, what the sampler saw in it, and what is labelled next to it."""
    world.setup()
    world.trained()
    version = world.shown
    tasks = world.label_studio.stored
    labelled = {str(n) for n, task in tasks.items() if task["is_labeled"]}
    said = {n: world.service.why("1", str(n)) for n in tasks if str(n) not in labelled}

    assert sorted(why["place"] for why in said.values()) == list(range(1, 91))
    first = min(said.values(), key=lambda why: why["place"])
    assert first["version"] == version
    assert first["of"] == 90
    assert re.match(r"(en|sw|yo) gets \d+ of 50: ", first["reason"])
    chosen = [why for why in said.values() if why["slot"] == "quota"]
    assert all("margin of the text itself" in why["reason"] for why in chosen)
    assert all(len(why["neighbours"]) == 3 for why in chosen)
    assert {id for why in chosen for id in why["neighbours"]} <= labelled


def test_status_forgets_an_old_order_and_adds_to_a_current_one(world):
    """A task that is labelled in the next round has no place any more; a new one has."""
    world.setup()
    world.trained()
    [new] = world.label_studio.add_tasks(1)
    world.round()
    assert world.service.why("1", str(new))["version"] == world.shown
    done = world.label_studio.label_next(10)
    world.round()
    assert all("place" not in world.service.why("1", str(id)) for id in done)
    assert world.service.why("1", "nothing")["reason"].startswith("not explained")


def test_a_round_without_redis_is_not_explained(world, monkeypatch):
    """The order is published all the same."""

    def down(*args, **kwargs):
        raise RedisDownError("away")

    world.setup()
    monkeypatch.setattr(world.states, "explain", down)
    world.trained()
    assert "place" not in world.service.why("1", "90")
    world.assert_consistent()


# What source labels are worth --------------------------------------------------------------------


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


# Labels to look at again ------------------------------------------------------------------------


def other_than(text: str) -> str:
    """A wrong label."""
    return next(label for label in LABELS if label != text.split()[0])


def labelled_with_errors(world, *, count=60, wrong=6, people=1) -> set[int]:
    """A project with a first model, some of its labels wrong; their tasks. Nothing is audited."""
    world.label_studio.extra_params |= {"audit_share": 0.0}
    world.trainer.telling = 6.0
    world.trainer.skill = 1.0
    world.label_studio.add_tasks(120)
    world.round()
    bad = set()
    for number in range(count):
        task = world.label_studio.next_task()
        text = world.label_studio.stored[task]["data"]["text"]
        bad |= {task} if number < wrong else set()
        label = other_than(text) if number < wrong else None
        world.label_studio.label(task, label, completed_by=1 + number % people)
    world.round()
    return bad


def test_doubtful_labels_are_listed_for_people(world):
    """The wrong ones first, in /status and in a tab; nothing goes back into the queue."""
    world.setup()
    bad = labelled_with_errors(world)
    status = world.service.status("1")
    listed = [int(item["task"]) for item in status["doubtful"]]

    assert len(listed) == 50
    assert set(listed[:6]) == bad
    assert world.label_studio.tabs["Labels to check"] == listed
    scores = world.label_studio.predictions[world.shown]
    assert [scores[task].score for task in listed] == sorted(scores[task].score for task in listed)
    assert not any(scores[task].result for task in listed)
    assert "a model that has not seen this label" in status["doubtful"][0]["reason"]
    assert (
        world.service.why("1", str(listed[0])) == {"task": str(listed[0])} | status["doubtful"][0]
    )
    assert status["annotators"]["1"]["answers"] == 60
    assert all(world.label_studio.stored[task]["is_labeled"] for task in listed)
    world.assert_consistent()


def test_an_order_does_not_wait_for_labels_that_cannot_be_checked(world, caplog):
    """The encoder that labels are doubted by fails: the model is published all the same."""
    world.setup()
    first = world.trained()
    for vectors in (world.settings.home / "work").rglob("scores-start-*.npz"):
        vectors.unlink()

    def fail(plan):
        if plan.mode == "embed":
            raise EncoderError("cannot load the encoder")

    world.trainer.before = fail
    world.label_studio.label_next(12)
    world.round()
    assert "labels are not looked at: cannot load the encoder" in caplog.text
    assert "transfer is not measured: cannot load the encoder" in caplog.text
    assert world.shown != first
    assert world.state.last_error == ""
    world.assert_consistent()


def test_doubtful_labels_are_asked_for_again_where_that_is_wanted(world):
    """Tasks go back into the queue, at their place, without a suggestion, for somebody else."""
    world.setup()
    world.label_studio.extra_params |= {"relabel_share": 0.08}
    bad = labelled_with_errors(world, people=2)
    tasks = world.label_studio.stored
    reopened = {n for n, task in tasks.items() if "overlap" in task}

    assert len(reopened) == 4  # of a batch of 50
    assert reopened <= bad
    assert not any(tasks[task]["is_labeled"] for task in reopened)
    world.assert_consistent()
    assert world.round().action is Action.NOTHING
    for task in [n for n in tasks if not tasks[n]["is_labeled"] and n not in reopened][:10]:
        world.label_studio.label(task, completed_by=2)
    world.round()
    assert world.trainer.trainings == 2
    world.assert_consistent()
    for task in reopened:
        why = world.service.why("1", str(task))
        assert why["slot"] == "relabel"
        assert why["reason"].startswith("has an answer already: labelled ")
        assert not world.label_studio.predictions[world.shown][task].result
    assert reopened == {n for n, task in tasks.items() if "overlap" in task}
    [one, *_] = reopened
    world.label_studio.label(one, completed_by=3)
    assert tasks[one]["is_labeled"]


def test_nobody_is_asked_again_for_their_own_answer(world):
    """With one annotator Label Studio would show the task to nobody."""
    world.setup()
    world.label_studio.extra_params |= {"relabel_share": 0.5}
    labelled_with_errors(world, people=1)

    assert not any("overlap" in task for task in world.label_studio.stored.values())


def test_a_task_on_which_people_disagree_is_doubted_and_does_not_train(world):
    """Two answers that differ: no label, but a place in the list."""
    world.setup()
    labelled_with_errors(world, wrong=0, people=2)
    task = next(n for n, task in world.label_studio.stored.items() if task["is_labeled"])
    text = world.label_studio.stored[task]["data"]["text"]
    world.label_studio.stored[task]["overlap"] = 2
    world.label_studio.label(task, other_than(text), completed_by=7)
    world.label_studio.label_next(10)
    world.round()
    [found] = [item for item in world.state.doubtful if item["task"] == str(task)]

    assert sorted(found["answers"].values()) == sorted([text.split()[0], other_than(text)])
    assert found["expected"] == text.split()[0]
    assert "annotators disagree" in found["reason"]
    assert world.state.doubtful.index(found) < 10


def test_started_tasks_of_projects_with_overlap_have_a_place(world):
    """Before the first model behind the new ones, after it by the doubt of their answer."""
    world.setup()
    tasks = world.label_studio.stored
    for task in world.label_studio.add_tasks(60):
        tasks[task]["overlap"] = 2
    world.label_studio.label(1)
    world.round()
    rows = world.label_studio.predictions[world.shown]
    assert max(rows, key=lambda n: rows[n].score) == 1
    assert world.service.why("1", "1")["slot"] == "relabel"
    for task in range(2, 32):
        world.label_studio.label(task)
    world.round()
    assert world.versions.current() == world.shown
    rows = world.label_studio.predictions[world.shown]
    assert set(rows) == set(tasks)
    assert all(rows[task].result for task in rows)  # an ordinary second answer gets a suggestion
    assert not world.state.doubtful  # none is finished
    world.assert_consistent()


def test_vectors_of_the_base_encoder_are_not_mixed_with_those_of_another(world, tmp_path):
    """An adapted encoder reads all texts anew; both are remembered."""
    seen = []

    def run(folder):
        seen.append(files.read_plan(folder).config["encoder"])
        return world.trainer(
            folder, timeout_s=1, on_progress=lambda _: None, should_stop=lambda: False
        )

    examples = [Example(id=str(n), text=f"sport en {n}") for n in range(3)]
    for encoder in ("bundled", "adapted", "bundled"):
        bench = Bench(
            folder=tmp_path / "bench",
            spec=TaskSpec(labels=LABELS),
            config={"encoder": encoder},
            threads=1,
            nice=0,
            run=run,
        )
        bench.scores(None, None, examples)
    assert seen == ["bundled", "adapted"]


def test_texts_without_words_wait_till_the_end(world):
    """They are served after all others of their language, and people are told why."""
    world.label_studio.extra_params = {"audit_share": 0.0}
    world.label_studio.add_tasks(30, langs=("en",))
    world.label_studio.stored[5]["data"]["text"] = "… 5"
    world.round()
    rows = world.label_studio.predictions[world.shown]
    assert max(rows, key=lambda n: rows[n].score) == 5
    assert "comes last: has no letters" in world.service.why("1", "5")["reason"]


def test_audit_labels_are_not_looked_at_again(world):
    """Mending them where a model disagrees would make models look better than they are."""
    world.setup()
    labelled_with_errors(world, wrong=12)
    assert len(world.state.doubtful) == 50
    world.label_studio.extra_params |= {"audit_share": 0.5, "relabel_share": 0.5}
    for task in world.label_studio.stored.values():
        if task["is_labeled"] and task["id"] % 2:
            task["annotations"][0]["completed_by"] = 2
    world.label_studio.label_next(10)
    world.round()
    options = ProjectOptions.from_extra_params(world.label_studio.extra_params)
    key = world.label_studio.info.key

    def judges(task: int) -> bool:
        return in_audit(Example(id=str(task), text="x"), options, key)

    assert world.state.doubtful
    assert not any(judges(int(item["task"])) for item in world.state.doubtful)
    again = [n for n, task in world.label_studio.stored.items() if "overlap" in task]
    assert again
    assert not any(judges(task) for task in again)
