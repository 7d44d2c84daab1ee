"""Work of the training process: trains, scores, embeds or adapts, as the folder's plan says."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from xlt.data.jsonl import read_jsonl
from xlt.errors import CancelledError
from xlt.tasks.kinds import read_answers
from xlt.tasks.probes import NO_PROBE, has_probe
from xlt.training.result import Progress
from xlt.training.tracking import tracked
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.scoring import audited, cache_of, score
from xlt_backend.trainer.supervise import PROCESS, run_trainer

if TYPE_CHECKING:
    from xlt.adapt.texts import Pair

logger = logging.getLogger(__name__)

#: The part of the work that is done on all GPUs; an argument of the process.
PART = "train"

_LEAST_PAUSE_S = 0.2


class Speaker:
    """Reports progress, at most five times a second."""

    def __init__(self, out: TextIO | None, should_stop: Callable[[], bool]) -> None:
        self._out = out
        self.should_stop = should_stop
        self.listen: Callable[[Progress], None] = lambda _: None
        self._last = ("", 0.0)

    def say(self, phase: str, done: int, total: int, **more: object) -> None:
        """Writes one line of JSON; skips lines of the same phase that come too soon.

        Raises:
            CancelledError: If the process was asked to stop.
        """
        if self.should_stop():
            raise CancelledError("the training process was asked to stop")
        self._tell(phase, done, total, more.get("losses"))
        now = time.monotonic()
        last_phase, last_time = self._last
        if phase == last_phase and done < total and now - last_time < _LEAST_PAUSE_S:
            return
        if self._out is None:
            return
        self._last = (phase, now)
        line = {"phase": phase, "done": done, "total": total, **more}
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()

    def _tell(self, phase: str, done: int, total: int, losses: object) -> None:
        if isinstance(losses, dict):
            self.listen(Progress(phase=phase, step=done, steps=total, losses=losses))


def run(folder: Path, speaker: Speaker) -> dict[str, object]:
    """Carries out the folder's plan; returns its measurements.

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
        adaptation = _timed(seconds, "adapt", lambda: _adapt(folder, plan, speaker))
        return {"seconds": seconds, "adaptation": adaptation}
    if plan.mode == "train":
        return _train(folder, plan, speaker, seconds)
    model = Path(str(plan.model))
    note = _timed(seconds, "score", lambda: score(folder, plan, model, speaker))
    return {"seconds": seconds, "training": {}, **note}


def _train(
    folder: Path, plan: files.TrainPlan, speaker: Speaker, seconds: dict[str, float]
) -> dict[str, object]:
    """Trains and scores, in view of the plan's trackers."""
    from xlt.config import TrainConfig

    with tracked(
        plan.trackers,
        project=plan.tracker_project,
        run=plan.tracker_run,
        folder=Path(plan.tracker_folder),
        config=TrainConfig.from_mapping(plan.config),
    ) as trackers:
        speaker.listen = trackers.progress
        gpus = _gpus(plan)
        work = partial(train_part, folder, speaker)
        training = _timed(
            seconds, "train", partial(on_all, folder, speaker, gpus) if gpus > 1 else work
        )
        trackers.result(training, labels=len(read_jsonl(folder / files.LABELLED)))
        model = folder / files.MODEL
        note = _timed(seconds, "score", lambda: score(folder, plan, model, speaker))
        if plan.trackers:
            trackers.judged("audit", plan.task, *audited(folder, plan))
    return {"seconds": seconds, "training": training, **note}


def _timed(
    seconds: dict[str, float], name: str, work: Callable[[], dict[str, object]]
) -> dict[str, object]:
    start = time.monotonic()
    try:
        return work()
    finally:
        seconds[name] = round(time.monotonic() - start, 3)


def _gpus(plan: files.TrainPlan) -> int:
    """Returns the number of GPUs to train on; one process fits frozen models and compares."""
    from xlt.config import TrainConfig

    if TrainConfig.from_mapping(plan.config).resolved().learner != "joint":
        return 1
    import torch

    return torch.cuda.device_count()


