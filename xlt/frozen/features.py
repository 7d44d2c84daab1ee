"""Features that a frozen model reads, vectors of several layers and n-grams; labelled texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.swaps import Swap

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Features of N texts; row i belongs to text i.

    Attributes:
        vectors: (N, L, D) mean vectors of L layers of an encoder, its final layer last.
        ngrams: (N, COLUMNS) counts of `xlt.frozen.ngrams`.
    """

    vectors: NDArray[np.floating]
    ngrams: csr_matrix

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: NDArray[np.intp] | slice) -> Features:
        """Returns the features of some texts, in the order of `rows`."""
        return Features(vectors=self.vectors[rows], ngrams=self.ngrams[rows])

    def swapped(self, swap: Swap) -> Features:
        """Returns the features of the same examples with their two texts exchanged."""
        return Features(vectors=swap(self.vectors), ngrams=self.ngrams)

    def concat(self, others: Features) -> Features:
        """Returns these features, followed by others."""
        from scipy.sparse import vstack

        return Features(
            vectors=np.concatenate([self.vectors, others.vectors]),
            ngrams=vstack([self.ngrams, others.ngrams], format="csr"),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Features and answers of labelled texts.

    Attributes:
        features: Features of N texts, N >= 2.
        langs: N language codes.
        targets: (N, W) in [0, 1], the right probabilities.
        groups: N keys; translations of one another have the same.
        weights: (N,) trust in the answers, in (0, 1].
    """

    features: Features
    langs: Sequence[str]
    targets: NDArray[np.float64]
    groups: Sequence[str]
    weights: NDArray[np.floating]

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: NDArray[np.intp]) -> Labelled:
        """Returns the texts of some rows."""
        return Labelled(
            features=self.features.take(rows),
            langs=[self.langs[row] for row in rows],
            targets=self.targets[rows],
            groups=[self.groups[row] for row in rows],
            weights=self.weights[rows],
        )

    def both_orders(self, swap: Swap) -> Labelled:
        """Returns the examples, and the same with their two texts and their targets exchanged."""
        return Labelled(
            features=self.features.concat(self.features.swapped(swap)),
            langs=[*self.langs, *self.langs],
            targets=np.concatenate([self.targets, self.targets[:, ::-1]]),
            groups=[*self.groups, *self.groups],
            weights=np.concatenate([self.weights, self.weights]),
        )
