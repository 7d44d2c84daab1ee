"""Names of model versions and of orders made without a model."""

from __future__ import annotations

import re

#: Names of versions in the store, and of orders made without a model.
_OURS = re.compile(r"(v\d{4,}|start)-\d{8}T\d{6}")


def is_ours(version: str) -> bool:
    """Whether it names predictions that xlt made; those of others are left alone."""
    return _OURS.fullmatch(version) is not None


def newest(remembered: str | None, stored: str) -> str:
    """What a project shows, by what it showed once and by the store's active version.

    The active version, unless an order without a model was made since: versions that cannot be
    used any more, after an edit of the labels, are followed by one.
    """
    if remembered is None or not stored:
        return remembered or stored
    later = remembered.rpartition("-")[2] > stored.rpartition("-")[2]
    return remembered if is_start(remembered) and later else stored


def is_start(version: str | None) -> bool:
    """Whether it names an order that was made without a model."""
    return version is not None and version.startswith("start-")