def on_all(folder: Path, speaker: Speaker, processes: int) -> dict[str, object]:
    """Runs `train_part` in one process per GPU; each takes its share of a step.

    Raises:
        XltError: If one of them raised it.
    """
    torchrun = ("torch.distributed.run", "--standalone", f"--nproc-per-node={processes}")
    result = run_trainer(
        folder,
        timeout_s=float("inf"),  # the parent of this process checks the time
        on_progress=lambda line: speaker.say(**line),
        should_stop=speaker.should_stop,
        command=(sys.executable, "-m", *torchrun, "-m", PROCESS, PART),
    )
    training = result["training"]
    return dict(training) if isinstance(training, dict) else {}


def train_part(folder: Path, speaker: Speaker) -> dict[str, object]:
    """Trains the folder's model, alone or as one of several processes; returns measurements.

    Raises:
        XltError: If the training diverged or was stopped, or the encoder is unusable.
    """
    from xlt.config import TrainConfig
    from xlt.training.train import train

    def progress(at: Progress) -> None:
        speaker.say(at.phase, at.step, at.steps, losses=dict(at.losses))

    if (folder / files.MODEL).exists():  # complete: it is written whole or not at all
        return {}
    plan = files.read_plan(folder)
    labelled = read_answers(read_jsonl(folder / files.LABELLED), plan.task)
    pool = read_jsonl(folder / files.POOL)
    result = train(
        labelled,
        [example for example in pool if example.answer is None],
        plan.task,
        TrainConfig.from_mapping(plan.config),
        folder / files.MODEL,
        work=folder / files.CHECKPOINTS,
        cache=cache_of(plan),
        sibling=Path(plan.sibling) if plan.sibling else None,
        progress=progress,
        should_stop=speaker.should_stop,
    )
    return result.measured


def _embed(folder: Path, plan: files.TrainPlan, speaker: Speaker) -> dict[str, object]:
    """Saves vectors of the pool by the untrained encoder, with empty logits (N, 0)."""
    from xlt.config import TrainConfig
    from xlt.models.features import base_reader
    from xlt.tasks.outputs import of_vectors

    texts = [example.input for example in read_jsonl(folder / files.POOL)]
    reader = base_reader(TrainConfig.from_mapping(plan.config), cache_of(plan))
    vectors = reader.vectors(texts, partial(speaker.say, "score"))
    of_vectors(vectors[:, -1]).save(folder / files.POOL_SCORES)
    return {}


def _adapt(folder: Path, plan: files.TrainPlan, speaker: Speaker) -> dict[str, object]:
    """Adapts the plan's encoder to the languages of labels and pool, and judges the result.

    Raises:
        XltError: If a table cannot be read, or the adaptation failed or was stopped.
    """
    from xlt.adapt.judge import adapt_once, choose
    from xlt.adapt.options import AdaptOptions
    from xlt.adapt.texts import from_examples, pairs_for, read_translations
    from xlt.data.languages import normalise

    if not has_probe(plan.task):
        reason = f"labels of {plan.task.kind} do not judge encoders, {NO_PROBE}"
        return {"hopeless": True, "reason": reason}
    labelled = read_answers(read_jsonl(folder / files.LABELLED), plan.task)
    examples = [*labelled, *read_jsonl(folder / files.POOL)]
    languages = {normalise(example.lang) for example in examples}

    def table(path: str | None) -> list[Pair]:
        return pairs_for(languages, read_translations(path) if path else [])

    texts = [replace(example, lang=normalise(example.lang)) for example in examples]
    source = normalise(plan.source)
    data = from_examples(
        texts, source=source, pairs=table(plan.translations), lexicon=table(plan.lexicon)
    )
    if not data.pairs and not data.lexicon:
        return {"hopeless": True, "reason": "no translations in the project's languages"}

    def report(line: str) -> None:
        logger.info("%s", line)
        speaker.say("adapt", 0, 0)

    encoder, adapted = str(plan.model), Path(str(plan.adapted))
    options = AdaptOptions(source=source)
    adapt_once(encoder, data, adapted, options=options, progress=report)
    if plan.task.missing([example.answer for example in labelled]):
        return {"adapted": False, "reason": "made; labels decide whether it is used"}
    speaker.say("judge", 0, 1)
    choice = choose(encoder, str(adapted), labelled, source=source, task=plan.task)
    return {"adapted": choice.adapted, "reason": choice.reason}
