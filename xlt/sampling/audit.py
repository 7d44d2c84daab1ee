"""Which tasks are audit tasks: a uniformly random share of all, decided without any state.

Audit labels judge and calibrate the model and never train it. Whether a task is one depends on
nothing but its id and the project's salt, so every process, round and restart agrees, the set does
not depend on what a model thinks, and tasks that come later join it with the same chance.
"""

from __future__ import annotations

import hashlib

from xlt.errors import ConfigError

_SPAN = 1 << 64


def is_audit(id: str, *, share: float, salt: str) -> bool:
    """Whether the task `id` belongs to the `share` of audit tasks of the project `salt`.

    A larger share keeps every audit task of a smaller one.

    Raises:
        ConfigError: If `share` is not in [0, 1].
    """
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"audit share must be in [0, 1], got {share}")
    digest = hashlib.sha256(f"{salt}\x00{id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * _SPAN
