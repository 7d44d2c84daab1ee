"""The supervisor of the training process, with small stand-ins for the process."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from xlt.errors import CancelledError, DivergedError
from xlt_backend.errors import TrainerError, TrainerTimeoutError
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
