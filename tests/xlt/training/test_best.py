"""The learner "best" uses fine-tuning only where labels that are left out say that it pays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.xlt.training.test_train import LABELLED, LEARNERS, PAIRS, POOL, TASK
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.errors import DivergedError
from xlt.models.predictor import Predictor
from xlt.tasks.calibration import Calibration
from xlt.tasks.intervals import Interval
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import interpret
from xlt.training.best import LEAST_LEFT_OUT, compare, config_of
from xlt.training.comparison import COMPARISON, Comparison, read_comparison
from xlt.training.result import TrainResult
from xlt.training.train import train

CONFIG = TrainConfig(learner="best", epochs=2.0)
#: 120 examples with a label each.
MANY = [replace(PAIRS[n % 64], id=f"{n}", group=f"{n}") for n in range(120)]


class Learners:
    """Learners that are right on a share of the held-out texts, and note what they are given."""

    def __init__(self, **right: float) -> None:
        self.right = right
        self.seen: dict[str, tuple[set[str], set[str], set[str]]] = {}

    def __call__(
        self,
        labelled: Sequence[Example],
        unlabelled: Sequence[Example],
        config: TrainConfig,
        out: Path,
        held_out: Sequence[Example],
    ) -> TrainResult:
        """The first of the held-out examples are answered right."""
        labels, texts, held = ({e.id for e in part} for part in (labelled, unlabelled, held_out))
        self.seen[config.learner] = (labels, texts, held)
        if self.right[config.learner] < 0:
            raise DivergedError("the loss is not finite at step 3")
        sure = np.arange(len(held_out)) < round(self.right[config.learner] * len(held_out))
        truth = TASK.targets([example.answer for example in held_out])
        values = np.where(sure[:, None], truth, 1 - truth).astype(np.float32)
        scores = Scores(outputs=Outputs(values), vectors=np.zeros((len(held_out), 2), np.float32))
        langs = [example.lang for example in held_out]
        return TrainResult(
            folder=out,
            steps=0,
            resumed_at=0,
            seconds={"frozen": 2.0, "joint": 30.0}[config.learner],
            losses={},
            train_accuracy=1.0,
            precision="fp32",
            held_out=interpret(TASK, scores, langs, Calibration()),
        )


@pytest.mark.parametrize(
    ("frozen", "joint", "chosen"),
    [(0.6, 0.9, "joint"), (0.6, 0.6, "frozen"), (0.6, 0.63, "frozen"), (0.9, 0.5, "frozen")],
)
def test_fine_tuning_must_gain_clearly(frozen: float, joint: float, chosen: str) -> None:
    """Equal or a little better is not worth its time; the words say how much of it."""
    found = compare(MANY, [], TASK, CONFIG, Learners(frozen=frozen, joint=joint))
    assert found.chosen == chosen
    assert (found.labels, found.judged) == (120, 36)
    assert found.gain is not None
    assert found.gain.value == pytest.approx(found.joint - found.frozen)
    assert found.gain.low < found.gain.value < found.gain.high
    assert "15 times the time" in found.words
    assert f"{100 * found.joint:.1f} %" in found.words


def test_labels_left_out_are_in_neither_training() -> None:
    """Nor are their texts without the label; both learners get the same."""
    copies = [replace(example, id=f"copy {example.id}", answer=None) for example in MANY]
    learners = Learners(frozen=0.5, joint=0.5)
    compare(MANY, copies, TASK, CONFIG, learners)
    assert learners.seen["frozen"] == learners.seen["joint"]
    labelled, unlabelled, held = learners.seen["joint"]
    assert labelled | held == {example.id for example in MANY}
    assert not labelled & held
    assert not {f"copy {id}" for id in held} & unlabelled


def test_few_labels_are_not_left_out() -> None:
    """The frozen model is used, and the reason has the numbers; nothing is trained for it."""
    learners = Learners(frozen=0.1, joint=1.0)
    found = compare(MANY[:40], [], TASK, CONFIG, learners)
    assert (found.chosen, found.judged, learners.seen) == ("frozen", 0, {})
    assert "12 of 40 labels can be left out" in found.words
    assert f"{LEAST_LEFT_OUT} are needed" in found.words


def test_fine_tuning_that_diverges_has_lost() -> None:
    """The training goes on with the frozen model; a frozen model that diverges is an error."""
    found = compare(MANY, [], TASK, CONFIG, Learners(frozen=0.5, joint=-1))
    assert found.chosen == "frozen"
    assert "fine-tuning fails: the loss is not finite at step 3" in found.words
    with pytest.raises(DivergedError):
        compare(MANY, [], TASK, CONFIG, Learners(frozen=-1, joint=0.5))


def test_it_is_repeated_with_half_as_many_labels_more() -> None:
    """Or with other settings; until then the last comparison counts."""
    first = compare(MANY[:80], [], TASK, CONFIG, Learners(frozen=0.2, joint=0.9))
    silent = Learners()
    assert compare(MANY[:119], [], TASK, CONFIG, silent, earlier=first) == first
    later = compare(MANY, [], TASK, CONFIG, Learners(frozen=0.9, joint=0.2), earlier=first)
    assert (later.chosen, later.labels) == ("frozen", 120)
    other = replace(CONFIG, epochs=9.0)
    found = compare(MANY[:80], [], TASK, other, Learners(frozen=0.9, joint=0.2), earlier=first)
    assert found.chosen == "frozen"


def test_a_killed_training_does_not_compare_again(tmp_path: Path) -> None:
    """The result is in its folder of work, for the same labels and settings."""
    first = compare(MANY, [], TASK, CONFIG, Learners(frozen=0.2, joint=0.9), work=tmp_path)
    assert compare(MANY, [], TASK, CONFIG, Learners(), work=tmp_path) == first
    again = compare(MANY[:100], [], TASK, CONFIG, Learners(frozen=0.9, joint=0.2), work=tmp_path)
    assert again.chosen == "frozen"


@pytest.mark.parametrize(
    "gain", [None, Interval(value=0.1, low=-0.05, high=0.2)], ids=["none", "some"]
)
def test_it_is_read_as_it_was_written(gain: Interval | None, tmp_path: Path) -> None:
    """With its words for people."""
    found = Comparison(chosen="joint", labels=9, judged=3, gain=gain, note="n", settings="ab")
    found.write(tmp_path)
    assert read_comparison(tmp_path) == found
    assert json.loads((tmp_path / COMPARISON).read_text("utf-8"))["words"] == found.words


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"words": "", "gain": 3, "chosen": "joint", "labels": 3}', "\x00"]
)
def test_a_damaged_one_counts_as_none(text: str, tmp_path: Path) -> None:
    """The learners are compared again."""
    (tmp_path / COMPARISON).write_text(text, "utf-8")
    assert read_comparison(tmp_path) is None
    assert read_comparison(tmp_path / "gone") is None
    assert read_comparison(None) is None


def test_settings_of_the_chosen_learner_keep_what_counts() -> None:
    """A frozen model has no use for settings of the joint loss."""
    given = replace(CONFIG, seed=3, max_length=64, precision="fp32", encoder="/e")
    frozen, joint = config_of("frozen", given), config_of("joint", given)
    assert joint == replace(given, learner="joint")
    for config in (frozen, joint):
        assert (config.seed, config.max_length, config.precision) == (3, 64, "fp32")
        assert config.encoder == "/e"
    assert frozen.learner == "frozen"


def test_the_better_one_learns_from_all_labels(tiny_encoder: Path, tmp_path: Path) -> None:
    """Both are trained by the real learners; the folder has the chosen one and says why."""
    settings = {"encoder": str(tiny_encoder), "precision": "fp32", **LEARNERS["joint"]}
    config = TrainConfig.from_mapping({**settings, "learner": "best"})
    labelled = [replace(e, id=f"{n}", group=f"{n}") for n, e in enumerate(LABELLED * 3)]
    result = train(labelled, POOL, TASK, config, tmp_path / "out")
    found = result.comparison
    assert found is not None
    assert found == read_comparison(tmp_path / "out")
    assert result.measured["comparison"] == found.to_json()
    assert found.judged == round(0.3 * len(labelled))
    assert (result.steps > 0) == (found.chosen == "joint")
    assert Predictor.load(tmp_path / "out").predict(PAIRS).suggestions

    again = train(labelled, POOL, TASK, config, tmp_path / "next", sibling=tmp_path / "out")
    assert again.comparison == found
