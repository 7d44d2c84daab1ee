"""Temperature scaling, one temperature per language, shrunk towards the pooled one.

The scale of a model's logits differs from language to language: XLM-R trained on English is far
too sure of Swahili (Ahuja et al. 2022). Fit temperatures on labels of randomly drawn (audit) tasks
only: selected tasks are harder and would make every temperature too high.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import macrolanguage, normalise
from xlt.errors import DataError

#: The calibration's file in a model's folder.
FILE = "calibration.json"

#: Function from logits to probabilities: one distribution over all columns, or one per column.
Link = Literal["softmax", "sigmoid"]

_LOWEST, _HIGHEST = 0.25, 10.0
_HALVINGS = 50
#: Logits that differ by less prefer nothing.
_FLAT = 1e-6
#: Labels at which the pooled optimum weighs as much as temperature 1.
_POOLED_PRIOR = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Temperatures, which divide the logits.

    Attributes:
        temperatures: Normalised language -> temperature. Others have that of their macrolanguage,
            or else the pooled one.
        pooled: Temperature of all languages together; 1 leaves probabilities as they are.
        parts: Name of each control of a task with several -> its calibration; else empty.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    pooled: float = 1.0
    parts: Mapping[str, Calibration] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for value in (self.pooled, *self.temperatures.values()):
            if not (math.isfinite(value) and value > 0):
                raise DataError(f"a temperature must be a number above 0, got {value}")

    def apply(
        self, logits: NDArray[np.floating], langs: Sequence[str], link: Link
    ) -> NDArray[np.float64]:
        """Returns the probabilities (N, W) of `logits` (N, W) of texts in `langs` (N).

        Raises:
            DataError: If the number of languages is not the number of rows.
        """
        if len(langs) != len(logits):
            raise DataError(f"expected {len(logits)} languages, one per row, got {len(langs)}")
        each = {lang: self.temperature(lang) for lang in set(langs)}
        temperature = np.array([each[lang] for lang in langs], dtype=np.float64).reshape(-1, 1)
        return probabilities(np.asarray(logits, dtype=np.float64) / temperature, link)

    def knows(self, lang: str) -> bool:
        """Returns whether labels of a language, or of its macrolanguage, were there to fit on."""
        return not {normalise(lang), macrolanguage(lang)}.isdisjoint(self.temperatures)

    def temperature(self, lang: str) -> float:
        """Returns the temperature of a language."""
        of_macrolanguage = self.temperatures.get(macrolanguage(lang) or "", self.pooled)
        return self.temperatures.get(normalise(lang), of_macrolanguage)

    def to_json(self) -> dict[str, object]:
        """Returns the calibration as JSON-ready values."""
        own: dict[str, object] = {"pooled": self.pooled, "temperatures": dict(self.temperatures)}
        parts = {name: part.to_json() for name, part in self.parts.items()}
        return own | ({"parts": parts} if parts else {})

    @classmethod
    def from_json(cls, value: object) -> Calibration:
        """Reads a calibration that `to_json` returned.

        Raises:
            DataError: If it is no calibration.
        """
        try:
            assert isinstance(value, dict)
            temperatures = {normalise(k): float(v) for k, v in value["temperatures"].items()}
            parts = {name: cls.from_json(part) for name, part in value.get("parts", {}).items()}
            return cls(pooled=float(value["pooled"]), temperatures=temperatures, parts=parts)
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"expected pooled and temperatures of a calibration, got {value!r}"
            ) from error

    def save(self, folder: Path) -> None:
        """Writes the calibration of the model in `folder`."""
        (folder / FILE).write_text(json.dumps(self.to_json(), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """Reads the calibration of the model in `folder`; temperature 1 if it has none.

        Raises:
            DataError: If the file cannot be read.
        """
        file = folder / FILE
        if not file.is_file():
            return cls()
        try:
            return cls.from_json(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {file}: {error}") from error


def probabilities(logits: NDArray[np.float64], link: Link) -> NDArray[np.float64]:
    """Returns the probabilities (N, W) of logits (N, W)."""
    if link == "sigmoid":
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))
    e = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def fit(
    logits: NDArray[np.floating],
    targets: NDArray[np.floating],
    langs: Sequence[str],
    link: Link,
    *,
    prior_strength: float = 100.0,
    rows_per_label: float = 1.0,
) -> Calibration:
    """Fits temperatures on audit labels; without labels all are 1.

    `log T_l = (n_l log T^_l + k log T) / (n_l + k)` with k = `prior_strength`; the pooled T is
    shrunk towards 1 in the same way, so that a few labels change little. Temperatures stay within
    [0.25, 10].

    Args:
        logits: (N, W).
        targets: (N, W) in [0, 1], the right probabilities.
        langs: N language codes.
        link: Function from logits to probabilities.
        prior_strength: Labels at which a language's own optimum weighs as much as the pooled one.
        rows_per_label: Number of rows that weigh as much as a label.

    Raises:
        DataError: If lengths disagree or a logit is not finite.
    """
    z, y = _checked(logits, targets, langs)
    pooled = _shrunk(z, y, link, 1.0, _POOLED_PRIOR * rows_per_label)
    keys = np.array([normalise(lang) for lang in langs], dtype=object)
    temperatures = {
        key: _shrunk(z[keys == key], y[keys == key], link, pooled, prior_strength * rows_per_label)
        for key in dict.fromkeys(keys.tolist())
    }
    return Calibration(temperatures=temperatures, pooled=pooled)


def best_temperature(
    logits: NDArray[np.floating],
    targets: NDArray[np.floating],
    link: Link,
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Returns the temperature in [0.25, 10] with the least negative log-likelihood.

    The loss is convex in 1/T, so its slope `sum_w (p_w - y_w) z_w` is bisected. It is 1 if the
    logits prefer nothing, so that all temperatures are as good.

    Args:
        logits: (N, W), N >= 1.
        targets: (N, W) in [0, 1], the right probabilities.
        link: Function from logits to probabilities.
        weights: (N,) >= 0; None for equal weights.
    """
    z = np.asarray(logits, dtype=np.float64)
    if link == "softmax":
        z = z - z.max(axis=1, keepdims=True)
    if np.abs(z).max() < _FLAT:
        return 1.0
    share = np.ones(len(z)) if weights is None else np.asarray(weights, dtype=np.float64)
    right = (z * targets).sum(axis=1)
    low, high = math.log(1 / _HIGHEST), math.log(1 / _LOWEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        p = probabilities(z * math.exp(middle), link)
        slope = float(((p * z).sum(axis=1) - right) @ share)
        low, high = (low, middle) if slope > 0 else (middle, high)
    return math.exp(-(low + high) / 2)


def _shrunk(
    logits: NDArray[np.float64],
    targets: NDArray[np.float64],
    link: Link,
    towards: float,
    strength: float,
) -> float:
    n = len(logits)
    if n == 0:
        return towards
    own = math.log(best_temperature(logits, targets, link))
    return math.exp((n * own + strength * math.log(towards)) / (n + strength))


def _checked(
    logits: NDArray[np.floating], targets: NDArray[np.floating], langs: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z, y = np.asarray(logits, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if z.ndim != 2 or y.shape != z.shape or len(langs) != len(z):
        raise DataError(
            f"expected logits (N, W), targets (N, W) and N languages, got {z.shape}, {y.shape} and "
            f"{len(langs)}"
        )
    if not np.isfinite(z).all():
        rows = np.flatnonzero(~np.isfinite(z).all(axis=1))[:5].tolist()
        raise DataError(f"logits must be finite; see rows {rows}")
    return z, y
