"""Temperatures that make probabilities honest, one per language, shrunk towards the pooled one.

The scale of a model's logits differs from language to language: XLM-R trained on English is far
too sure of Swahili (Ahuja et al. 2022). Fit on labels of randomly drawn (audit) tasks only:
actively chosen ones are the hard ones and would make every temperature too high.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.errors import DataError

_LOWEST, _HIGHEST = 0.25, 10.0
_HALVINGS = 50
#: Labels at which the pooled optimum weighs as much as "leave it as it is" (temperature 1).
_POOLED_PRIOR = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Divisors of the logits.

    Attributes:
        temperatures: Language (as of `normalise`) -> temperature; others take the pooled one.
        pooled: Temperature of all languages together; 1 leaves probabilities as they are.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    pooled: float = 1.0

    def __post_init__(self) -> None:
        for value in (self.pooled, *self.temperatures.values()):
            if not (math.isfinite(value) and value > 0):
                raise DataError(f"a temperature must be a number above 0, got {value}")

    def apply(self, logits: NDArray[np.floating], langs: Sequence[str]) -> NDArray[np.float64]:
        """Class probabilities (N, C) of `logits` (N, C) of texts in `langs` (N).

        Raises:
            DataError: If there are not as many languages as rows.
        """
        if len(langs) != len(logits):
            raise DataError(f"expected {len(logits)} languages, one per row, got {len(langs)}")
        of = {lang: self.temperatures.get(normalise(lang), self.pooled) for lang in set(langs)}
        temperature = np.array([of[lang] for lang in langs], dtype=np.float64).reshape(-1, 1)
        return _softmax(np.asarray(logits, dtype=np.float64) / temperature)

    def to_json(self) -> dict[str, object]:
        """The calibration as JSON-ready values."""
        return {"pooled": self.pooled, "temperatures": dict(self.temperatures)}

    @classmethod
    def from_json(cls, value: object) -> Calibration:
        """Reads what `to_json` wrote.

        Raises:
            DataError: If it is not that.
        """
        try:
            assert isinstance(value, dict)
            temperatures = {str(k): float(v) for k, v in value["temperatures"].items()}
            return cls(pooled=float(value["pooled"]), temperatures=temperatures)
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"expected pooled and temperatures of a calibration, got {value!r}"
            ) from error


def fit(
    logits: NDArray[np.floating],
    label_indices: NDArray[np.integer],
    langs: Sequence[str],
    *,
    prior_strength: float = 100.0,
) -> Calibration:
    """Fits temperatures on audit labels; no labels give the identity.

    `log T_l = (n_l log T^_l + k log T) / (n_l + k)` with k = `prior_strength`; the pooled T is
    shrunk towards 1 in the same way, so that a handful of labels changes little. Temperatures
    stay within [0.25, 10].

    Args:
        logits: (N, C).
        label_indices: (N,) right classes.
        langs: N language codes.
        prior_strength: Labels at which a language's own optimum weighs as much as the pooled one.

    Raises:
        DataError: If lengths disagree, a logit is not finite or a label is no class.
    """
    z, y = _checked(logits, label_indices, langs)
    pooled = _shrunk(z, y, 1.0, _POOLED_PRIOR)
    keys = np.array([normalise(lang) for lang in langs], dtype=object)
    temperatures = {
        key: _shrunk(z[keys == key], y[keys == key], pooled, prior_strength)
        for key in dict.fromkeys(keys.tolist())
    }
    return Calibration(temperatures=temperatures, pooled=pooled)


def best_temperature(logits: NDArray[np.floating], label_indices: NDArray[np.integer]) -> float:
    """The temperature in [0.25, 10] with the least negative log-likelihood.

    The loss is convex in 1/T, so its slope `E_p[z] - z_y` is bisected.

    Args:
        logits: (N, C), N >= 1.
        label_indices: (N,) right classes.
    """
    z = np.asarray(logits, dtype=np.float64)
    z = z - z.max(axis=1, keepdims=True)
    right = z[np.arange(len(z)), label_indices]
    low, high = math.log(1 / _HIGHEST), math.log(1 / _LOWEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = float(((_softmax(z * math.exp(middle)) * z).sum(axis=1) - right).sum())
        low, high = (low, middle) if slope > 0 else (middle, high)
    return math.exp(-(low + high) / 2)


def _shrunk(
    logits: NDArray[np.float64], labels: NDArray[np.intp], towards: float, strength: float
) -> float:
    n = len(logits)
    if n == 0:
        return towards
    own = math.log(best_temperature(logits, labels))
    return math.exp((n * own + strength * math.log(towards)) / (n + strength))


def _checked(
    logits: NDArray[np.floating], label_indices: NDArray[np.integer], langs: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    z, y = np.asarray(logits, dtype=np.float64), np.asarray(label_indices, dtype=np.intp)
    if z.ndim != 2 or y.shape != (len(z),) or len(langs) != len(z):
        raise DataError(
            f"expected logits (N, C), N labels and N languages, got {z.shape}, {y.shape} and "
            f"{len(langs)}"
        )
    if not np.isfinite(z).all():
        rows = np.flatnonzero(~np.isfinite(z).all(axis=1))[:5].tolist()
        raise DataError(f"logits must be finite; not so in rows {rows}")
    if len(y) and (int(y.min()) < 0 or int(y.max()) >= z.shape[1]):
        raise DataError(
            f"labels must be in 0..{z.shape[1] - 1}, got {int(y.min())}..{int(y.max())}"
        )
    return z, y


def _softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(z - z.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
