"""Versions of a project's model: their files beside the model, and their history."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.errors import CorruptVersionError, XltError
from xlt.models.card import Card, Origin, count_labels, write_card
from xlt.store.versions import ProjectStore, VersionMeta
from xlt.tasks import metrics
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Scores
from xlt.tasks.parts import in_common
from xlt.tasks.predictions import interpret
from xlt.tasks.relabelling import Relabelling, relabelling
from xlt.tasks.renames import Renames
from xlt.tasks.task import AnyTask
from xlt_backend.rounds.changes import Label
from xlt_backend.rounds.judge import Judgement
from xlt_backend.rounds.known import EXAMPLES, Known, Trained, past_of, task_of, texts_of
from xlt_backend.rounds.snapshot import label_of
from xlt_backend.trainer import folder as files

logger = logging.getLogger(__name__)


def known(
    versions: ProjectStore, *, failed_hash: str, first_new_at: float | None
) -> tuple[Known, list[str]]:
    """Reads the store's versions.

    Returns:
        The versions, and an error message for each one that is left out because it is damaged.
    """
    past = past_of(versions.history())
    active, names = versions.current(), versions.versions()
    trained: list[Trained] = []
    used: Mapping[str, Label] = {}
    damaged: list[str] = []
    for name in names:
        try:
            meta = versions.meta(name)
            if name in (active, names[-1]):
                used = _labels(files.read_json(versions.open(name) / EXAMPLES))
        except XltError as error:
            logger.error("version %s: %s", name, error)
            damaged.append(str(error))
            continue
        trained.append(
            Trained(
                name=name,
                data_hash=meta.data_hash,
                task=task_of(meta),
                texts=texts_of(meta),
                refused=bool(meta.details.get("refused")) or name in past.refused,
                promoted=name in past.promoted,
                replaced=name in past.replaced,
            )
        )
    known = Known(
        active=active,
        chosen=past.chosen,
        versions=tuple(trained),
        used=used,
        failed_hash=failed_hash,
        first_new_at=first_new_at,
    )
    return known, damaged


def _labels(value: Mapping[str, Any]) -> dict[str, Label]:
    """Reads labels by task id. The first xlt wrote the bare answer, a string or a list."""
    return {
        id: Label(label["answer"], label["digest"]) if isinstance(label, dict) else Label(label)
        for id, label in value.items()
    }


def save(
    versions: ProjectStore,
    folder: Path,
    task: AnyTask,
    *,
    train: Sequence[Example],
    audit: Sequence[Example],
    data: str,
    judgement: Judgement,
    encoder: Origin,
    day: date,
    details: Mapping[str, Any],
    choice: str = "",
) -> str:
    """Makes the model that was trained in `folder` a version; returns its name.

    Args:
        versions: The project's versions.
        folder: The folder of the training.
        task: The project's task.
        train: The examples that it was trained on.
        audit: The examples that judged it.
        data: Digest of all that the training read.
        judgement: The judgement of the audit labels.
        encoder: The encoder that it was trained from.
        day: Today, UTC.
        details: More facts about it; `reason` is that of the training.
        choice: Why its learner was chosen; empty if the settings name it.

    Raises:
        StoreError: If it cannot be written; no part of it is left then.
    """
    predicted = _predicted(folder / files.AUDIT_SCORES, task, audit) if audit else []
    truth = [example.answer for example in audit]
    accuracy = metrics.per_language(task, truth, predicted, [example.lang for example in audit])
    meta = VersionMeta(
        data_hash=data,
        label_counts=count_labels(train),
        metrics={"audit": {lang: score.to_json() for lang, score in accuracy.items()}},
        details={
            "labels": list(task.labels),
            "kind": task.kind,
            "texts": len(train[0].texts),
            "task": task.to_json(),
            "refused": judgement.worse,
            "verdict": judgement.reason,
            **details,
        },
    )
    decision = "kept back" if judgement.worse else "good enough to become the active version"
    card = Card(
        task=task,
        encoder=encoder,
        labels_spent=meta.label_counts,
        texts=len(train[0].texts),
        day=day,
        judges="audit labels",
        scores=accuracy,
        reason=str(details.get("reason", "")),
        choice=choice,
        judgement=f"{decision}; {judgement.reason}",
    )
    with versions.stage() as stage:
        for path in (folder / files.MODEL).iterdir():
            shutil.copy2(path, stage / path.name)
        labels = {
            e.id: asdict(label_of(e, task)) | {"audit": judges}
            for part, judges in ((train, False), (audit, True))
            for e in part
        }
        sure = _confidence(folder, task, audit)
        for example, answer, confidence in zip(audit, predicted, sure, strict=True):
            labels[example.id] |= {
                "lang": example.lang,
                "said": task.plain(answer),
                "confidence": round(confidence, 4),
            }
        files.write_json(stage / EXAMPLES, labels)
        write_card(stage, card)
        return versions.commit(stage, meta)


def audit_credit(
    folder: Path, task: AnyTask, audit: Sequence[Example], active: Relabelling | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Compares candidate and active version with the audit labels.

    Of several controls, those count that the active version knows: a new one would be compared
    with nothing.

    Args:
        folder: The folder of the training.
        task: The project's task.
        audit: The examples that judge.
        active: The reading of the active version in the labels of now; None for the same labels.

    Returns:
        The candidate's credit for each audit example, (N,) in [0, 1]; the same of the active
        version, None if there is none to compare with.
    """
    truth = [example.answer for example in audit]
    candidate = _predicted(folder / files.AUDIT_SCORES, task, audit) if audit else []
    if not (folder / files.ACTIVE_AUDIT_SCORES).exists():
        return task.credit(truth, candidate), None
    rival = _predicted(folder / files.ACTIVE_AUDIT_SCORES, task, audit, active)
    truth = [in_common(right, given) for right, given in zip(truth, rival, strict=True)]
    return task.credit(truth, candidate), task.credit(truth, rival)


