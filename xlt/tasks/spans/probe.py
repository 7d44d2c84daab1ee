"""Probe: there is none, because a sentence vector does not tell the places of spans."""

from __future__ import annotations

from typing import NoReturn

from xlt.errors import DataError


def probe() -> NoReturn:
    """Refuses; see `xlt.tasks.probes.has_probe`.

    Raises:
        DataError: Always.
    """
    raise DataError("spans have no quick model: sentence vectors do not tell where they are")
