"""Names of model versions, and of orders made without a model."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

#: `v0001-…` is a version in the store, `start-…` an order made without a model. Predictions of a
#: version that are read in other labels have a digest of these behind its name.
_OURS = re.compile(r"(v\d{4,}-\d{8}T\d{6}(\.[0-9a-f]{8})?|start-\d{8}T\d{6})")


def is_ours(version: str) -> bool:
    """Returns whether xlt made the predictions of a version."""
    return _OURS.fullmatch(version) is not None


def published(version: str, changed: Mapping[str, str]) -> str:
    """Returns the name under which Label Studio has a version's predictions.

    Predictions are stored with their labels: in other labels they are others, with another name.

    Args:
        version: The version.
        changed: Label of the model -> the label that it is read as, if that is another.
    """
    if not changed:
        return version
    content = json.dumps(sorted(changed.items()), ensure_ascii=False)
    return f"{version}.{hashlib.blake2s(content.encode(), digest_size=4).hexdigest()}"


def newest(remembered: str | None, stored: str) -> str:
    """Returns the version that a project shows when its state is not available.

    This is the active version, unless an order without a model is newer. Such an order replaces
    versions that an edit of the labels made unusable.

    Args:
        remembered: The version that the project showed last; None if unknown.
        stored: The active version in the store; empty if there is none.
    """
    if remembered is None or not stored:
        return remembered or stored
    if remembered.startswith(f"{stored}."):
        return remembered
    later = remembered.rpartition("-")[2] > stored.rpartition("-")[2]
    return remembered if is_start(remembered) and later else stored


def is_start(version: str | None) -> bool:
    """Returns whether a version is an order that was made without a model."""
    return version is not None and version.startswith("start-")
