"""The loop: it learns, repeats itself exactly, goes on after a kill, and notices failure."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.builders import save_tiny_encoder, stored_as
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.data.jsonl import as_row
from xlt.errors import CancelledError, DataError, DivergedError, EncoderError
from xlt.models.predictor import Predictor
from xlt.tasks.calibration import Calibration
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.loop import learning_rate_share
from xlt.training.train import train

TASK = SingleLabel(labels=("sport", "politics"))
TEXTS = {
    "sport": ["the team won the game", "a good goal", "wasan kwallo", "the ball and the match"],
    "politics": ["a vote in the state", "the party lost", "gwamnati zabe", "tax law and rule"],
}
LABELLED = [
    Example(id=f"{label}{i}", texts=(text,), lang="ha" if i == 2 else "en", answer=label)
    for label, texts in TEXTS.items()
    for i, text in enumerate(texts)
]
POOL = [
    Example(id=f"p{i}", texts=(text,), lang="ha") for i, text in enumerate(["gasa", "doka zabe"])
]
PAIRS = [("the ball game", "wasan kwallo"), ("law", "doka"), ("a vote", "zabe")]


@pytest.fixture
def config(tiny_encoder: Path) -> TrainConfig:
    """Settings that fit eight examples in a second."""
    return TrainConfig(
        encoder=str(tiny_encoder),
        body_learning_rate=5e-3,
        head_learning_rate=5e-3,
        epochs=6.0,
        min_steps=0,
        labelled_rows=4,
        unlabelled_rows=2,
        pair_rows=2,
        mlm_weight="0:0.5,10:0.1",
        checkpoint_every_s=0.0,
    )


@pytest.fixture
def brief(config: TrainConfig) -> TrainConfig:
    """Settings for two gentle steps, for tests of what stands around them."""
    return replace(config, epochs=1.0, body_learning_rate=1e-4, head_learning_rate=1e-4)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a model's folder."""
    return load_file(folder / "model.safetensors")


def assert_same(one: Path, other: Path) -> None:
    """Both folders hold bit-identical weights."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_fits_eight_examples_and_says_so(config, tmp_path):
    """Every label is learned; progress names the phases in order and every part of the loss."""
    seen = []

    result = train(
        LABELLED, POOL, TASK, config, tmp_path / "out", pairs=PAIRS, progress=seen.append
    )

    assert result.train_accuracy == 1.0
    assert result.steps == 12
    phases = [p.phase for p in seen]
    assert list(dict.fromkeys(phases)) == ["load", "probe", "train", "check", "save"]
    steps = [p for p in seen if p.phase == "train"]
    assert [p.step for p in steps] == list(range(1, 13))
    assert set(steps[0].losses) == {"total", "task", "mlm", "tlm", "align"}
    assert all(value > 0 for value in steps[0].losses.values())
    assert len(json.loads((tmp_path / "out" / "losses.json").read_text())) == 12
    found = Predictor.load(tmp_path / "out").predict(LABELLED)
    assert [s.answer for s in found.suggestions] == [e.answer for e in LABELLED]


def test_held_out_examples_calibrate_the_model_and_are_predicted(config, tmp_path):
    """The calibration is in the folder, and the predictions are those that the folder gives."""
    held_out = [
        Example(id="h1", texts=("a good game",), lang="en", answer="sport"),
        Example(id="h2", texts=("state law",), lang="en", answer="politics"),
        Example(id="h3", texts=("zabe",), lang="ha", answer="politics"),
    ]

    result = train(LABELLED, POOL, TASK, config, tmp_path / "out", held_out=held_out)
    again = Predictor.load(tmp_path / "out").predict(held_out)

    found = result.held_out
    np.testing.assert_array_equal(found.scores.outputs.values, again.scores.outputs.values)
    np.testing.assert_array_equal(found.scores.vectors, again.scores.vectors)
    np.testing.assert_array_equal(found.beliefs.values, again.beliefs.values)
    np.testing.assert_array_equal(found.uncertainty, again.uncertainty)
    assert found.suggestions == again.suggestions
    calibration = Calibration.load(tmp_path / "out")
    assert set(calibration.temperatures) == {"eng", "hau"}
    answers, langs = [e.answer for e in held_out], [e.lang for e in held_out]
    assert calibration == TASK.fit(found.scores.outputs, answers, langs)


def test_without_held_out_examples_a_model_is_not_calibrated(brief, tmp_path):
    """No file, temperature 1, no predictions; the weights are those of a calibrated model."""
    plain = train(LABELLED, POOL, TASK, brief, tmp_path / "plain")
    train(LABELLED, POOL, TASK, brief, tmp_path / "judged", held_out=LABELLED[:2])

    assert plain.held_out is None
    assert not (tmp_path / "plain" / "calibration.json").exists()
    assert Predictor.load(tmp_path / "plain").calibration == Calibration()
    assert_same(tmp_path / "plain", tmp_path / "judged")


def test_same_seed_same_weights(config, tmp_path):
    """Two runs agree bit for bit, whatever the caller's generator does; another seed differs."""
    train(LABELLED, POOL, TASK, config, tmp_path / "a")
    torch.rand(7)
    train(LABELLED, POOL, TASK, config, tmp_path / "b")
    train(LABELLED, POOL, TASK, replace(config, seed=14), tmp_path / "c")

    assert_same(tmp_path / "a", tmp_path / "b")
    assert any(
        not torch.equal(value, weights(tmp_path / "c")[name])
        for name, value in weights(tmp_path / "a").items()
    )


