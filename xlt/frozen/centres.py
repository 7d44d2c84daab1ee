"""Centres: mean sentence vectors of languages, which unit vectors are taken about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import macrolanguage, normalise

#: Texts at which a language's own mean weighs as much as the mean of all texts.
_PRIOR_TEXTS = 10.0
_LEAST_LENGTH = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Centres:
    """Mean vectors, of all texts and of each language.

    The place of a multilingual encoder's vectors depends on the language as well as on the meaning
    (Libovický, Rosa, Fraser 2020: "centering" removes most of it).

    Attributes:
        overall: (..., D) float32; (L, D) for L layers.
        languages: Normalised language code -> (..., D) float32. Others have that of their
            macrolanguage, or else the overall one.
    """

    overall: NDArray[np.float32]
    languages: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def units(self, vectors: NDArray[np.floating], langs: Sequence[str]) -> NDArray[np.float32]:
        """Returns vectors (N, ..., D) of texts in `langs` (N) about their centres, at length 1."""
        place = {lang: index for index, lang in enumerate(dict.fromkeys(langs))}
        each = np.array([self.of(lang) for lang in place]).reshape(-1, *self.overall.shape)
        moved = np.array(vectors, dtype=np.float32).reshape(-1, *self.overall.shape)
        moved -= each[np.array([place[lang] for lang in langs], dtype=np.intp)]
        lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
        return np.asarray(moved / np.maximum(lengths, _LEAST_LENGTH), dtype=np.float32)

    def of(self, lang: str) -> NDArray[np.float32]:
        """Returns the centre of a language, (..., D)."""
        of_macrolanguage = self.languages.get(macrolanguage(lang) or "", self.overall)
        return self.languages.get(normalise(lang), of_macrolanguage)


def fit_centres(vectors: NDArray[np.floating], langs: Sequence[str]) -> Centres:
    """Returns the means of texts; those of languages with few texts are near the overall mean.

    Args:
        vectors: (N, ..., D), N >= 1.
        langs: N language codes.
    """
    overall = vectors.mean(axis=0, dtype=np.float64)
    keys = np.array([normalise(lang) for lang in langs], dtype=object)
    languages = {}
    for key in dict.fromkeys(keys.tolist()):
        own = vectors[keys == key]
        mean = (own.sum(axis=0, dtype=np.float64) + _PRIOR_TEXTS * overall) / (
            len(own) + _PRIOR_TEXTS
        )
        languages[str(key)] = mean.astype(np.float32)
    return Centres(overall=overall.astype(np.float32), languages=languages)
