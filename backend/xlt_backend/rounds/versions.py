"""What a version's folder holds beside the model, and what the versions say together."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from xlt.errors import CorruptVersionError, XltError
from xlt.store.versions import ProjectStore, VersionMeta
from xlt.tasks import calibration as calibrate
from xlt.tasks import metrics
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Scores
from xlt_backend.rounds.decide import Known, Trained
from xlt_backend.rounds.judge import Verdict
from xlt_backend.rounds.snapshot import Snapshot
from xlt_backend.trainer import folder as files

logger = logging.getLogger(__name__)

#: Labels that were there when it was trained; how its logits are calibrated.
EXAMPLES, CALIBRATION = "examples.json", "calibration.json"


def known(
    versions: ProjectStore, *, failed_hash: str, first_new_at: float | None
) -> tuple[Known, list[str]]:
    """What the store has; versions with damaged files count as not there, and are named."""
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
    found = Known(
        active=active,
        versions=tuple(trained),
        used=used,
        failed_hash=failed_hash,
        first_new_at=first_new_at,
    )
    return found, damaged


def save(
    versions: ProjectStore,
    folder: Path,
    snapshot: Snapshot,
    *,
    data: str,
    verdict: Verdict,
    details: Mapping[str, Any],
) -> str:
    """Makes the model that was trained in `folder` a version; returns its name.

    Raises:
        StoreError: If it cannot be written; nothing is there then.
    """
    audit = Scores.load(folder / files.AUDIT_SCORES).logits if snapshot.audit else np.zeros((0, 0))
    langs = [example.lang for example in snapshot.audit]
    truth = [str(example.label) for example in snapshot.audit]
    indices = np.array([snapshot.spec.index(label) for label in truth], dtype=np.intp)
    predicted = [snapshot.spec.labels[i] for i in audit.argmax(axis=1)] if truth else []
    calibration = calibrate.fit(audit, indices, langs) if truth else Calibration()
    accuracy = metrics.per_language(truth, predicted, langs)
    meta = VersionMeta(
        data_hash=data,
        label_counts=dict(Counter(example.lang for example in snapshot.train)),
        metrics={"audit": {lang: asdict(score) for lang, score in accuracy.items()}},
        details={
            "labels": list(snapshot.spec.labels),
            "refused": verdict.worse,
            "verdict": verdict.reason,
            **details,
        },
    )
    with versions.stage() as stage:
        for path in (folder / files.MODEL).iterdir():
            shutil.copy2(path, stage / path.name)
        files.write_json(stage / CALIBRATION, calibration.to_json())
        files.write_json(stage / EXAMPLES, snapshot.labels)
        return versions.commit(stage, meta)


def right_answers(folder: Path, snapshot: Snapshot) -> tuple[list[bool], list[bool] | None]:
    """Which audit examples the candidate gets right, and which the active version does.

    The second is None where there is nothing to compare with.
    """
    truth = [example.label for example in snapshot.audit]

    def right(name: str) -> list[bool]:
        best = Scores.load(folder / name).logits.argmax(axis=1)
        return [snapshot.spec.labels[i] == label for i, label in zip(best, truth, strict=True)]

    candidate = right(files.AUDIT_SCORES) if truth else []
    compared = (folder / files.ACTIVE_AUDIT_SCORES).exists()
    return candidate, right(files.ACTIVE_AUDIT_SCORES) if compared else None


def comparable(versions: ProjectStore, version: str | None, snapshot: Snapshot) -> Path | None:
    """The folder of a version that can be compared on the snapshot's audit labels."""
    if version is None or not snapshot.audit:
        return None
    try:
        same = labels_of(versions.meta(version)) == snapshot.spec.labels
        return versions.open(version) if same else None
    except CorruptVersionError:
        return None


def calibration(versions: ProjectStore, version: str) -> Calibration:
    """How the logits of a version become probabilities."""
    return Calibration.from_json(files.read_json(versions.open(version) / CALIBRATION))


def accuracy(versions: ProjectStore, version: str | None) -> dict[str, dict[str, float]]:
    """Language -> what audit labels said of a version when it was made."""
    if version is None:
        return {}
    try:
        found = versions.meta(version).metrics.get("audit")
    except CorruptVersionError:
        return {}
    return {lang: dict(score) for lang, score in found.items()} if isinstance(found, dict) else {}


def labels_of(meta: VersionMeta) -> tuple[str, ...]:
    """The label set that a version was trained for."""
    found = meta.details.get("labels")
    return tuple(str(label) for label in found) if isinstance(found, (list, tuple)) else ()
