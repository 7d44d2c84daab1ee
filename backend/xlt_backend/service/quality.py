"""Quality of a version by label and by confidence, from its answers to audit tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from xlt.errors import XltError
from xlt.store.versions import ProjectStore
from xlt.tasks.kinds import task_from_json
from xlt.tasks.quality import Quality, by_language, quality
from xlt_backend.rounds.known import EXAMPLES, task_of
from xlt_backend.trainer.folder import as_json, read_json

_NONE = Quality(n=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionQuality:
    """Quality of a version.

    Attributes:
        version: The version; empty if there is none, or if its answers are not known.
        total: Of all languages together.
        languages: By language, as its accuracy names them.
    """

    version: str = ""
    total: Quality = _NONE
    languages: Mapping[str, Quality] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns all numbers by name."""
        return {
            "version": self.version,
            "total": self.total.to_json(),
            "languages": {lang: each.to_json() for lang, each in self.languages.items()},
        }


def quality_of(versions: ProjectStore, version: str | None) -> VersionQuality:
    """Judges a version by the audit labels that it was compared with when it was made.

    Returns:
        Without numbers if there is no version, or if an earlier xlt made it and wrote no answers.

    Raises:
        StoreError: If the store cannot be read.
    """
    if version is None:
        return VersionQuality()
    task = task_of(versions.meta(version))
    if task is None:
        return VersionQuality()
    return _read(versions.open(version), version, as_json(task.to_json()).decode())


@lru_cache(maxsize=64)  # a version is never changed
def _read(folder: Path, version: str, task_json: str) -> VersionQuality:
    task = task_from_json(json.loads(task_json))
    try:
        stored = read_json(folder / EXAMPLES)
        rows = [row for row in stored.values() if isinstance(row, dict) and "said" in row]
        truth = [task.read(row["answer"]) for row in rows]
        said = [task.read(row["said"]) for row in rows]
        langs = [str(row["lang"]) for row in rows]
    except (XltError, KeyError):
        return VersionQuality()
    known = rows and all("confidence" in row for row in rows)
    sure = [float(row["confidence"]) for row in rows] if known else None
    return VersionQuality(
        version=version,
        total=quality(task, truth, said, sure),
        languages=by_language(task, truth, said, langs, sure),
    )
