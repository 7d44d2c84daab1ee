"""The real training process, with a tiny encoder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import psutil

from xlt.tasks.outputs import Scores
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.supervise import run_trainer


def test_real_training_scoring_and_embedding(plan):
    """All that a round reads is written, and then read by the other two modes."""
    phases: list[str] = []
    result = run_trainer(plan, timeout_s=120, on_progress=lambda said: phases.append(said["phase"]))

    assert result["peak_rss_bytes"] > 10**7
    assert {"train", "score"} <= result["seconds"].keys()
    assert {"load", "train", "judge", "score"} <= set(phases)
    sizes = {files.LABELLED_SCORES: 24, files.AUDIT_SCORES: 8, files.POOL_SCORES: 8}
    for name, size in sizes.items():
        assert Scores.load(plan / name).outputs.values.shape == (size, 2)

    made = files.read_plan(plan)
    for mode, model, columns in (("score", str(plan / files.MODEL), 2), ("embed", None, 0)):
        files.write_plan(plan, replace(made, mode=mode, model=model))
        run_trainer(plan, timeout_s=120)
        scores = Scores.load(plan / files.POOL_SCORES)
        assert scores.outputs.values.shape == (8, columns)
        assert scores.vectors.shape[0] == 8


def test_a_frozen_model_is_trained_and_scores(plan):
    """Its phases are read and train; it measures no step, and its scores are those of the file."""
    phases: list[str] = []
    spec = files.read_plan(plan)
    config = {"encoder": spec.config["encoder"], "learner": "frozen"}
    files.write_plan(plan, replace(spec, config=config))
    result = run_trainer(plan, timeout_s=120, on_progress=lambda said: phases.append(said["phase"]))

    assert list(dict.fromkeys(phases)) == [
        "load", "read", "train", "save", "judge", "export", "score",
    ]  # fmt: skip
    assert result["training"]["steps"] == 0
    assert result["training"]["losses"] == {}
    assert result["training"]["train_accuracy"] > 0.9
    assert (plan / files.MODEL / "calibration.json").is_file()
    for name, size in ((files.LABELLED_SCORES, 24), (files.AUDIT_SCORES, 8)):
        assert Scores.load(plan / name).outputs.values.shape == (size, 2)


def test_training_process_dies_with_its_parent(plan):
    """A killed worker leaves no training behind."""
    spec = files.read_plan(plan)

    config = {**spec.config, "min_steps": 100_000, "max_steps": 100_000}
    files.write_plan(plan, replace(spec, config=config))
    code = (
        "import pathlib, sys; from xlt_backend.trainer.supervise import run_trainer;"
        "run_trainer(pathlib.Path(sys.argv[1]), timeout_s=100,"
        " on_progress=lambda said: print(said['phase'], flush=True))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(plan)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    for line in parent.stdout:
        if line.strip() == "train":
            break
    (child,) = psutil.Process(parent.pid).children()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
