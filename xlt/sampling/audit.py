"""Audit tasks: a uniformly random share of all tasks, drawn without any state.

Audit labels judge and calibrate the model and never train it. The draw depends only on the task's
id and the project's salt. So every process, round and restart draws the same tasks, no model
influences the draw, and tasks that come later are drawn with the same chance.
"""

from __future__ import annotations

import hashlib

from xlt.errors import ConfigError

_SPAN = 1 << 64


def is_audit(id: str, *, share: float, salt: str) -> bool:
    """Tells whether the task `id` is an audit task of the project `salt`.

    A larger share keeps every audit task of a smaller one.

    Raises:
        ConfigError: If `share` is not in [0, 1].
    """
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"audit share must be in [0, 1], got {share}")
    digest = hashlib.sha256(f"{salt}\x00{id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * _SPAN
