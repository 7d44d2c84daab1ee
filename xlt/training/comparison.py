"""Comparison of a fine-tuned model with a frozen one, as it is kept beside the model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xlt.disk.durable import replace_file
from xlt.tasks.intervals import Interval

#: Its file in a model's folder.
COMPARISON = "comparison.json"

_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Comparison of the learners on labels that neither of them has seen.

    Attributes:
        chosen: The learner that is used, "frozen" or "joint".
        labels: Number of labels that there were.
        judged: Number of them that were left out and judged; 0 if they were too few.
        frozen: Mean credit of the frozen model on those, in [0, 1].
        joint: The same of the fine-tuned model.
        gain: Joint minus frozen, with its paired 95 % interval; None if they were not compared.
        frozen_seconds: Time of the frozen model's training.
        joint_seconds: Time of the fine-tuning.
        settings: Digest of the settings that both were trained with.
        note: Why they were not compared; empty if they were.
    """

    chosen: str
    labels: int
    judged: int = 0
    frozen: float = 0.0
    joint: float = 0.0
    gain: Interval | None = None
    frozen_seconds: float = 0.0
    joint_seconds: float = 0.0
    settings: str = ""
    note: str = ""

    @property
    def words(self) -> str:
        """Describes the choice and its reason in one line."""
        name = {"frozen": "a frozen model", "joint": "fine-tuning"}[self.chosen]
        if self.gain is None:
            return f"{name} is used: {self.note}"
        times = self.joint_seconds / max(self.frozen_seconds, _LEAST_SECONDS)
        return (
            f"{name} is used: fine-tuning has {100 * self.joint:.1f} % on {self.judged} labels "
            f"left out, a frozen model {100 * self.frozen:.1f} % ({100 * self.gain.value:+.1f}, "
            f"95 % interval {100 * self.gain.low:+.1f} to {100 * self.gain.high:+.1f}), "
            f"for {times:.3g} times the time; compared at {self.labels} labels"
        )

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON values, with its words."""
        return asdict(self) | {"words": self.words}

    def write(self, folder: Path) -> None:
        """Writes it into a model's folder."""
        replace_file(folder / COMPARISON, json.dumps(self.to_json(), indent=1).encode())


def read_comparison(folder: Path | None) -> Comparison | None:
    """Reads the comparison that a model's training kept; None if it has none or it is damaged."""
    if folder is None:
        return None
    try:
        value = json.loads((folder / COMPARISON).read_text("utf-8"))
        value.pop("words")
        gain = value["gain"] and Interval(**value["gain"])
        found = Comparison(**{**value, "gain": gain})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    valid = found.chosen in ("frozen", "joint") and isinstance(found.labels, int)
    return found if valid else None