def test_callers_generator_is_left_alone(brief, tmp_path):
    """Training draws from a generator of its own."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    train(LABELLED, [], TASK, brief, tmp_path / "out")

    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("averaging", "killed_after"), [("none", 1), ("last", 8), ("ema", 11)])
def test_resumed_training_gives_the_same_weights(config, tmp_path, averaging, killed_after):
    """Stopped anywhere and started again, it ends where an uninterrupted one ends."""
    config = replace(config, averaging=averaging, dropout=0.1)
    train(LABELLED, POOL, TASK, config, tmp_path / "whole")
    done = []

    with pytest.raises(CancelledError, match=f"after step {killed_after} of 12"):
        train(
            LABELLED,
            POOL,
            TASK,
            config,
            tmp_path / "resumed",
            work=tmp_path / "work",
            progress=lambda p: done.append(p.phase == "train"),
            should_stop=lambda: sum(done) >= killed_after,
        )
    result = train(LABELLED, POOL, TASK, config, tmp_path / "resumed", work=tmp_path / "work")

    assert result.resumed_at == killed_after
    assert_same(tmp_path / "whole", tmp_path / "resumed")
    assert len(json.loads((tmp_path / "resumed" / "losses.json").read_text())) == 12
    assert list((tmp_path / "work").iterdir()) == []


def test_a_checkpoint_of_other_labels_is_not_resumed(config, brief, tmp_path):
    """What was trained on other data starts anew; so does a damaged checkpoint."""
    work = tmp_path / "work"
    calls = iter([False] * 3 + [True] * 9)
    with pytest.raises(CancelledError):
        train(LABELLED, POOL, TASK, config, tmp_path / "a", work=work, should_stop=calls.__next__)
    checkpoint = next(work.iterdir())

    fewer = train(LABELLED[1:], POOL, TASK, brief, tmp_path / "b", work=work)
    calls = iter([False] * 1 + [True])
    with pytest.raises(CancelledError):
        train(LABELLED, POOL, TASK, brief, tmp_path / "c", work=work, should_stop=calls.__next__)
    checkpoint.write_bytes(b"damaged")
    anew = train(LABELLED, POOL, TASK, brief, tmp_path / "c", work=work)

    assert (fewer.resumed_at, anew.resumed_at) == (0, 0)


def test_what_killed_trainings_left_half_written_goes(config, tmp_path):
    """Hundreds of megabytes that no one will read do not stay beside the checkpoint."""
    work = tmp_path / "work"
    work.mkdir()
    left = work / f".{'0' * 32}-training.safetensors"
    left.write_bytes(b"half")
    other = work / ".keep-training.safetensors"
    other.write_bytes(b"")

    train(LABELLED, POOL, TASK, config, tmp_path / "model", work=work)

    assert list(work.iterdir()) == [other]


def test_a_cancelled_training_leaves_no_model(config, tmp_path):
    """Nothing half-written stands where the model would."""
    with pytest.raises(CancelledError):
        train(LABELLED, POOL, TASK, config, tmp_path / "out", should_stop=lambda: True)

    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_is_divergence(config, tmp_path):
    """The step and the parts are named, no model is written, no checkpoint is kept."""
    config = replace(config, body_learning_rate=1.0, head_learning_rate=1.0, max_gradient_norm=0.0)
    broken = [replace(e, weight=float("inf")) for e in LABELLED]

    with pytest.raises(DivergedError, match=r"not finite at step 0: .*task"):
        train(broken, [], TASK, config, tmp_path / "out", work=tmp_path / "work")

    assert not (tmp_path / "out").exists()


def test_one_class_for_everything_is_divergence(config, tmp_path):
    """A head that cannot tell anything apart is reported, not saved."""
    config = replace(
        config, head_learning_rate=0.0, body_learning_rate=0.0, warm_start_head=False, epochs=1.0
    )

    with pytest.raises(DivergedError, match="one answer for all texts"):
        train(LABELLED, [], TASK, config, tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("labelled", "message"),
    [
        ([], "at least 2 different labels, got \\[\\]"),
        (LABELLED[:4], "at least 2 different labels, got \\['sport'\\]"),
        ([*LABELLED, Example(id="x", texts=("a",))], "'x' has no label"),
        ([*LABELLED, Example(id="x", texts=("a",), answer="art")], "unknown label 'art'"),
    ],
    ids=["none", "one class", "no label", "foreign"],
)
def test_labels_that_cannot_be_trained_on_are_refused(config, tmp_path, labelled, message):
    """Before the encoder is loaded, with what was seen."""
    with pytest.raises(DataError, match=message):
        train(labelled, [], TASK, config, tmp_path / "out")


def test_an_absent_encoder_is_named(config, tmp_path):
    """An encoder that does not exist is the user's to mend."""
    with pytest.raises(EncoderError, match="no such folder"):
        train(LABELLED, [], TASK, replace(config, encoder="/absent/encoder"), tmp_path / "out")


