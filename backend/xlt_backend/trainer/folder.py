"""Folder shared by a round and its training process: the plan, its data and its results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from xlt.data.examples import Example, TaskKind, TaskSpec
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
        spec: The project's task.
        config: Hyper-parameters that differ from the defaults.
        model: Folder of the model to score with.
        active: Folder of the active model, to compare with on the audit examples.
        adapted: Folder for the adapted encoder.
        source: Language that it is adapted from.
        translations: Table of sentences and their translations into the source language.
        lexicon: Table of words and their translations.
        threads: CPU threads; 0: one per core.
        nice: Niceness of the process.
    """

    mode: Mode
    spec: TaskSpec
    config: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    active: str | None = None
    adapted: str | None = None
    source: str = ""
    translations: str | None = None
    lexicon: str | None = None
    threads: int = 0
    nice: int = 10


def write_plan(folder: Path, plan: TrainPlan) -> None:
    """Writes a plan."""
    value = asdict(plan) | {"spec": {"kind": plan.spec.kind.value, "labels": plan.spec.labels}}
    write_json(folder / PLAN, value)


def read_plan(folder: Path) -> TrainPlan:
    """Reads what `write_plan` wrote."""
    value = read_json(folder / PLAN)
    spec = value.pop("spec")
    kind, labels = TaskKind(spec["kind"]), tuple(spec["labels"])
    return TrainPlan(**value, spec=TaskSpec(kind=kind, labels=labels))


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Writes one JSON object per example and line."""
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def read_examples(path: Path) -> list[Example]:
    """Reads what `write_examples` wrote; returns no examples if there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [Example(**json.loads(line)) for line in file]


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
