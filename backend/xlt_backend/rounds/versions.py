"""Versions of a project's model: their files beside the model, and their history."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from xlt.data.examples import Example, TaskSpec
from xlt.errors import CorruptVersionError, XltError
from xlt.store.versions import ProjectStore, VersionMeta
from xlt.tasks import calibration as calibrate
from xlt.tasks import metrics
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Scores
from xlt_backend.rounds.decide import Known, Trained
from xlt_backend.rounds.judge import Judgement
from xlt_backend.trainer import folder as files

logger = logging.getLogger(__name__)

#: The labels at the time of training; the calibration of its logits.
EXAMPLES, CALIBRATION = "examples.json", "calibration.json"


def known(
    versions: ProjectStore, *, failed_hash: str, first_new_at: float | None
) -> tuple[Known, list[str]]:
    """Reads the store's versions.

    Returns:
        The versions, and an error message for each one that is left out because it is damaged.
    """
    promoted = {change.version for change in versions.history() if change.action == "promoted"}
    active, names = versions.current(), versions.versions()
    trained: list[Trained] = []
    used: Mapping[str, str] = {}
    damaged: list[str] = []
    for name in names:
        try:
            meta = versions.meta(name)
            if name in (active, names[-1]):
                used = files.read_json(versions.open(name) / EXAMPLES)
        except XltError as error:
            logger.error("version %s: %s", name, error)
            damaged.append(str(error))
            continue
        trained.append(
            Trained(
                name=name,
                data_hash=meta.data_hash,
                labels=labels_of(meta),
                refused=bool(meta.details.get("refused")),
                promoted=name in promoted,
            )
        )
    known = Known(
        active=active,
        versions=tuple(trained),
        used=used,
        failed_hash=failed_hash,
        first_new_at=first_new_at,
    )
    return known, damaged


def save(
    versions: ProjectStore,
    folder: Path,
    task: TaskSpec,
    *,
    train: Sequence[Example],
    audit: Sequence[Example],
    data: str,
    judgement: Judgement,
    details: Mapping[str, Any],
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
        details: More facts about it.

    Raises:
        StoreError: If it cannot be written; no part of it is left then.
    """
    logits = Scores.load(folder / files.AUDIT_SCORES).logits if audit else np.zeros((0, 0))
    langs = [example.lang for example in audit]
    truth = [str(example.label) for example in audit]
    indices = np.array([task.index(label) for label in truth], dtype=np.intp)
    predicted = [task.labels[i] for i in logits.argmax(axis=1)] if truth else []
    calibration = calibrate.fit(logits, indices, langs) if truth else Calibration()
    accuracy = metrics.per_language(truth, predicted, langs)
    meta = VersionMeta(
        data_hash=data,
        label_counts=dict(Counter(example.lang for example in train)),
        metrics={"audit": {lang: asdict(score) for lang, score in accuracy.items()}},
        details={
            "labels": list(task.labels),
            "refused": judgement.worse,
            "verdict": judgement.reason,
            **details,
        },
    )
    with versions.stage() as stage:
        for path in (folder / files.MODEL).iterdir():
            shutil.copy2(path, stage / path.name)
        files.write_json(stage / CALIBRATION, calibration.to_json())
        files.write_json(stage / EXAMPLES, {e.id: e.label for e in (*train, *audit)})
        return versions.commit(stage, meta)


def right_answers(
    folder: Path, task: TaskSpec, audit: Sequence[Example]
) -> tuple[list[bool], list[bool] | None]:
    """Compares the answers of candidate and active version with the audit labels.

    Returns:
        For each audit example, whether the candidate is right; the same for the active version,
        None if there is none to compare with.
    """

    def right(name: str) -> list[bool]:
        best = Scores.load(folder / name).logits.argmax(axis=1)
        return [task.labels[i] == example.label for i, example in zip(best, audit, strict=True)]

    candidate = right(files.AUDIT_SCORES) if audit else []
    compared = (folder / files.ACTIVE_AUDIT_SCORES).exists()
    return candidate, right(files.ACTIVE_AUDIT_SCORES) if compared else None


def comparable(versions: ProjectStore, version: str | None, task: TaskSpec) -> Path | None:
    """Returns the folder of a version of the same task; None if it has another one or is lost."""
    if version is None:
        return None
    try:
        same = labels_of(versions.meta(version)) == task.labels
        return versions.open(version) if same else None
    except CorruptVersionError:
        return None


def calibration(versions: ProjectStore, version: str) -> Calibration:
    """Reads the calibration of a version's logits."""
    return Calibration.from_json(files.read_json(versions.open(version) / CALIBRATION))


def accuracy(versions: ProjectStore, version: str | None) -> dict[str, dict[str, float]]:
    """Maps languages to the accuracy of a version on audit labels when it was made."""
    if version is None:
        return {}
    try:
        scores = versions.meta(version).metrics.get("audit")
    except CorruptVersionError:
        return {}
    return {lang: dict(s) for lang, s in scores.items()} if isinstance(scores, dict) else {}


def labels_of(meta: VersionMeta) -> tuple[str, ...]:
    """Returns the label set that a version was trained for."""
    labels = meta.details.get("labels")
    return tuple(str(label) for label in labels) if isinstance(labels, (list, tuple)) else ()