def test_the_folder_holds_what_a_stranger_needs(brief, tmp_path):
    """Settings and labels are readable, AutoModel loads the body, and nothing is pickled."""
    from transformers import AutoModel, AutoTokenizer

    out = tmp_path / "out"
    train(LABELLED, [], TASK, brief, out)

    assert json.loads((out / "task.json").read_text()) == {
        "kind": "single_label",
        "labels": ["sport", "politics"],
    }
    assert TrainConfig.from_toml(out / "config.toml").epochs == 1.0
    model = AutoModel.from_pretrained(out)
    saved = weights(out)
    assert torch.equal(
        model.encoder.layer[1].output.dense.weight, saved["encoder.layer.1.output.dense.weight"]
    )
    assert AutoTokenizer.from_pretrained(out)("the ball")["input_ids"][1:-1]
    assert {p.suffix for p in out.iterdir()} <= {".json", ".toml", ".safetensors", ".md"}


def test_embeddings_that_were_not_trained_take_no_more_bytes_than_before(brief, tmp_path):
    """They are most of a model; the file keeps their type, and they are the same numbers."""
    encoder = save_tiny_encoder(tmp_path / "encoder")
    stored_as(encoder, torch.float16)
    before = weights(encoder)

    train(LABELLED, [], TASK, replace(brief, encoder=str(encoder)), tmp_path / "out")

    name = "embeddings.word_embeddings.weight"
    after = weights(tmp_path / "out")
    assert after[name].dtype == torch.float16
    assert torch.equal(after[name], before[f"bert.{name}"])
    assert after["encoder.layer.1.output.dense.weight"].dtype == torch.float32


def test_the_learning_rate_rises_and_falls():
    """A line up, then a line towards zero that does not reach it."""
    shares = [learning_rate_share(step, 10, 0.2) for step in range(10)]

    assert shares[:3] == [0.5, 1.0, 1.0]
    assert all(0 < b < a for a, b in pairwise(shares[2:]))


_WORKER = """
import json, sys
from pathlib import Path
from xlt.config import TrainConfig
from xlt.data.jsonl import from_row
from xlt.tasks.kinds import task_from_json
from xlt.training.train import train
spec = json.loads(Path(sys.argv[1]).read_text())
train(
    [from_row(row) for row in spec["labelled"]],
    [from_row(row) for row in spec["pool"]],
    task_from_json(spec["task"]),
    TrainConfig.from_mapping(spec["config"]),
    Path(spec["out"]),
)
"""


def test_two_processes_train_what_one_trains(brief, tmp_path):
    """Per-language and masked-token means are of the whole batch, however it is split."""
    config = replace(brief, precision="fp32")
    train(LABELLED, POOL, TASK, config, tmp_path / "one")
    spec = {
        "labelled": [as_row(example) for example in LABELLED],
        "pool": [as_row(example) for example in POOL],
        "task": TASK.to_json(),
        "config": asdict(config),
        "out": str(tmp_path / "two"),
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(tmp_path / "spec.json")],
            env=os.environ
            | environment
            | {"RANK": str(rank), "LOCAL_RANK": str(rank), "ACCELERATE_USE_CPU": "true"},
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    errors = [worker.communicate(timeout=120)[1].decode() for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0], errors
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=2e-4, rtol=1e-3)
