"""Trackers hold the losses, measurements and accuracies of a training, and never end one."""

from __future__ import annotations

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.xlt.training.test_train import LABELLED, TASK
from xlt.config import TrainConfig
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import interpret
from xlt.training.result import Progress
from xlt.training.tracking import Trackers, tracked


def scalars(folder) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard itself reads: steps and values by name."""
    events = EventAccumulator(str(folder))
    events.Reload()
    names = events.Tags()["scalars"]
    return {n: [(e.step, pytest.approx(e.value)) for e in events.Scalars(n)] for n in names}


def step(number: int, loss: float) -> Progress:
    """One step of four."""
    return Progress(phase="train", step=number, steps=4, losses={"total": loss})


def test_tensorboard_reads_losses_measurements_and_accuracy(tmp_path):
    """Each at the last step that there was; a phase without losses is no step."""
    truth = TASK.targets([example.answer for example in LABELLED])
    import numpy as np

    scores = Scores(
        outputs=Outputs(truth.astype(np.float32)),
        vectors=np.zeros((len(LABELLED), 2), np.float32),
    )
    langs = [example.lang for example in LABELLED]
    predictions = interpret(TASK, scores, langs, Calibration())
    with tracked(
        ["tensorboard"], project="p", run="r", folder=tmp_path, config=TrainConfig()
    ) as trackers:
        trackers.progress(Progress(phase="load", step=0, steps=4))
        for number, loss in ((1, 2.0), (2, 1.5)):
            trackers.progress(step(number, loss))
        trackers.result({"seconds": 3.5, "train_accuracy": 0.75, "precision": "fp32"}, labels=40)
        trackers.judged("audit", TASK, LABELLED, predictions)

    found = scalars(tmp_path / "p" / "r")
    assert found.pop("loss/total") == [(1, 2.0), (2, 1.5)]
    assert found.pop("labels") == [(2, 40.0)]
    assert found.pop("seconds") == [(2, 3.5)]
    assert found.pop("accuracy/training") == [(2, 0.75)]
    assert {name: value for name, [(_, value)] in found.items()} == {
        f"accuracy/audit/{lang}": 1.0 for lang in dict.fromkeys(langs)
    }
    assert not trackers.failed


class Broken:
    """A tracker whose server is gone after some calls."""

    name = "broken"

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.logged: list[int] = []

    def log(self, values: object, step: int) -> None:
        """Fails when all calls are used."""
        if self.calls == 0:
            raise ConnectionError("no route to host")
        self.calls -= 1
        self.logged.append(step)


def test_a_tracker_that_fails_is_dropped_with_one_warning(caplog):
    """The others get every step."""
    gone, well = Broken(1), Broken(99)
    trackers = Trackers(running=[gone, well])  # type: ignore[list-item]
    for number in (1, 2, 3):
        trackers.progress(step(number, 1.0))
    assert (gone.logged, well.logged) == ([1], [1, 2, 3])
    assert trackers.failed == {"broken": "ConnectionError: no route to host"}
    assert len(caplog.records) == 1


def test_steps_of_trainings_that_follow_one_another_never_go_back():
    """As when learners are compared, and then the better one learns from all labels."""
    well = Broken(99)
    trackers = Trackers(running=[well])  # type: ignore[list-item]
    for number in (1, 2, 3, 1, 2, 3, 4):
        trackers.progress(step(number, 1.0))
    assert well.logged == [1, 2, 3, 4, 5, 6, 7]


def test_without_trackers_nothing_is_written(tmp_path):
    """Not even a folder."""
    with tracked([], project="p", run="r", folder=tmp_path / "t", config=TrainConfig()) as trackers:
        trackers.progress(step(1, 1.0))
    assert list(tmp_path.iterdir()) == []
