"""Labelled tasks that are most like a task, by the vectors that rounds keep of a version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.frozen.centres import fit_centres
from xlt.store.versions import ProjectStore
from xlt_backend.rounds.known import EXAMPLES
from xlt_backend.trainer import scorecache
from xlt_backend.trainer.folder import read_json

#: Labelled tasks that people see.
COUNT = 5
#: Largest file of scores that is read while a person waits, in bytes.
MOST_BYTES = 400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A labelled task that is like another one.

    Attributes:
        task: Label Studio's id.
        lang: Its language.
        answer: Its answer when the version was trained, as JSON.
        similarity: Cosine of their vectors about the centres of their languages, in [-1, 1].
    """

    task: str
    lang: str
    answer: object
    similarity: float


class Nearest:
    """Finds labelled tasks that are like others.

    Args:
        work: Folder of the workers' folders; None if it is on another machine.
    """

    def __init__(self, work: Path | None) -> None:
        self._work = work

    def of(self, versions: ProjectStore, version: str, task: str) -> list[Near]:
        """Returns the labelled tasks most like a task, the nearest first, in any language.

        Audit tasks are not among them: models learn nothing from those.

        Args:
            versions: The project's versions.
            version: The version whose vectors are compared.
            task: Label Studio's id of the task.

        Returns:
            An empty list if no vector of the task is kept on this machine.

        Raises:
            StoreError: If the version cannot be read.
        """
        if self._work is None:
            return []
        path = self._work / versions.name / scorecache.file_of(version)
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return []
        kept = scorecache.load(path)
        row_of = {name: row for row, name in enumerate(kept.tasks.tolist()) if name}
        stored = read_json(versions.open(version) / EXAMPLES)
        labelled = [
            name
            for name, label in stored.items()
            if name in row_of and isinstance(label, dict) and not label.get("audit")
        ]
        if task not in row_of or not labelled:
            return []
        rows = [row_of[name] for name in labelled]
        near = _similarity(kept.scores.vectors, kept.langs.tolist(), rows, row_of[task])
        found = [
            Near(
                task=labelled[at],
                lang=str(kept.langs[rows[at]]),
                answer=stored[labelled[at]]["answer"],
                similarity=float(near[at]),
            )
            for at in np.argsort(-near, kind="stable").tolist()[: COUNT + 1]
        ]
        return [each for each in found if each.task != task][:COUNT]


def _similarity(
    vectors: NDArray[np.float32], langs: list[str], rows: list[int], row: int
) -> NDArray[np.float32]:
    """Returns the cosines (L,) of L rows with one, about the centres of the L rows' languages."""
    own = [langs[each] for each in rows]
    centres = fit_centres(vectors[rows], own)
    units = centres.units(vectors[rows], own)
    return np.asarray(np.clip(units @ centres.units(vectors[[row]], [langs[row]])[0], -1.0, 1.0))
