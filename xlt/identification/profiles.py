"""Profiles of languages: a naive Bayes on character n-grams, measured against all of them together.

With b(j) the mean share of the n-gram j over all languages, p(j) its share in the texts of one, and
r the chance that the next n-gram is one that those texts lack (Witten and Bell 1991), a text's
score in a language is the sum over its n-grams of log(r + (1 - r) p(j) / b(j)). What a profile does
not list counts log r: little after few texts, much after many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.frozen.ngrams import COLUMNS, count_ngrams
from xlt.identification.writing import writing

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

#: N-grams that a profile lists at most.
MOST = 4_000
#: Number of n-grams at which a project's own texts count as much as the profile that ships.
_PRIOR = 50_000
#: Texts of a language decide its scripts; a script counts from this share of them on.
_SCRIPT_SHARE = 0.05
#: Texts are read up to this length.
_CHARACTERS = 1_000
#: Different n-grams below which a text says nothing: one letter over and over has 12.
_FEWEST = 13
#: Witten and Bell's chance of a new n-gram, times this: n-grams within one another are not new.
_NEW = 0.2
#: Combining marks of Latin, Greek and Cyrillic letters, and how much texts without them count.
_MARKS, _BARE = re.compile("[\u0300-\u036f]"), 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """The profiles of L languages.

    Attributes:
        languages: L keys (`xlt.data.languages.normalise`).
        scripts: L sets of scripts that the language is written in (`writing`).
        rewards: (COLUMNS, L) float32; what an n-gram adds beyond `penalties`, at least 0.
        penalties: (L,) what an n-gram adds that the profile does not list, below 0.
        background: (COLUMNS,) mean share of each n-gram, summing to 1.
    """

    languages: tuple[str, ...]
    scripts: tuple[frozenset[str], ...]
    rewards: csr_matrix
    penalties: NDArray[np.float32]
    background: NDArray[np.float32]

    def scores(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Returns the score per n-gram of each text in each language, and the numbers of n-grams.

        (N, L) and (N,). -inf if the language is not written in the text's script, if the text has
        no letters, or fewer n-grams than a word of four.
        """
        counts = counted(texts)
        total = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
        result = np.asarray((counts @ self.rewards).toarray(), dtype=np.float32)
        result = result / np.maximum(total, 1).astype(np.float32)[:, None] + self.penalties
        result[counts.getnnz(axis=1) < _FEWEST] = -np.inf
        written = [writing(text) for text in texts]
        allowed = {
            script: np.array([script in own for own in self.scripts], dtype=bool)
            for script in set(written)
        }
        result[~np.array([allowed[script] for script in written]).reshape(result.shape)] = -np.inf
        return result, total

    def only(self, languages: Collection[str]) -> Profiles:
        """Returns the profiles of these languages alone."""
        kept = [i for i, lang in enumerate(self.languages) if lang in languages]
        return replace(
            self,
            languages=tuple(self.languages[i] for i in kept),
            scripts=tuple(self.scripts[i] for i in kept),
            rewards=self.rewards[:, kept],
            penalties=self.penalties[kept],
        )

    def without(self, languages: Collection[str]) -> Profiles:
        """Returns these profiles but those of some languages."""
        kept = [i for i, lang in enumerate(self.languages) if lang not in languages]
        return Profiles(
            languages=tuple(self.languages[i] for i in kept),
            scripts=tuple(self.scripts[i] for i in kept),
            rewards=self.rewards[:, kept],
            penalties=self.penalties[kept],
            background=self.background,
        )

    def with_texts(self, texts: Mapping[str, Sequence[str]]) -> Profiles:
        """Returns these profiles, with what texts in known languages add to them.

        Args:
            texts: Language key -> its texts. A language without a profile gets one.
        """
        if not texts:
            return self
        from scipy.sparse import hstack

        kept = [i for i, lang in enumerate(self.languages) if lang not in texts]
        learned = [self._blended(lang, own) for lang, own in texts.items()]
        own_scripts = [
            _scripts(own) | (self.scripts[at] if (at := self._at(lang)) is not None else set())
            for lang, own in texts.items()
        ]
        columns = [_column(self.background, share, new) for share, new in learned]
        return Profiles(
            languages=(*(self.languages[i] for i in kept), *texts),
            scripts=(*(self.scripts[i] for i in kept), *map(frozenset, own_scripts)),
            rewards=hstack([self.rewards[:, kept], *columns], format="csr", dtype=np.float32),
            penalties=np.append(self.penalties[kept], np.log([new for _, new in learned])).astype(
                np.float32
            ),
            background=self.background,
        )

    def _at(self, lang: str) -> int | None:
        return self.languages.index(lang) if lang in self.languages else None

    def _blended(self, lang: str, texts: Sequence[str]) -> tuple[NDArray[np.float64], float]:
        """Returns the shares (COLUMNS,) of n-grams, and the chance of a new one."""
        counts = _sum(texts)
        total = counts.sum()
        own, new = counts / max(total, 1), _chance_of_new(counts)
        if (at := self._at(lang)) is None:
            return own, new
        before = float(np.exp(self.penalties[at]))
        rewards = np.asarray(self.rewards[:, [at]].toarray(), dtype=np.float64).ravel()
        listed = np.maximum(np.exp(rewards) - 1, 0) * before / (1 - before) * self.background
        weight = total / (total + _PRIOR)
        return weight * own + (1 - weight) * listed, float(new**weight * before ** (1 - weight))


