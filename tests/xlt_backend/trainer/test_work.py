"""Training on several devices and adapting, in this process."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.builders import save_tiny_encoder
from xlt.data.examples import Example
from xlt.data.jsonl import write_jsonl
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.trainer import folder as files
from xlt_backend.trainer import work
from xlt_backend.trainer.scoring import audited


def test_training_on_several_devices_is_one_training(plan, monkeypatch):
    """As many processes as devices train one model together (here: two without a GPU)."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    said: list[str] = []

    class Silent(work.Speaker):
        """Only remembers."""

        def say(self, phase: str, done: int, total: int, **more: object) -> None:
            """Remembers the phase."""
            said.append(phase)

    measured = work.on_all(plan, Silent(None, lambda: False), processes=2)

    assert measured["steps"] == 4
    assert said.count("save") == 1
    assert (plan / files.MODEL / "model.safetensors").is_file()


def test_a_training_of_the_service_is_tracked(plan, tmp_path):
    """Losses of every step, and the accuracy on the audit labels of each language."""
    spec = files.read_plan(plan)
    given = {"tracker_project": "xlt-1", "tracker_run": "24-labels", "trackers": ["tensorboard"]}
    files.write_plan(plan, replace(spec, tracker_folder=str(tmp_path / "logs"), **given))

    work.run(plan, work.Speaker(None, lambda: False))

    found = EventAccumulator(str(tmp_path / "logs" / "xlt-1" / "24-labels"))
    found.Reload()
    assert [event.step for event in found.Scalars("loss/total")] == [1, 2, 3, 4]
    assert [event.value for event in found.Scalars("labels")] == [24]
    audit, predictions = audited(plan, spec)
    right = [
        suggestion.answer == example.answer
        for example, suggestion in zip(audit, predictions.suggestions, strict=True)
        if example.lang == "sw"
    ]
    [event] = found.Scalars("accuracy/audit/sw")
    assert event.value == pytest.approx(sum(right) / len(right))


def test_one_process_fits_a_frozen_model(plan, monkeypatch):
    """Also with two devices: two would write the same folder."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    spec = files.read_plan(plan)
    config = {"encoder": spec.config["encoder"], "learner": "frozen"}
    files.write_plan(plan, replace(spec, config=config))
    monkeypatch.setattr(work, "on_all", None)

    measured = work.run(plan, work.Speaker(None, lambda: False))["training"]

    assert measured["steps"] == 0


def test_the_process_adapts_an_encoder_and_judges_it(tmp_path, monkeypatch):
    """Tables in other spellings of the languages' codes; the folder loads, the judge answers."""
    from xlt.adapt import options

    quick = partial(options.AdaptOptions, steps=4, bag_steps=4)
    monkeypatch.setattr(options, "AdaptOptions", quick)
    table = tmp_path / "translations.csv"
    rows = [f"the rain {n} falls,ruwan {n} yana,hau_Latn\n" for n in range(40)]
    table.write_text("source,target,lang\n" + "".join(rows) + "x,y,zul\n")
    examples = [
        Example(id=str(n), texts=(f"ruwan {n} yana",), lang="ha", answer=("a", "b")[n % 2])
        for n in range(10)
    ]
    write_jsonl(tmp_path / files.LABELLED, examples)
    encoder = str(save_tiny_encoder(tmp_path / "encoder"))
    plan = files.TrainPlan(
        mode="adapt", task=SingleLabel(labels=("a", "b")), model=encoder,
        adapted=str(tmp_path / "adapted"), source="en", translations=str(table),
    )  # fmt: skip
    files.write_plan(tmp_path, plan)
    found = work.run(tmp_path, work.Speaker(None, lambda: False))["adaptation"]

    report = json.loads((tmp_path / "adapted" / "report.json").read_text())
    assert list(report["languages"]) == ["eng", "hau"]
    assert report["languages"]["hau"]["pairs"] > 30
    assert set(found) == {"adapted", "reason"}

    files.write_plan(tmp_path, replace(plan, translations=None))
    hopeless = work.run(tmp_path, work.Speaker(None, lambda: False))["adaptation"]
    assert hopeless == {"hopeless": True, "reason": "no translations in the project's languages"}
