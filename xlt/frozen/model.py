"""The frozen model: a kernel machine on vectors and n-grams of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.frozen.centres import Centres
from xlt.frozen.features import Features
from xlt.frozen.ngrams import COLUMNS, tf_idf
from xlt.frozen.ridge import gaussian
from xlt.tasks.outputs import Outputs
from xlt.tasks.swaps import Swap

Array = NDArray[np.float32]

_CENTRE = "centres."
_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenModel:
    """Logits from the features of a frozen encoder.

    Attributes:
        centres: Centres of the languages, (L, D) each.
        support: (S, L, D) unit vectors of the texts that the kernel machine compares with.
        coefficients: (S, W) in logits.
        idf: (COLUMNS,) weight of each column of n-grams.
        ngrams: (COLUMNS, W) in logits.
        biases: (W,) in logits.
        swap: Exchanges the two texts of examples, for tasks whose two outputs are exchanged with
            them; None for all others. It is the task's, so that it is not stored.
    """

    centres: Centres
    support: Array
    coefficients: Array
    idf: Array
    ngrams: Array
    biases: Array
    swap: Swap | None = None

    @property
    def layers(self) -> int:
        """Returns the number of layers whose vectors it reads, from the final one downwards."""
        return self.support.shape[1]

    @property
    def size(self) -> int:
        """Returns D, the length of the vectors that it reads."""
        return self.support.shape[2]

    def outputs(self, features: Features, langs: Sequence[str]) -> Outputs:
        """Returns logits (N, W) of texts by their features and languages (N)."""
        here = self._logits(features, langs)
        if self.swap is None:
            return Outputs(here)
        there = self._logits(features.swapped(self.swap), langs)
        return Outputs((here + there[:, ::-1]) / 2)

    def _logits(self, features: Features, langs: Sequence[str]) -> Array:
        logits = np.empty((len(features), len(self.biases)), dtype=np.float32)
        for start in range(0, len(features), _CHUNK):
            rows = slice(start, start + _CHUNK)
            chunk = features.take(rows)
            units = self.centres.units(chunk.vectors[:, -self.layers :], langs[rows])
            compared = gaussian(units, self.support) @ self.coefficients
            logits[rows] = compared + tf_idf(chunk.ngrams, self.idf) @ self.ngrams + self.biases
        return logits

    def tensors(self) -> dict[str, Array]:
        """Returns all values by name, for a file."""
        values = {
            "support": self.support,
            "coefficients": self.coefficients,
            "idf": self.idf,
            "ngrams": self.ngrams,
            "biases": self.biases,
            "overall": self.centres.overall,
        }
        # Data sets name languages as they like; a file's names must be UTF-8.
        return values | {
            _CENTRE + quote(key, errors="surrogatepass"): value
            for key, value in self.centres.languages.items()
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.floating]]) -> FrozenModel:
        """Reads values that `tensors` returned, of any floating type.

        Raises:
            DataError: If one is missing or not finite, or if their shapes do not fit together.
        """
        values = {name: np.asarray(value, dtype=np.float32) for name, value in tensors.items()}
        broken = [name for name, value in values.items() if not np.isfinite(value).all()]
        if broken:
            raise DataError(f"the frozen model's {', '.join(broken)} must be finite")
        try:
            model = cls(
                centres=Centres(
                    overall=values["overall"],
                    languages={
                        unquote(name.removeprefix(_CENTRE), errors="surrogatepass"): value
                        for name, value in values.items()
                        if name.startswith(_CENTRE)
                    },
                ),
                support=values["support"],
                coefficients=values["coefficients"],
                idf=values["idf"],
                ngrams=values["ngrams"],
                biases=values["biases"],
            )
        except KeyError as error:
            raise DataError(f"the frozen model lacks {error.args[0]!r}") from None
        _check_shapes(model)
        return model


def _check_shapes(model: FrozenModel) -> None:
    """Refuses values of different widths."""
    if model.support.ndim != 3 or model.biases.ndim != 1:
        raise DataError(
            "the frozen model's support must have three dimensions and its biases one, got "
            f"{model.support.shape} and {model.biases.shape}"
        )
    texts, layers, size = model.support.shape
    width = len(model.biases)
    expected = {
        "coefficients": (model.coefficients.shape, (texts, width)),
        "idf": (model.idf.shape, (COLUMNS,)),
        "ngrams": (model.ngrams.shape, (COLUMNS, width)),
        "overall": (model.centres.overall.shape, (layers, size)),
        **{
            _CENTRE + name: (value.shape, (layers, size))
            for name, value in model.centres.languages.items()
        },
    }
    for name, (shape, fits) in expected.items():
        if shape != fits:
            raise DataError(f"the frozen model's {name} has shape {shape}, expected {fits}")
