"""Folder shared by a round and its training process: the plan, its data and its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from xlt.tasks.kinds import task_from_json
from xlt.tasks.task import AnyTask
from xlt_backend.errors import TrainerError

PLAN, RESULT, ERROR = "plan.json", "result.json", "error.json"
LABELLED, AUDIT, POOL = "labelled.jsonl", "audit.jsonl", "pool.jsonl"
MODEL, CHECKPOINTS = "model", "checkpoints"

#: Scores of the labelled, audit and pool examples by the model; of the audit by the active one.
LABELLED_SCORES, AUDIT_SCORES, POOL_SCORES = "labelled.npz", "audit.npz", "pool.npz"
ACTIVE_AUDIT_SCORES = "active_audit.npz"

Mode = Literal["train", "score", "embed", "adapt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """The plan of a training process.

    Attributes:
        mode: `train` a model and score with it, `score` with a saved one, `embed` the pool with the
            untrained encoder, or `adapt` that encoder and judge whether the result is better.
        task: The project's task.
        config: Hyper-parameters that differ from the defaults.
        model: Folder of the model to score with.
        active: Folder of the active model, to compare with on the audit examples.
        sibling: Folder of an earlier model, whose encoder's files a frozen model may copy.
        cache: File with what frozen encoders say of texts.
        cache_bytes: Largest size of that file.
        adapted: Folder for the adapted encoder.
        source: Language that it is adapted from.
        translations: Table of sentences and their translations into the source language.
        lexicon: Table of words and their translations.
        trackers: Experiment trackers to log a training to.
        tracker_project: Project that its run belongs to.
        tracker_run: Name of the run.
        tracker_folder: Where TensorBoard writes.
        threads: CPU threads; 0: one per core.
        nice: Niceness of the process.
    """

    mode: Mode
    task: AnyTask
    config: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    active: str | None = None
    sibling: str | None = None
    cache: str | None = None
    cache_bytes: int = 0
    adapted: str | None = None
    source: str = ""
    translations: str | None = None
    lexicon: str | None = None
    trackers: list[str] = field(default_factory=list)
    tracker_project: str = ""
    tracker_run: str = ""
    tracker_folder: str = ""
    threads: int = 0
    nice: int = 10


def write_plan(folder: Path, plan: TrainPlan) -> None:
    """Writes a plan."""
    write_json(folder / PLAN, asdict(plan) | {"task": plan.task.to_json()})


def read_plan(folder: Path) -> TrainPlan:
    """Reads what `write_plan` wrote.

    Raises:
        TrainerError: If there is no plan.
        DataError: If it has no task.
    """
    value = read_json(folder / PLAN)
    former = value.pop("spec", None)  # of a worker of xlt 0.1 that still runs
    task = task_from_json(value.pop("task", former))
    return TrainPlan(**value, task=task)


def write_json(path: Path, value: object) -> None:
    """Writes a JSON file."""
    path.write_bytes(as_json(value))


def as_json(value: object) -> bytes:
    """Returns a value as the text of a JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        TrainerError: If the file is missing or holds no object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError(f"cannot read {path.name}: {error}") from error
    if not isinstance(value, dict):
        raise TrainerError(f"{path.name} must hold an object, got {type(value).__name__}")
    return value
