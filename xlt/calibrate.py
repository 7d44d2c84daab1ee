"""Temperatures that make probabilities honest, one per language, shrunk towards the pooled one.

The scale of a model's logits differs from language to language: XLM-R trained on English is far
too sure of Swahili (Ahuja et al. 2022). Fit on labels of randomly drawn (audit) tasks only:
actively chosen ones are the hard ones and would make every temperature too high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Divisors of the logits.

    Attributes:
        temperatures: Language -> temperature; a language not named takes the pooled one.
        pooled: Temperature of all languages together; 1 leaves probabilities as they are.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    pooled: float = 1.0

    def apply(self, logits: NDArray[np.floating], langs: Sequence[str]) -> NDArray[np.float64]:
        """Class probabilities (N, C) of `logits` (N, C) of texts in `langs` (N).

        Raises:
            DataError: If there are not as many languages as rows.
        """
        raise NotImplementedError

    def to_json(self) -> dict[str, object]:
        """The calibration as JSON-ready values."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, value: object) -> Calibration:
        """Reads what `to_json` wrote.

        Raises:
            DataError: If it is not that.
        """
        raise NotImplementedError


def fit(
    logits: NDArray[np.floating],
    label_indices: NDArray[np.integer],
    langs: Sequence[str],
    *,
    prior_strength: float = 100.0,
) -> Calibration:
    """Fits temperatures on audit labels; no labels give the identity.

    `log T_l = (n_l log T^_l + k log T) / (n_l + k)` with k = `prior_strength`.

    Args:
        logits: (N, C).
        label_indices: (N,) right classes.
        langs: N language codes.
        prior_strength: Labels at which a language's own optimum weighs as much as the pooled one.

    Raises:
        DataError: If lengths disagree or a logit is not finite.
    """
    raise NotImplementedError
