"""Hyper-parameters: what is refused, and that a saved configuration is the same one."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.config import Schedule, TrainConfig, decisive
from xlt.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rte": 1}, r"unknown setting 'learning_rte'; known: encoder, learner"),
        ({"seed": -1}, r"seed must be in \[0, "),
        ({"seed": 1.5}, r"seed must be int, got 1.5"),
        ({"seed": True}, r"seed must be int, got True"),
        ({"encoder": 3}, r"encoder must be str, got 3"),
        ({"freeze_embeddings": 1}, r"freeze_embeddings must be bool, got 1"),
        ({"label_smoothing": 1.0}, r"label_smoothing must be in \[0, 0.99\], got 1.0"),
        ({"body_learning_rate": float("nan")}, r"body_learning_rate must be in"),
        ({"precision": "fp16"}, r"precision must be one of auto, fp32, bf16; got 'fp16'"),
        ({"align_loss": "cos"}, r"align_loss must be one of cosine, l2, contrastive"),
        ({"mlm_weight": "0:1,1000"}, r'a weight is a number or "step:value,step:value"'),
        ({"mlm_weight": "10:1,5:0"}, r"the steps of a weight must be >= 0 and rise"),
        ({"mlm_weight": -0.5}, r"a weight must be finite and >= 0"),
        ({"tlm_weight": "nan"}, r"a weight must be finite and >= 0"),
        ({"align_weight": [1]}, r"align_weight must be str \| float"),
        ({"learner": "frozen", "epochs": 9, "max_steps": 5}, r"^epochs, max_steps: the learner "),
    ],
)
def test_bad_setting_is_refused_with_what_was_seen_and_expected(settings, message):
    """A setting that is unknown, mistyped or out of range never becomes a default."""
    with pytest.raises(ConfigError, match=message):
        TrainConfig.from_mapping(settings)


def test_settings_lie_on_top_of_a_base():
    """Only what is named changes; an integer will do where a float is meant."""
    base = TrainConfig(seed=7, epochs=2.0)

    config = TrainConfig.from_mapping({"epochs": 5, "mlm_weight": 0.5}, base=base)

    assert (config.seed, config.epochs, config.mlm_weight) == (7, 5.0, 0.5)


def test_toml_gives_the_same_configuration_back(tmp_path):
    """What is saved beside a model is what it was trained with, quotes and all."""
    config = TrainConfig(encoder='a "b" \\ \n\tç', mlm_weight="0:1,1000:0.1", epochs=2.5, seed=3)
    path = tmp_path / "config.toml"
    path.write_text(config.to_toml(), encoding="utf-8")

    assert TrainConfig.from_toml(path) == config


def test_a_frozen_model_saves_only_what_counts(tmp_path):
    """So that its folder loads after a default of the other learner changes."""
    config = TrainConfig(learner="frozen", seed=3, max_length=64)
    path = tmp_path / "config.toml"
    path.write_text(config.to_toml(), encoding="utf-8")

    assert TrainConfig.from_toml(path) == config
    assert "epochs" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [None, "seed = ", b"\xff\xfe"], ids=["absent", "cut", "binary"])
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path, content):
    """A missing or broken TOML file names itself."""
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=r"config\.toml"):
        TrainConfig.from_toml(path)


def test_schedule_follows_its_points():
    """Straight between points, constant before the first and after the last."""
    schedule = Schedule.parse("10:1,20:0,30:2")

    assert [schedule.at(step) for step in (0, 10, 15, 20, 25, 30, 99)] == [1, 1, 0.5, 0, 1, 2, 2]
    assert Schedule.parse("0.25").at(10**6) == 0.25
    assert Schedule.parse("0:0,5:0").is_zero
    assert not schedule.is_zero


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=5, unique=True), st.integers(0, 2000))
def test_schedule_stays_between_its_lowest_and_highest_value(steps, step):
    """No overshoot, at any step."""
    points = [(s, (s * 37) % 11 / 10) for s in sorted(steps)]
    schedule = Schedule.parse(",".join(f"{s}:{v}" for s, v in points))
    values = [v for _, v in points]

    assert min(values) - 1e-9 <= schedule.at(step) <= max(values) + 1e-9


def test_a_setting_that_came_later_changes_nothing_by_its_default():
    """What was trained before is known again; another value is another training."""
    settings = asdict(TrainConfig())
    assert "learner" not in decisive(settings)
    assert "learner" not in repr(TrainConfig())
    assert decisive(settings | {"learner": "frozen"})["learner"] == "frozen"
    assert decisive(settings).keys() == settings.keys() - {"learner"}


@pytest.mark.parametrize(
    ("settings", "learner"),
    [
        ({}, "frozen"),
        ({"seed": 4, "max_length": 64, "precision": "fp32"}, "frozen"),
        ({"epochs": 5}, "joint"),
        ({"mlm_weight": 0.0}, "joint"),
        ({"learner": "joint"}, "joint"),
    ],
)
def test_auto_is_the_frozen_model_unless_the_joint_loss_is_set_up(settings, learner):
    """A setting that only one learner has asks for that learner."""
    config = TrainConfig.from_mapping(settings).resolved()
    assert config.learner == learner
    assert config.resolved() == config


def test_translations_ask_for_the_joint_loss():
    """Unless the frozen model is asked for by its name."""
    assert TrainConfig().resolved(translations=True).learner == "joint"
    assert TrainConfig(learner="frozen").resolved(translations=True).learner == "frozen"
