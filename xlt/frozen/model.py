"""The frozen model: a kernel machine and a linear layer on frozen vectors, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.frozen.centres import Centres
from xlt.frozen.ridge import gaussian
from xlt.tasks.logistic import Linear
from xlt.tasks.outputs import Outputs
from xlt.tasks.swaps import Swap

Array = NDArray[np.float32]

_CENTRE = "centres."
_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenModel:
    """Logits from sentence vectors of a frozen encoder.

    Attributes:
        centres: Centres of the languages.
        support: (S, D) unit vectors of the texts that the kernel machine compares with.
        coefficients: (S, W) in logits.
        linear: Layer on the vectors as they are, in logits; its biases are those of the whole.
        swap: Exchanges the two texts of examples, for tasks whose two outputs are exchanged with
            them; None for all others. It is the task's, so that it is not stored.
    """

    centres: Centres
    support: Array
    coefficients: Array
    linear: Linear
    swap: Swap | None = None

    def outputs(self, vectors: NDArray[np.floating], langs: Sequence[str]) -> Outputs:
        """Returns logits (N, W) of texts by their vectors (N, D) and languages (N)."""
        here = self._logits(vectors, langs)
        if self.swap is None:
            return Outputs(here)
        return Outputs((here + self._logits(self.swap(vectors), langs)[:, ::-1]) / 2)

    def _logits(self, vectors: NDArray[np.floating], langs: Sequence[str]) -> Array:
        logits = np.empty((len(vectors), len(self.linear.biases)), dtype=np.float32)
        for start in range(0, len(vectors), _CHUNK):
            rows = slice(start, start + _CHUNK)
            units = self.centres.units(vectors[rows], langs[rows])
            compared = gaussian(units, self.support) @ self.coefficients
            logits[rows] = self.linear.outputs(vectors[rows]).values + compared
        return logits

    def tensors(self) -> dict[str, Array]:
        """Returns all values by name, for a file."""
        values = {
            "support": self.support,
            "coefficients": self.coefficients,
            "linear.weights": self.linear.weights.astype(np.float32),
            "linear.biases": self.linear.biases.astype(np.float32),
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
                linear=Linear(
                    weights=values["linear.weights"].astype(np.float64),
                    biases=values["linear.biases"].astype(np.float64),
                ),
            )
        except KeyError as error:
            raise DataError(f"the frozen model lacks {error.args[0]!r}") from None
        _check_shapes(model)
        return model


def _check_shapes(model: FrozenModel) -> None:
    """Refuses values of different widths."""
    shapes = (model.support.shape, model.coefficients.shape, model.linear.weights.shape)
    if any(len(shape) != 2 for shape in shapes):
        raise DataError(f"the frozen model's values must have two dimensions, got {shapes}")
    (texts, size), (coefficients, width), linear = shapes
    centres = {value.shape for value in (model.centres.overall, *model.centres.languages.values())}
    if (
        texts != coefficients
        or linear != (width, size)
        or model.linear.biases.shape != (width,)
        or centres != {(size,)}
    ):
        raise DataError(f"the frozen model's values do not fit together: {shapes}, {centres}")
