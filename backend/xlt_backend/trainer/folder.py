"""The folder that a round and its training process share: what to do, and what came of it."""

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
class Plan:
    """What the training process is to do.

    Attributes:
        mode: `train` a model and score with it, `score` with one that is there, `embed` the pool
            with the untrained encoder, or `adapt` that encoder and judge whether it is better.
        spec: What is labelled.
        config: Hyper-parameters that differ from the defaults.
        model: Folder of the model to score with.
        active: Folder of the active model, to be compared on the audit examples.
        adapted: Folder for the adapted encoder.
        source: Language that it is adapted from.
        translations: Table of sentences and their translations into the source language.
        lexicon: Table of words, likewise.
        threads: CPU threads; 0: as many as there are cores.
        nice: How far the process gives way to others.
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


def write_plan(folder: Path, plan: Plan) -> None:
    """Writes what is to be done."""
    value = asdict(plan) | {"spec": {"kind": plan.spec.kind.value, "labels": plan.spec.labels}}
    write_json(folder / PLAN, value)


def read_plan(folder: Path) -> Plan:
    """Reads what `write_plan` wrote."""
    value = read_json(folder / PLAN)
    spec = value.pop("spec")
    kind, labels = TaskKind(spec["kind"]), tuple(spec["labels"])
    return Plan(**value, spec=TaskSpec(kind=kind, labels=labels))


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """One JSON object per example and line."""
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def read_examples(path: Path) -> list[Example]:
    """Reads what `write_examples` wrote; no file, no examples."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [Example(**json.loads(line)) for line in file]


def write_json(path: Path, value: object) -> None:
    """Writes a JSON file."""
    path.write_bytes(as_json(value))


def as_json(value: object) -> bytes:
    """A value as the text of a JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        TrainerError: If the file is not there or is not one.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError(f"cannot read {path.name}: {error}") from error
    if not isinstance(value, dict):
        raise TrainerError(f"{path.name} must hold an object, got {type(value).__name__}")
    return value
