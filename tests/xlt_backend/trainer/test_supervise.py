"""The supervisor of the training process, with small stand-ins for the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.builders import save_tiny_encoder
from xlt.data.examples import Example, TaskSpec
from xlt.errors import CancelledError, DivergedError
from xlt_backend.errors import TrainerError, TrainerTimeoutError
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.supervise import run_trainer


def run(folder: Path, code: str, **more: Any) -> dict[str, Any]:
    """Supervises a Python program that gets the folder as its argument."""
    head = "import json, os, signal, sys, time, pathlib\nfolder = pathlib.Path(sys.argv[1])\n"
    more = {"timeout_s": 20.0, "grace_s": 0.5} | more
    return run_trainer(folder, command=(sys.executable, "-c", head + code), **more)


def test_result_and_progress(tmp_path):
    """What it writes comes back; what it says is passed on; what it chatters is not."""
    said: list[dict[str, Any]] = []
    result = run(
        tmp_path,
        "print(json.dumps({'phase': 'train', 'done': 1, 'total': 2})); print('chatter')\n"
        "(folder / 'result.json').write_text('{\"peak_rss_bytes\": 5}')",
        on_progress=said.append,
    )

    assert result == {"peak_rss_bytes": 5}
    assert said == [{"phase": "train", "done": 1, "total": 2}]


def test_errors_of_ours_come_back_as_themselves(tmp_path):
    """A diverged training is a DivergedError on this side too."""
    code = (
        "(folder / 'error.json').write_text("
        "json.dumps({'type': 'DivergedError', 'message': 'nan'}))\nsys.exit(1)"
    )
    with pytest.raises(DivergedError, match="nan"):
        run(tmp_path, code)


def test_death_is_told_with_its_last_words(tmp_path):
    """Status or signal, and the end of standard error."""
    with pytest.raises(TrainerError, match=r"status 3: the last words"):
        run(tmp_path, "print('the last words', file=sys.stderr); sys.exit(3)")
    with pytest.raises(TrainerError, match="killed by SIGKILL; was there enough memory"):
        run(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")


def test_no_result_is_an_error(tmp_path):
    """A process that ends well and leaves nothing did not end well."""
    with pytest.raises(TrainerError, match=r"cannot read result\.json"):
        run(tmp_path, "pass")


def test_cancel_terminates(tmp_path):
    """It is asked to end, and gets the time to."""
    stop_at = time.monotonic() + 0.5
    code = (
        "signal.signal(signal.SIGTERM, lambda *_: ((folder / 'tidy').touch(), sys.exit(1)))\n"
        "time.sleep(30)"
    )
    with pytest.raises(CancelledError):
        run(tmp_path, code, should_stop=lambda: time.monotonic() > stop_at, grace_s=10.0)

    assert (tmp_path / "tidy").exists()


def test_cancel_kills_what_does_not_listen(tmp_path):
    """After the grace it is killed."""
    code = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(30)"
    heard: list[Any] = []
    begin = time.monotonic()
    with pytest.raises(CancelledError):
        run(tmp_path, code, on_progress=heard.append, should_stop=lambda: bool(heard))

    assert time.monotonic() - begin < 10


def test_timeout(tmp_path):
    """What takes too long is stopped, and said to have."""
    with pytest.raises(TrainerTimeoutError, match=r"longer than 0\.3 s"):
        run(tmp_path, "time.sleep(30)", timeout_s=0.3)


def test_much_output_does_not_block(tmp_path):
    """Pipes are read all the time, only the end is kept."""
    code = (
        "for n in range(20000): print('x' * 100, file=sys.stderr)\n"
        "for n in range(2000): print(json.dumps({'done': n}))\n"
        "(folder / 'result.json').write_text('{}')"
    )
    said: list[Any] = []
    run(tmp_path, code, on_progress=said.append)

    assert len(said) == 2000


# The real training process ----------------------------------------------------------------------


@pytest.fixture
def plan(tmp_path: Path, tiny_encoder: Path) -> Path:
    """A folder with a small training."""
    words = {"sport": "ball team goal", "music": "song band drum"}
    examples = [
        Example(id=str(n), text=f"{words[label]} {n}", lang=("en", "sw")[n % 2], label=label)
        for n in range(20)
        for label in words
    ]
    files.write_examples(tmp_path / files.LABELLED, examples[:24])
    files.write_examples(tmp_path / files.AUDIT, examples[24:32])
    files.write_examples(tmp_path / files.POOL, examples[32:])
    spec = TaskSpec(labels=("sport", "music"))
    config = {"encoder": str(tiny_encoder), "min_steps": 4, "max_steps": 4}
    files.write_plan(
        tmp_path, files.TrainPlan(mode="train", spec=spec, config=config, threads=1, nice=0)
    )
    return tmp_path


def test_real_training_scoring_and_embedding(plan):
    """All that a round reads is written, and then read by the other two modes."""
    from xlt.tasks.outputs import Scores

    phases: list[str] = []
    result = run_trainer(plan, timeout_s=120, on_progress=lambda said: phases.append(said["phase"]))

    assert result["peak_rss_bytes"] > 10**7
    assert {"train", "score"} <= result["seconds"].keys()
    assert {"load", "train", "judge", "score"} <= set(phases)
    sizes = {files.LABELLED_SCORES: 24, files.AUDIT_SCORES: 8, files.POOL_SCORES: 8}
    for name, size in sizes.items():
        assert Scores.load(plan / name).logits.shape == (size, 2)

    made = files.read_plan(plan)
    for mode, model, columns in (("score", str(plan / files.MODEL), 2), ("embed", None, 0)):
        files.write_plan(plan, replace(made, mode=mode, model=model))
        run_trainer(plan, timeout_s=120)
        scores = Scores.load(plan / files.POOL_SCORES)
        assert scores.logits.shape == (8, columns)
        assert scores.vectors.shape[0] == 8


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


def test_plan_survives_the_folder(tmp_path):
    """What is written is what is read."""
    plan = files.TrainPlan(
        mode="score", spec=TaskSpec(labels=("ä", "b")), model="m", config={"x": 1}
    )
    files.write_plan(tmp_path, plan)
    examples = [
        Example(id="1", text="Ẹ káàárọ̀\n\u2028", lang="yo", label="ä", group="g", weight=0.5)
    ]
    files.write_examples(tmp_path / files.POOL, examples)

    assert files.read_plan(tmp_path) == plan
    assert files.read_examples(tmp_path / files.POOL) == examples
    assert json.loads((tmp_path / files.PLAN).read_text())["mode"] == "score"


def test_training_on_several_devices_is_one_training(plan, monkeypatch):
    """As many processes as devices train one model together (here: two without a GPU)."""
    from xlt_backend.trainer import process as trainer

    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    said: list[str] = []

    class Silent(trainer.Speaker):
        """Only remembers."""

        def say(self, phase: str, done: int, total: int, **more: object) -> None:
            """Remembers the phase."""
            said.append(phase)

    measured = trainer.on_all(plan, Silent(None, lambda: False), processes=2)

    assert measured["steps"] == 4
    assert said.count("save") == 1
    assert (plan / files.MODEL / "model.safetensors").is_file()


def test_the_process_adapts_an_encoder_and_judges_it(tmp_path, monkeypatch):
    """Tables in other spellings of the languages' codes; the folder loads, the judge answers."""
    from xlt.adapt import options
    from xlt_backend.trainer import process as trainer

    quick = partial(options.AdaptOptions, steps=4, bag_steps=4)
    monkeypatch.setattr(options, "AdaptOptions", quick)
    table = tmp_path / "translations.csv"
    rows = [f"the rain {n} falls,ruwan {n} yana,hau_Latn\n" for n in range(40)]
    table.write_text("source,target,lang\n" + "".join(rows) + "x,y,zul\n")
    examples = [
        Example(id=str(n), text=f"ruwan {n} yana", lang="ha", label=("a", "b")[n % 2])
        for n in range(10)
    ]
    files.write_examples(tmp_path / files.LABELLED, examples)
    encoder = str(save_tiny_encoder(tmp_path / "encoder"))
    plan = files.TrainPlan(
        mode="adapt", spec=TaskSpec(labels=("a", "b")), model=encoder,
        adapted=str(tmp_path / "adapted"), source="en", translations=str(table),
    )  # fmt: skip
    files.write_plan(tmp_path, plan)
    found = trainer.run(tmp_path, trainer.Speaker(None, lambda: False))["adaptation"]

    report = json.loads((tmp_path / "adapted" / "report.json").read_text())
    assert list(report["languages"]) == ["eng", "hau"]
    assert report["languages"]["hau"]["pairs"] > 30
    assert set(found) == {"adapted", "reason"}

    files.write_plan(tmp_path, replace(plan, translations=None))
    hopeless = trainer.run(tmp_path, trainer.Speaker(None, lambda: False))["adaptation"]
    assert hopeless == {"hopeless": True, "reason": "no translations in the project's languages"}
