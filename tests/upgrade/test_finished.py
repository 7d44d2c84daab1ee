"""A project at rest is read, predicts, and takes new tasks without another training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.same import differences, without_digests
from tests.upgrade.restore import read_keys
from tests.upgrade.site import DATA, never
from tests.xlt_backend.story import predict, train_here
from xlt.data.examples import Example
from xlt.models.predictor import Predictor
from xlt_backend.rounds import ledger, versions
from xlt_backend.rounds.changes import Label
from xlt_backend.rounds.decide import Action
from xlt_backend.trainer.folder import read_plan

MODELS = DATA / "finished" / "models" / "1.1795330494"
V1, V2, V3 = "v0001-20270115T080029", "v0002-20270115T080047", "v0003-20270115T081233"
#: Folder -> version whose predictions its Label Studio holds.
PUBLISHED = {"killed_in_publish": V1, "finished": V2}


@pytest.mark.parametrize(("name", "version"), PUBLISHED.items())
def test_model_of_a_version_predicts_as_before(name, version, restored):
    """Labels and confidences are those that annotators see in Label Studio."""
    site = restored(name)
    tasks = site.world.label_studio.stored
    regions = {n: result[0] for n, _, result in site.rows(version) if result}
    examples = [
        Example(id=str(n), texts=(tasks[n]["data"]["text"],), lang=tasks[n]["data"]["lang"])
        for n in regions
    ]

    predictions = Predictor.load(site.world.versions.open(version)).predict(examples)

    found = [[s.answer, float(s.confidence)] for s in predictions.suggestions]
    expected = [[r["value"]["choices"][0], r["score"]] for r in regions.values()]
    assert len(expected) > 10
    assert differences(expected, found, 1e-3) == []


def test_label_studio_gets_the_same_predictions(restored):
    """/predict answers in Label Studio's format, for tasks without an annotation."""
    site = restored("finished")
    stored = site.world.label_studio.stored
    tasks = [
        {"id": n, "data": task["data"]} for n, task in stored.items() if not task["is_labeled"]
    ]

    found = predict(site.world, tasks)

    assert differences(site.expected["predict"]["results"], found, 1e-3) == []


def test_store_is_read(restored):
    """Versions with their files, the current one, the history and the ledger of draws."""
    site = restored("finished")
    versions = site.world.versions
    history = [json.loads(line) for line in (MODELS / "history.jsonl").read_text().splitlines()]

    assert sorted(versions.versions()) == [V1, V2]
    assert versions.current() == V2
    assert [(c.version, c.action, c.previous, c.reason) for c in versions.history()] == [
        (row["version"], row["action"], row["previous"], row["reason"]) for row in history
    ]
    for version in (V1, V2):
        manifest = json.loads((MODELS / version / "manifest.json").read_text())
        meta = versions.meta(version)
        assert meta.data_hash == manifest["meta"]["data_hash"]
        assert dict(meta.metrics) == manifest["meta"]["metrics"]
        assert versions.open(version).is_dir()  # with all files unchanged


def test_labels_are_read_whose_texts_are_not_known(restored):
    """The former code stored bare answers by task id: they belong to whatever text has the id."""
    site = restored("finished")
    recorded = json.loads((MODELS / V2 / "examples.json").read_text())

    known, damaged = versions.known(site.world.versions, failed_hash="", first_new_at=None)

    assert damaged == []
    assert known.used == {task: Label(answer) for task, answer in recorded.items()}
    for task in site.world.label_studio.stored.values():
        task["data"]["text"] += " edited"
    site.world.trainer = never
    decision = site.world.round()
    assert (decision.action, decision.changed) == (Action.NOTHING, 3)


def test_ledger_is_read(restored):
    """Every order and every labelled draw is kept, with the answer that the model suggested."""
    site = restored("finished")
    recorded = json.loads((MODELS / "draws.json").read_text())

    read = ledger.read(site.world.versions)

    assert read.fallen_back == recorded["fallen_back"]
    assert {v: len(o.draws) for v, o in read.orders.items()} == {
        v: len(o["draws"]) for v, o in recorded["orders"].items()
    }
    rows = {
        task: [d.lang, d.propensity, d.remaining, d.predicted, d.at]
        for task, d in read.labelled.items()
    }
    assert rows == recorded["labelled"]
    assert {row[3] for row in rows.values()} > {None, "music"}


def test_state_is_shown(restored):
    """/status and /status?task= show the accuracy, the labels and the reasons in Redis."""
    site = restored("finished")
    fields = read_keys(site.folder / "redis.json")["xlt:project:1"]["value"]
    status = site.world.service.status("1")

    recorded = {name: json.loads(value) for name, value in fields.items()}
    shown = {name: value for name, value in recorded.items() if name in status}
    assert {"accuracy", "labels", "audit_labels", "doubtful", "payoff", "model"} <= shown.keys()
    assert {name: status[name] for name in shown} == shown
    assert status["accuracy"]["yo"]["correct"] == 3
    reasons = site.expected["why"]
    assert {n: site.world.service.why("1", n) for n in reasons} == {
        n: {"task": n, **reason} for n, reason in reasons.items()
    }
    assert site.world.service.versions() == [V2, V1]


def test_nothing_is_trained_again(restored):
    """The labels are the ones that the version was trained on, but for three new ones."""
    site = restored("finished")
    site.world.trainer = never

    decision = site.world.round()

    assert (decision.action, decision.changed, decision.needed) == (Action.NOTHING, 3, 7)
    assert site.world.versions.current() == site.world.shown == V2


def test_new_tasks_are_inserted_as_before(restored):
    """They get the recorded places between the others, by the version that is shown."""
    site = restored("finished")
    world, plans = site.world, []

    def noted(folder: Path, **how):
        plans.append(read_plan(folder).mode)
        return train_here(folder, **how)

    world.trainer = noted
    before = len(site.rows(V2))
    import_tasks(site)
    site.work()

    assert (world.state.last_round["action"], world.shown, plans) == ("insert", V2, ["score"])
    assert differences(site.expected["inserted"], site.rows(V2)[before:], 1e-3) == []
    noted_draws = json.loads(world.versions.note(ledger.LEDGER) or b"{}")
    assert differences(site.expected["draws"], without_digests(noted_draws), 1e-3) == []


def test_next_version_is_trained_and_measured_as_before(restored):
    """Drawn and predicted by the former code, labelled since: what choosing pays counts both."""
    site = restored("finished")
    world = site.world
    import_tasks(site)
    site.work()

    world.time += 700
    world.service.tick()  # a few labels are due by time
    site.work()

    assert world.state.last_round["action"] == "publish"
    assert world.versions.current() == world.shown == V3
    assert site.differences(site.expected["next"], V3) == []


def import_tasks(site) -> None:
    """Adds tasks to Label Studio, which sends an event."""
    new = site.expected["new_tasks"]
    site.world.label_studio.stored |= {task["id"]: task for task in new}
    site.world.event("TASKS_CREATED", tasks=[{"id": task["id"]} for task in new])