def learn(texts: Mapping[str, Sequence[str]]) -> Profiles:
    """Learns profiles from texts.

    Args:
        texts: Language key -> its texts, of at least one language.
    """
    from scipy.sparse import hstack

    counts = {lang: _sum(own) for lang, own in texts.items()}
    background = np.full(COLUMNS, 0.001 / COLUMNS)
    for own in counts.values():
        background += 0.999 * own / max(own.sum(), 1) / len(counts)
    background = background.astype(np.float32)
    new = [_chance_of_new(own) for own in counts.values()]
    columns = [
        _column(background, own / max(own.sum(), 1), chance)
        for own, chance in zip(counts.values(), new, strict=True)
    ]
    return Profiles(
        languages=tuple(texts),
        scripts=tuple(frozenset(_scripts(own)) for own in texts.values()),
        rewards=hstack(columns, format="csr", dtype=np.float32),
        penalties=np.log(new).astype(np.float32),
        background=background,
    )


def counted(texts: Sequence[str]) -> csr_matrix:
    """Returns the number of times that each text has each n-gram, (N, COLUMNS)."""
    return count_ngrams([unicodedata.normalize("NFC", text[:_CHARACTERS]) for text in texts])


def _sum(texts: Sequence[str]) -> NDArray[np.float64]:
    """Returns the n-grams of texts (COLUMNS,); some writers leave out the marks on letters."""
    counts = np.asarray(counted(texts).sum(axis=0), dtype=np.float64).ravel()
    plain = [_without_marks(text) for text in texts]
    bare = [new for new, old in zip(plain, texts, strict=True) if new != old]
    if bare:
        counts += _BARE * np.asarray(counted(bare).sum(axis=0), dtype=np.float64).ravel()
    return counts


def _without_marks(text: str) -> str:
    """Returns a text without accents and dots, in composed form."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text)))


def _chance_of_new(counts: NDArray[np.float64]) -> float:
    kinds = int((counts > 0).sum())
    return min(0.5, max(1e-3, _NEW * kinds / max(kinds + float(counts.sum()), 1.0)))


def _column(background: NDArray[np.float32], share: NDArray[np.float64], new: float) -> csr_matrix:
    """Returns the rewards of one language, (COLUMNS, 1): the `MOST` n-grams that matter most."""
    from scipy.sparse import csr_matrix

    seen = np.flatnonzero(share)
    rewards = np.log1p((1 - new) / new * share[seen] / background[seen])
    most = np.argsort(-share[seen] * rewards, kind="stable")[:MOST]
    shape = (COLUMNS, 1)
    zeros = np.zeros(len(most), dtype=np.int32)
    return csr_matrix((rewards[most].astype(np.float32), (seen[most], zeros)), shape=shape)


def _scripts(texts: Sequence[str]) -> set[str]:
    written = [script for script in map(writing, texts) if script]
    least = max(1.0, _SCRIPT_SHARE * len(written))
    return {script for script in set(written) if written.count(script) >= least}
