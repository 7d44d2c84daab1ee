"""Trainings: their occasions, their labels, and models that are kept back."""

from __future__ import annotations

import pytest

from tests.fakes import CONFIG
from xlt.data.examples import Example
from xlt.data.jsonl import read_jsonl
from xlt.errors import CorruptVersionError, DivergedError
from xlt.sampling.audit import is_audit
from xlt.store.versions import Store
from xlt_backend.rounds.decide import Action
from xlt_backend.service.rows import row_of


def test_audit_labels_never_train(world):
    """Labels of audit tasks judge the model and are not given to it."""
    seen: list[set[str]] = []

    def look(plan) -> None:
        (folder,) = (world.home / "work" / world.label_studio.info.key).glob("train-*")
        from xlt_backend.trainer.folder import AUDIT, LABELLED

        seen.append({e.id for e in read_jsonl(folder / LABELLED)})
        seen.append({e.id for e in read_jsonl(folder / AUDIT)})

    world.trainer.before = lambda plan: look(plan) if plan.mode == "train" else None
    world.trained()

    train, audit = seen
    assert train
    assert audit
    assert not train & audit
    assert sum(world.state.labels.values()) == len(train)
    assert sum(world.state.audit_labels.values()) == len(audit)


@pytest.mark.parametrize("only", [True, False])
def test_labels_that_only_audit_tasks_have_are_said(world, only):
    """The draw of audit tasks stays as it is; the round's reason names what cannot be learned."""
    world.label_studio.add_tasks(120)
    world.round()
    for number in range(1, 61):
        key = Example(id=str(number), texts=("x",)).group_key
        judges = is_audit(key, share=0.2, salt=world.label_studio.info.key)
        rare = judges or (number % 5 == 0 and not only)
        world.label_studio.label(number, "food" if rare else ("sport", "music")[number % 2])
    decision = world.round()

    said = "labels that it cannot learn, because only audit tasks have them: 'food'"
    assert decision.trained
    assert (said in decision.reason) == only
    assert (said in world.state.last_round["reason"]) == only


def test_new_labels_make_the_next_version(world):
    """Enough new labels cause a new version; the old predictions go after the switch."""
    first = world.trained()
    world.label_studio.label_next(12)
    world.round()

    assert world.shown != first
    assert set(world.label_studio.predictions) == {world.shown}
    assert world.versions.versions() == (first, world.shown)
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


def test_another_encoder_has_vectors_of_its_own(world):
    """What the one before made of the texts is not mixed with what it makes of them."""
    world.trained()
    trained_on = len(world.trainer.plans)
    world.label_studio.extra_params |= {"train": {"encoder": "another"}}
    world.label_studio.label_next(12)
    world.round()
    embedded = [plan for plan in world.trainer.plans[trained_on:] if plan.mode == "embed"]
    assert [plan.config["encoder"] for plan in embedded] == ["another"]


def test_another_kind_of_task_retrains(world):
    """Labels that no longer exclude one another: predictions of before are not published again."""
    world.trained()
    old = world.shown
    world.label_studio.edit(label_config=CONFIG.replace("single", "multiple"))
    world.round()

    assert world.shown != old
    assert world.trainer.trainings == 2
    assert world.trainer.plans[-1].task.kind == "multi_label"


def test_edited_labels_without_enough_of_them_start_anew(world):
    """Where hardly any label is one of the new ones, the pool is ordered without a model."""
    world.trained()
    config = CONFIG.replace("sport", "a").replace("music", "b").replace("food", "c")
    world.label_studio.edit(label_config=config)
    world.round()

    assert world.shown.startswith("start-")
    assert world.trainer.trainings == 1


def test_everything_labelled(world):
    """When no task waits the model is still made, and nothing breaks."""
    world.label_studio.add_tasks(40)
    for number in world.label_studio.stored:
        world.label_studio.label(number)
    decision = world.round()

    assert decision.action is Action.PUBLISH
    assert world.versions.current() is not None
    assert world.round().action is Action.NOTHING


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


def test_a_version_has_a_card_that_tells_how_it_was_judged(world):
    """README.md of a version: its languages, audit accuracy, judgement and reason of the round."""
    world.trainer.skill = 1.0
    first = world.trained()
    world.label_studio.label_next(60)
    world.trainer.skill = 0.0
    world.round()
    second = world.versions.versions()[-1]

    cards = [(world.versions.open(v) / "README.md").read_text("utf-8") for v in (first, second)]
    for version, card in zip((first, second), cards, strict=True):
        meta = world.versions.meta(version)
        for lang, number in meta.label_counts.items():
            n = dict(meta.metrics["audit"]).get(lang, {"n": 0})["n"]
            assert f"| {lang} | {number} | {n} |" in card
        assert "Judged by audit labels." in card
        assert f"| reason of the training | {meta.details['reason']}" in card
        assert "| encoder | bundled, not trained further |" in card
        assert "| trained | 2027-01-15, with xlt" in card
    assert "| good enough to become the active version; " in cards[0]
    assert "| kept back; worse than the active version: " in cards[1]


def test_the_card_of_a_fine_tuned_model_says_so(world):
    """The project's option reaches the training, the version's facts and its card."""
    world.label_studio.extra_params |= {"train": {"learner": "joint"}}
    version = world.trained()

    card = (world.versions.open(version) / "README.md").read_text("utf-8")
    assert "| encoder | bundled, fine-tuned |" in card
    assert world.versions.meta(version).details["config"]["learner"] == "joint"


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


def test_the_choice_of_a_learner_is_told(world, caplog):
    """In the log, in /status, in the model's card and in the list of versions."""
    words = "fine-tuning is used: fine-tuning has 80.0 % on 40 labels left out"
    world.trainer.comparison = {"chosen": "joint", "words": words}
    with caplog.at_level("INFO"):
        version = world.trained()

    assert words in caplog.text
    assert world.state.last_round["learner"] == words
    card = (world.versions.open(version) / "README.md").read_text("utf-8")
    assert f"| choice of the learner | {words} |" in card
    assert ", fine-tuned" in card
    found = row_of(world.versions, version, version, [])
    assert found.trained.startswith("joint, chosen by comparison")
