"""Scores of the training process: of audit, labelled and pool examples, by any trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from xlt.data.jsonl import read_jsonl
from xlt.errors import XltError
from xlt.tasks.calibration import Calibration
from xlt.tasks.kinds import read_answers
from xlt.tasks.outputs import Scores
from xlt.tasks.predictions import Predictions, interpret
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.export import export

if TYPE_CHECKING:
    from xlt.data.examples import Example
    from xlt.disk.blobs import Blobs
    from xlt.models.model import Model
    from xlt_backend.trainer.work import Speaker


def score(folder: Path, plan: files.TrainPlan, model: Path, speaker: Speaker) -> dict[str, object]:
    """Scores audit, labelled and pool examples; the pool last, since it takes longest."""
    note: dict[str, object] = {}
    audit = read_answers(read_jsonl(folder / files.AUDIT), plan.task)
    if plan.active and audit:
        try:
            _save(
                _scorer(Path(plan.active), plan),
                audit,
                folder / files.ACTIVE_AUDIT_SCORES,
                "judge",
                speaker,
            )
        except XltError as error:
            note["active_error"] = str(error)
    scorer = _scorer(model, plan)
    _save(scorer, audit, folder / files.AUDIT_SCORES, "judge", speaker)
    if plan.mode == "train":
        calibrate(folder, plan, audit)
        speaker.say("export", 0, 1)
        note["serving"] = asdict(export(folder, plan, audit, scorer))
        scorer = _scorer(model, plan)
    for source, target in (
        (files.LABELLED, files.LABELLED_SCORES),
        (files.POOL, files.POOL_SCORES),
    ):
        _save(scorer, read_jsonl(folder / source), folder / target, "score", speaker)
    return note


def calibrate(folder: Path, plan: files.TrainPlan, audit: Sequence[Example]) -> None:
    """Calibrates the trained model on the audit examples; without any it stays as it is."""
    calibration = Calibration()
    if audit:
        outputs = Scores.load(folder / files.AUDIT_SCORES).outputs
        answers, langs = [e.answer for e in audit], [e.lang for e in audit]
        calibration = plan.task.fit(outputs, answers, langs)
    calibration.save(folder / files.MODEL)


def audited(folder: Path, plan: files.TrainPlan) -> tuple[list[Example], Predictions]:
    """Returns the audit examples and what the trained model, uncalibrated, says of them."""
    audit = read_answers(read_jsonl(folder / files.AUDIT), plan.task)
    langs = [example.lang for example in audit]
    scores = Scores.load(folder / files.AUDIT_SCORES)
    return audit, interpret(plan.task, scores, langs, Calibration())


def _scorer(model: Path, plan: files.TrainPlan) -> Model:
    """Loads a model; of a frozen one the encoder only when a text is not known.

    On a CPU, the export of a fine-tuned one is as good and faster.
    """
    from xlt.encoder.exported import Encoders
    from xlt.models.exported import ExportedModel
    from xlt.models.frozen import encoder_of
    from xlt.models.serving import read_serving

    if encoder_of(model):
        from xlt.models.scorer import FrozenScorer

        return FrozenScorer.load(model, cache=cache_of(plan))
    if read_serving(model).runtime != "torch" and not _has_gpu():
        return ExportedModel.load(model, Encoders(threads=plan.threads))
    from xlt.models.predictor import Predictor

    return Predictor.load(model, threads=plan.threads or None)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def cache_of(plan: files.TrainPlan) -> Blobs | None:
    """Returns what is kept of the texts that frozen encoders have read."""
    from xlt.disk.blobs import Blobs

    return Blobs(Path(plan.cache), most_bytes=plan.cache_bytes) if plan.cache else None


def _save(
    scorer: Model,
    examples: Sequence[Example],
    path: Path,
    phase: str,
    speaker: Speaker,
) -> None:
    def progress(done: int, total: int) -> None:
        speaker.say(phase, done, total)

    scorer.score(examples, progress=progress).save(path)
