"""The training process: `python -m xlt_backend.trainer.process FOLDER [part]`.

A process of its own, so that torch's memory is given back after each round, and so that stopping
it is killing it. It trains, scores the audit examples and the pool, and says on standard output,
in lines of JSON, where it stands. It ends when its parent does. Where there are several GPUs it
trains on all of them, by torchrun, in processes that do the `part` and nothing else.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from xlt.errors import CancelledError, XltError
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.supervise import run_trainer

if TYPE_CHECKING:
    from xlt.adapt.data import Pair
    from xlt.data.examples import Example
    from xlt.models.predictor import Predictor

logger = logging.getLogger(__name__)

#: Names the part of the work that all GPUs do.
PART = "train"

_PR_SET_PDEATHSIG = 1
_SAY_EVERY_S = 0.2


class Speaker:
    """Says where the work stands, not more often than anybody can read."""

    def __init__(self, out: TextIO | None, should_stop: Callable[[], bool]) -> None:
        self._out = out
        self.should_stop = should_stop
        self._last = ("", 0.0)

    def say(self, phase: str, done: int, total: int, **more: object) -> None:
        """One line of JSON; lines of the same phase that come too soon are left out.

        Raises:
            CancelledError: If the process was asked to stop.
        """
        if self.should_stop():
            raise CancelledError("the training process was asked to stop")
        now = time.monotonic()
        last_phase, last_time = self._last
        if phase == last_phase and done < total and now - last_time < _SAY_EVERY_S:
            return
        if self._out is None:
            return
        self._last = (phase, now)
        line = {"phase": phase, "done": done, "total": total, **more}
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


def run(folder: Path, speaker: Speaker) -> dict[str, object]:
    """Does what the folder's plan says; returns what was measured.

    Raises:
        XltError: If the training diverged or was stopped, or a model or encoder is unusable.
    """
    plan = files.read_plan(folder)
    seconds: dict[str, float] = {}
    speaker.say("load", 0, 1)
    if plan.mode == "embed":
        _timed(seconds, "score", lambda: _embed(folder, plan, speaker))
        return {"seconds": seconds}
    if plan.mode == "adapt":
        found = _timed(seconds, "adapt", lambda: _adapt(folder, plan, speaker))
        return {"seconds": seconds, "adaptation": found}
    training: dict[str, object] = {}
    if plan.mode == "train":
        gpus = _gpus()
        work = partial(train_part, folder, speaker)
        training = _timed(
            seconds, "train", partial(on_all, folder, speaker, gpus) if gpus > 1 else work
        )
    model = folder / files.MODEL if plan.mode == "train" else Path(str(plan.model))
    note = _timed(seconds, "score", lambda: _score(folder, plan, model, speaker))
    return {"seconds": seconds, "training": training, **note}


def _timed(
    seconds: dict[str, float], name: str, work: Callable[[], dict[str, object]]
) -> dict[str, object]:
    begin = time.monotonic()
    try:
        return work()
    finally:
        seconds[name] = round(time.monotonic() - begin, 3)


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


def on_all(folder: Path, speaker: Speaker, processes: int) -> dict[str, object]:
    """`train_part` in as many processes as there are GPUs; each sees its share of a step.

    Raises:
        XltError: The same that they raised.
    """
    torchrun = ("torch.distributed.run", "--standalone", f"--nproc-per-node={processes}")
    result = run_trainer(
        folder,
        timeout_s=float("inf"),  # our own parent looks at the clock
        on_progress=lambda said: speaker.say(**said),
        should_stop=speaker.should_stop,
        command=(sys.executable, "-m", *torchrun, "-m", __spec__.name, PART),
    )
    training = result["training"]
    return dict(training) if isinstance(training, dict) else {}


def train_part(folder: Path, speaker: Speaker) -> dict[str, object]:
    """Trains the folder's model, alone or as one of several processes; what was measured.

    Raises:
        XltError: If the training diverged or was stopped, or the encoder is unusable.
    """
    from xlt.config import TrainConfig
    from xlt.training.loop import Progress, train

    def progress(at: Progress) -> None:
        speaker.say(at.phase, at.step, at.steps, losses=dict(at.losses))

    if (folder / files.MODEL).exists():  # written whole or not at all, by a round that was killed
        return {}
    plan = files.read_plan(folder)
    labelled = files.read_examples(folder / files.LABELLED)
    pool = files.read_examples(folder / files.POOL)
    result = train(
        labelled,
        [example for example in pool if example.label is None],
        plan.spec,
        TrainConfig.from_mapping(plan.config),
        folder / files.MODEL,
        work=folder / files.CHECKPOINTS,
        progress=progress,
        should_stop=speaker.should_stop,
    )
    return {key: value for key, value in asdict(result).items() if key != "folder"}


def _score(folder: Path, plan: files.TrainPlan, model: Path, speaker: Speaker) -> dict[str, object]:
    """Scores audit, labelled and pool examples; the pool last, it is the longest."""
    from xlt.models.predictor import Predictor

    note: dict[str, object] = {}
    audit = files.read_examples(folder / files.AUDIT)
    if plan.active and audit:
        try:
            active = Predictor.load(Path(plan.active), threads=plan.threads or None)
            _save(active, audit, folder / files.ACTIVE_AUDIT_SCORES, "judge", speaker)
        except XltError as error:
            note["active_error"] = str(error)
    predictor = Predictor.load(model, threads=plan.threads or None)
    _save(predictor, audit, folder / files.AUDIT_SCORES, "judge", speaker)
    for source, target in (
        (files.LABELLED, files.LABELLED_SCORES),
        (files.POOL, files.POOL_SCORES),
    ):
        _save(predictor, files.read_examples(folder / source), folder / target, "score", speaker)
    return note


def _save(
    predictor: Predictor, examples: Sequence[Example], path: Path, phase: str, speaker: Speaker
) -> None:
    def progress(done: int, total: int) -> None:
        speaker.say(phase, done, total)

    predictor.score([example.text for example in examples], progress=progress).save(path)


def _embed(folder: Path, plan: files.TrainPlan, speaker: Speaker) -> dict[str, object]:
    """Vectors of the pool by the untrained encoder; there are no logits yet (N, 0)."""
    import numpy as np

    from xlt.config import TrainConfig
    from xlt.encoder.encoder import embed
    from xlt.tasks.outputs import Scores

    texts = [example.text for example in files.read_examples(folder / files.POOL)]
    parts, size = [], 256
    for start in range(0, len(texts), size):
        speaker.say("score", start, len(texts))
        parts.append(
            embed(
                texts[start : start + size], encoder=TrainConfig.from_mapping(plan.config).encoder
            )
        )
    vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    logits = np.zeros((len(vectors), 0), np.float32)
    Scores(logits=logits, vectors=vectors).save(folder / files.POOL_SCORES)
    return {}


def _adapt(folder: Path, plan: files.TrainPlan, speaker: Speaker) -> dict[str, object]:
    """Adapts the plan's encoder to the languages of labels and pool; says which one is better.

    Raises:
        XltError: If a table cannot be read, or the adaptation failed or was stopped.
    """
    from xlt.adapt.data import from_examples, read_translations
    from xlt.adapt.judge import adapt_once, choose
    from xlt.adapt.options import AdaptOptions
    from xlt.data.languages import normalise

    labelled = files.read_examples(folder / files.LABELLED)
    examples = [*labelled, *files.read_examples(folder / files.POOL)]
    languages = {normalise(example.lang) for example in examples}

    def table(path: str | None) -> list[Pair]:
        rows = read_translations(path) if path else []
        known = [replace(row, lang=normalise(row.lang)) for row in rows]
        return [row for row in known if row.lang in languages]

    texts = [replace(example, lang=normalise(example.lang)) for example in examples]
    source = normalise(plan.source)
    data = from_examples(
        texts, source=source, pairs=table(plan.translations), lexicon=table(plan.lexicon)
    )
    if not data.pairs and not data.lexicon:
        return {"hopeless": True, "reason": "no translations in the project's languages"}

    def told(line: str) -> None:
        logger.info("%s", line)
        speaker.say("adapt", 0, 0)

    encoder, adapted = str(plan.model), Path(str(plan.adapted))
    options = AdaptOptions(source=source)
    adapt_once(encoder, data, adapted, options=options, progress=told)
    if len({example.label for example in labelled}) < 2:
        return {"adapted": False, "reason": "made; labels decide whether it is used"}
    speaker.say("judge", 0, 1)
    choice = choose(encoder, str(adapted), labelled, source=source)
    return {"adapted": choice.adapted, "reason": choice.reason}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the plan in a folder; the exit status is 0, or 1 with the error in a file."""
    *part, name = sys.argv[1:] if argv is None else argv
    folder, first = Path(name), os.environ.get("RANK", "0") == "0"  # torchrun's way to say it
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
    """Most memory that this process had at a time, or one of those that it started."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    return max(resource.getrusage(one).ru_maxrss for one in who) * unit


def _own_stdout() -> TextIO:
    """Standard output for the speaker alone; whatever libraries print goes to standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def _set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads or _cores())


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _die_with_parent() -> None:
    """Ends this process when its parent ends: by signal on Linux, by end of input everywhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.read(0, 1024):  # not sys.stdin: its lock would be held at the end
            pass
        os._exit(2)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main())
