"""A finished training is never thrown away: its place is checked first, and it is kept at last."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.xlt.training.test_loop import LABELLED, POOL, TASK
from xlt.config import TrainConfig
from xlt.errors import StoreError
from xlt.models.predictor import Predictor
from xlt.training.result import Progress
from xlt.training.train import train


@pytest.fixture
def config(tiny_encoder: Path) -> TrainConfig:
    """Settings for one step."""
    return TrainConfig(encoder=str(tiny_encoder), max_steps=1, body_learning_rate=1e-4)


def somebody_makes(folder: Path) -> None:
    """A folder of others, with a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theirs").write_text("kept")


@pytest.mark.parametrize("place", ["out", "work"])
def test_a_place_that_is_taken_is_refused_before_anything_is_loaded(place, config, tmp_path):
    """Not even the encoder is looked for; progress says nothing."""
    somebody_makes(tmp_path / "out") if place == "out" else (tmp_path / "work").touch()
    said: list[Progress] = []
    with pytest.raises(StoreError, match=place):
        train(
            LABELLED,
            POOL,
            TASK,
            TrainConfig(encoder="no-encoder"),
            tmp_path / "out",
            work=tmp_path / "work",
            progress=said.append,
        )
    assert said == []


def test_a_model_whose_place_is_taken_meanwhile_is_kept(config, tmp_path):
    """The message names a complete model; the other folder is untouched."""
    out = tmp_path / "deep" / "out"

    def progress(at: Progress) -> None:
        if at.phase == "save":
            somebody_makes(out)

    with pytest.raises(StoreError, match="the finished folder is kept as") as error:
        train(LABELLED, POOL, TASK, config, out, held_out=LABELLED[:2], progress=progress)

    [kept] = [path for path in out.parent.iterdir() if path != out]
    assert str(error.value).endswith(str(kept))
    assert len(Predictor.load(kept).predict(LABELLED).suggestions) == len(LABELLED)
    assert [path.name for path in out.iterdir()] == ["theirs"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left"), RuntimeError("bug")])
def test_a_model_that_is_not_complete_is_not_kept(failure, config, tmp_path, monkeypatch):
    """Half a model helps nobody: nothing is left beside its place."""
    import xlt.training.finish

    def write_card(*args: object, **kwargs: object) -> None:
        raise failure

    monkeypatch.setattr(xlt.training.finish, "write_card", write_card)
    with pytest.raises(StoreError if isinstance(failure, OSError) else RuntimeError):
        train(LABELLED, POOL, TASK, config, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["empty", "link", "."])
def test_an_empty_folder_is_filled(name, config, tmp_path, monkeypatch):
    """By its name, by a link to it, or as the current folder."""
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "link").symlink_to(empty)
    monkeypatch.chdir(empty if name == "." else tmp_path)
    train(LABELLED, POOL, TASK, config, Path(name))
    monkeypatch.chdir(tmp_path)
    assert Predictor.load(empty).task == TASK
    shutil.rmtree(empty)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]
