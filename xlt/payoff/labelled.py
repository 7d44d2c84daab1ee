"""The labels whose worth is measured, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.logistic import Head, fit_head, scaled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """N labelled texts.

    Attributes:
        vectors: (N, D) sentence vectors of an encoder that has not seen the labels.
        labels: (N,) class numbers from 0 on.
        langs: (N,) language codes, one per language.
        groups: (N,) texts that say the same, in whatever language, share a group.
        classes: How many classes there are, seen or not.
        l2: Penalty of the quick heads.
    """

    vectors: NDArray[np.float32]
    labels: NDArray[np.intp]
    langs: NDArray[np.str_]
    groups: NDArray[np.str_]
    classes: int
    l2: float = 0.4

    def __post_init__(self) -> None:
        n = len(self.vectors)
        for name in ("labels", "langs", "groups"):
            if len(getattr(self, name)) != n:
                raise DataError(f"expected {n} {name}, one per vector")

    def scaled(self) -> Labelled:
        """The same with vectors of mean 0 and mean length 1, which the penalty is made for."""
        return Labelled(
            vectors=scaled(self.vectors, self.vectors) if len(self.vectors) else self.vectors,
            labels=self.labels,
            langs=self.langs,
            groups=self.groups,
            classes=self.classes,
            l2=self.l2,
        )

    def fit(self, rows: NDArray[np.intp], start: Head | None = None) -> Head:
        """A quick head trained on some of the rows; `start` only saves time."""
        return fit_head(
            self.vectors[rows], self.labels[rows], self.classes, l2=self.l2, start=start
        )

    def right(self, head: Head, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of the rows a head gets right."""
        return np.asarray(
            head.logits(self.vectors[rows]).argmax(axis=1) == self.labels[rows], dtype=bool
        )
