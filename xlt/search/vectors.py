"""Vectors of texts in eight bits, compared exactly, about the centres of their languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import simsimd
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.frozen.centres import Centres, fit_centres

_MOST = 127
_LEAST_LENGTH = 1e-6
#: Texts of a language from which a query in it is compared about the centres.
FEWEST = 10
#: Rows that are widened at once.
_CHUNK = 65_536
#: Texts of which the centres are means.
_MOST_CENTRED = 100_000


@dataclass(frozen=True, eq=False)
class Vectors:
    """N vectors: each about an origin, divided by its scale and rounded.

    Attributes:
        rows: (N, D) int8.
        scales: (N,) float32, > 0.
        origin: (D,) float32; near the mean, so that few bits are spent on what all share.
    """

    rows: NDArray[np.int8]
    scales: NDArray[np.float32]
    origin: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(
        cls, vectors: NDArray[np.floating], origin: NDArray[np.float32] | None = None
    ) -> Vectors:
        """Rounds vectors (N, D).

        Args:
            vectors: N >= 1 finite vectors.
            origin: (D,); None for their mean.
        """
        if origin is None:
            origin = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        moved = np.asarray(vectors, dtype=np.float32) - origin
        scales = np.maximum(np.abs(moved).max(axis=1), _LEAST_LENGTH) / np.float32(_MOST)
        rows = np.rint(moved / scales[:, None]).astype(np.int8)
        return cls(rows=rows, scales=scales.astype(np.float32), origin=origin)

    def wide(self, rows: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """Returns some of the vectors, as rounded, (n, D)."""
        moved = self.rows[rows].astype(np.float32) * self.scales[rows][:, None]
        return np.asarray(moved + self.origin, dtype=np.float32)

    def dot(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the products of a vector (D,), in eight bits, with those about the origin, (N,).

        One thread: simsimd's threads wait for one another a hundred times as long as they work if
        others need the processors.
        """
        scale = max(float(np.abs(query).max()), _LEAST_LENGTH) / _MOST
        coarse = np.rint(query / scale).astype(np.int8)
        products = simsimd.cdist(coarse[None], self.rows, metric="dot", threads=1)
        return np.asarray(np.asarray(products)[0] * (scale * self.scales), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Space:
    """Vectors with their languages, to find those that mean what a vector means.

    Attributes:
        vectors: N vectors.
        centres: Means of the languages.
        langs: The L languages, normalised.
        lang_of: (N,) number of each text's language.
        lengths: (2, N) lengths of the vectors about zero, and about their centres.
    """

    vectors: Vectors
    centres: Centres
    langs: Sequence[str]
    lang_of: NDArray[np.int32]
    lengths: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Vectors, langs: Sequence[str]) -> Space:
        """Finds the centres of languages: where an encoder's vectors lie depends on these too.

        Args:
            vectors: N >= 1 vectors.
            langs: N codes. A language with few texts has a centre near that of all
                (`xlt.frozen.centres`).
        """
        keys = {lang: normalise(lang) for lang in dict.fromkeys(langs)}
        place = {key: number for number, key in enumerate(dict.fromkeys(keys.values()))}
        lang_of = np.array([place[keys[lang]] for lang in langs], dtype=np.int32)
        some = np.linspace(0, len(vectors) - 1, min(len(vectors), _MOST_CENTRED)).astype(int)
        centres = fit_centres(vectors.wide(some), [langs[row] for row in some])
        offsets = np.array([centres.of(key) for key in place])
        lengths = np.empty((2, len(vectors)), dtype=np.float32)
        for start in range(0, len(vectors), _CHUNK):
            part = slice(start, start + _CHUNK)
            wide = vectors.wide(part)
            lengths[0, part] = np.linalg.norm(wide, axis=1)
            lengths[1, part] = np.linalg.norm(wide - offsets[lang_of[part]], axis=1)
        return cls(vectors, centres, list(place), lang_of, np.maximum(lengths, _LEAST_LENGTH))

    def knows(self, lang: str) -> bool:
        """Returns whether a language has texts enough for a centre of its own."""
        key = normalise(lang)
        if key not in self.langs:
            return False
        return np.count_nonzero(self.lang_of == self.langs.index(key)) >= FEWEST

    def cosines(
        self, vector: NDArray[np.floating], lang: str, *, centred: bool | None = None
    ) -> NDArray[np.float32]:
        """Returns the cosines of all vectors with another, (N,).

        Args:
            vector: (D,).
            lang: Its language.
            centred: Whether vectors are taken about the centres of their languages. None if that
                helps (docs/results/search.md): if there are several languages, or `lang` is theirs.
        """
        if centred is None:
            centred = len(self.langs) > 1 or self.knows(lang)
        centres = self.centres if centred else Centres(overall=np.zeros_like(self.vectors.origin))
        query = centres.units(np.asarray(vector)[None], [lang])[0]
        # (x - centre) . q is (x - origin) . q less one number for each language.
        found = self.vectors.dot(query)
        if centred:
            found -= (self._offsets @ query)[self.lang_of]
        else:
            found += np.float32(self.vectors.origin @ query)
        found /= self.lengths[int(centred)]
        return np.clip(found, -1.0, 1.0, out=found)

    @cached_property
    def _offsets(self) -> NDArray[np.float32]:
        """Centres of the languages about the origin, (L, D)."""
        each = np.array([self.centres.of(lang) for lang in self.langs])
        return np.asarray(each - self.vectors.origin, dtype=np.float32)