def unseen(
    versions: ProjectStore, version: str | None, audit: Sequence[Example]
) -> NDArray[np.bool_]:
    """Returns which audit examples a version was not trained on, (N,).

    Audit tasks are drawn by id: a text that is imported again under another id may have trained.
    """
    stored = {} if version is None else files.read_json(versions.open(version) / EXAMPLES)
    labels = [label for label in stored.values() if isinstance(label, dict)]
    trained = {label["digest"] for label in labels if not label["audit"]}
    return np.array([example.digest not in trained for example in audit], dtype=np.bool_)


def _predicted(
    path: Path, task: AnyTask, examples: Sequence[Example], reading: Relabelling | None = None
) -> list[Any]:
    """Returns the answers that saved scores stand for, before calibration."""
    scores, langs = Scores.load(path), [example.lang for example in examples]
    source = task if reading is None else reading.source
    predictions = interpret(source, scores, langs, Calibration())
    predictions = predictions if reading is None else reading.read(predictions)
    return [suggestion.answer for suggestion in predictions.suggestions]


def _confidence(folder: Path, task: AnyTask, audit: Sequence[Example]) -> list[float]:
    """Returns the calibrated confidence of each answer, as people see it in Label Studio."""
    if not audit:
        return []
    scores, langs = Scores.load(folder / files.AUDIT_SCORES), [example.lang for example in audit]
    predictions = interpret(task, scores, langs, Calibration.load(folder / files.MODEL))
    return [float(suggestion.confidence) for suggestion in predictions.suggestions]


def folder_of(versions: ProjectStore, version: str | None) -> Path | None:
    """Returns the folder of a version; None if there is none, or if it is damaged."""
    if version is None:
        return None
    try:
        return versions.open(version)
    except CorruptVersionError:
        return None


def reading_of(
    versions: ProjectStore, version: str | None, task: AnyTask, renames: Renames
) -> Relabelling | None:
    """Returns the reading of a version in the labels of now; None if it is unusable or lost."""
    if version is None:
        return None
    try:
        versions.open(version)
        return relabelling(task_of(versions.meta(version)), task, renames)
    except CorruptVersionError:
        return None


def calibration(versions: ProjectStore, version: str) -> Calibration:
    """Reads the calibration of a version's logits."""
    return Calibration.load(versions.open(version))


def accuracy(versions: ProjectStore, version: str | None) -> dict[str, dict[str, float]]:
    """Maps languages to the accuracy of a version on audit labels when it was made."""
    if version is None:
        return {}
    try:
        scores = versions.meta(version).metrics.get("audit")
    except CorruptVersionError:
        return {}
    return {lang: dict(s) for lang, s in scores.items()} if isinstance(scores, dict) else {}
