"""The file of finished cells, one JSON line each, from which a stopped simulation continues."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlt.errors import DataError

_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One finished learning curve.

    Attributes:
        setup: Digest of data, encoder and settings; only cells of one setup are compared.
        strategy: Name of its strategy.
        seed: Its seed.
        seconds: Duration.
        points: As `xlt.simulate.learning_curve.run_cell` returns them.
    """

    setup: str
    strategy: str
    seed: int
    seconds: float
    points: Sequence[Mapping[str, Any]]


def append(file: Path, cell: Cell) -> None:
    """Adds one line by one write, so that no other process reads or splits half a line."""
    row = {
        "setup": cell.setup,
        "strategy": cell.strategy,
        "seed": cell.seed,
        "seconds": round(cell.seconds, 2),
        "points": list(cell.points),
    }
    line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def finished(file: Path, setup: str) -> list[Cell]:
    """Reads the cells of a setup; of equal cells, the last one.

    Cuts off a line without an end: the machine stopped while it was written. Without a file there
    are no cells.

    Raises:
        DataError: If a line is not a cell.
    """
    if not file.is_file():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(file, len(whole))
    cells: dict[tuple[str, int], Cell] = {}
    for number, line in enumerate(whole.decode().splitlines(), start=1):
        try:
            cell = Cell(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{file}, line {number} is not a cell of a simulation: remove this line or use "
                "another folder"
            ) from error
        if cell.setup == setup:
            cells[cell.strategy, cell.seed] = cell
    return list(cells.values())
