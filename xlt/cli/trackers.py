"""Names of experiment trackers: those that a training can log to, if they are installed."""

from __future__ import annotations

from importlib.util import find_spec

from xlt.errors import ConfigError

#: Trackers by their names in Accelerate, which are those of their packages too.
TRACKERS = ("tensorboard", "trackio", "wandb", "mlflow")


def read_trackers(text: str) -> tuple[str, ...]:
    """Reads names of trackers, separated by commas; returns each once.

    Raises:
        ConfigError: If one is not known, or its package is not installed.
    """
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in TRACKERS:
            raise ConfigError(f"unknown tracker {name!r}, expected some of {', '.join(TRACKERS)}")
        if find_spec(name) is None:
            raise ConfigError(f"the tracker {name} is not installed: pip install {name}")
    return names
