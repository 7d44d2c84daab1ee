"""A look at a project: news, thresholds, and input that cannot be read."""

from __future__ import annotations

import pytest

from tests.fakes import CONFIG
from xlt.errors import ConfigError
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.rounds.decide import Action


def test_second_round_without_news_does_nothing(world):
    """A round that finds nothing new writes nothing to Label Studio."""
    world.label_studio.add_tasks(30)
    world.round()
    world.label_studio.calls.clear()

    assert world.round().action is Action.NOTHING
    assert {"publish", "switch", "prune"}.isdisjoint(world.label_studio.calls)


def test_too_few_new_labels_wait(world):
    """Labels below the threshold are counted and cause no training."""
    world.trained()
    world.label_studio.label_next(4)

    assert world.round().action is Action.NOTHING
    assert world.state.changed == 4
    assert world.state.needed == 6
    assert world.trainer.trainings == 1


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


def test_project_without_tasks(world):
    """Nothing to do is not an error."""
    assert world.round().action is Action.NOTHING


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


def test_names_in_options_that_no_task_has_are_told(world, caplog):
    """In the state and in the log; they are no error, because tasks may come later."""
    world.label_studio.extra_params = {"source_languages": ["en", "zulu"], "group_field": "key"}
    world.label_studio.add_tasks(6)
    world.round()
    languages, field = world.state.unanswered
    assert "source_languages: no task is in 'zulu'; tasks are in " in languages
    assert "group_field: no task has 'key'" in field
    assert languages in caplog.text
    assert world.state.last_error == ""

    for task in world.label_studio.stored.values():
        task["data"] |= {"lang": "zu", "key": "a"}
    world.label_studio.extra_params = {"source_languages": ["zulu"], "group_field": "key"}
    world.round()
    assert world.state.unanswered == []


def test_a_macrolanguage_is_the_source_when_all_its_texts_are_labelled(world, monkeypatch):
    """Dialects do not become sources when the last task in the source is done."""
    from xlt_backend.rounds import order

    seen = []
    real = order.select
    monkeypatch.setattr(order, "select", lambda pool, options, rng: (
        seen.append(options.source_languages), real(pool, options, rng))[1])  # fmt: skip
    world.label_studio.extra_params = {"source_languages": ["ar"]}
    world.label_studio.add_tasks(30)
    for number, task in enumerate(world.label_studio.stored.values()):
        task["data"]["lang"] = "arb" if number < 10 else "arz"
    for number in list(world.label_studio.stored)[:10]:
        world.label_studio.label(number, "food")
    world.round()
    assert seen == [("ar",)]
