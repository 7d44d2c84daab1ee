"""The training process: `python -m xlt_backend.trainer.process FOLDER [part]`.

Torch runs in a process of its own: its memory is freed after each round, and killing the process
stops the work. The process writes its progress to standard output, one JSON object per line. It
ends when its parent ends. With several GPUs, torchrun starts it once per GPU to do one `part`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from xlt.errors import XltError
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.work import Speaker, run, train_part

_PR_SET_PDEATHSIG = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the plan in a folder; returns 0, or 1 with the error in a file."""
    *part, name = sys.argv[1:] if argv is None else argv
    folder, first = Path(name), os.environ.get("RANK", "0") == "0"  # set by torchrun
    _die_with_parent()
    stop = threading.Event()
    speaker = Speaker(_own_stdout() if first else None, stop.is_set)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    plan = files.read_plan(folder)
    os.nice(0 if part else plan.nice)
    _set_threads(plan.threads)
    try:
        result = {"training": train_part(folder, speaker)} if part else run(folder, speaker)
    except XltError as error:
        value = {"type": type(error).__name__, "message": str(error)}
        files.write_json(folder / files.ERROR, value)
        return 1
    if first:
        files.write_json(folder / files.RESULT, result | {"peak_rss_bytes": _peak_bytes()})
    return 0


def _peak_bytes() -> int:
    """Returns the peak memory of this process or of one that it started."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    return max(resource.getrusage(one).ru_maxrss for one in who) * unit


def _own_stdout() -> TextIO:
    """Keeps standard output for the speaker; output of libraries goes to standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def _set_threads(threads: int) -> None:
    """Sets the threads of torch, which is not imported yet, and may not be needed at all."""
    os.environ["OMP_NUM_THREADS"] = str(threads or _cores())


def _cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _die_with_parent() -> None:
    """Ends this process when its parent ends: by a signal on Linux, by end of input elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.read(0, 1024):  # not sys.stdin, whose lock would still be held at exit
            pass
        os._exit(2)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main())
