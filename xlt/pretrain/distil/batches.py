"""Texts of a distillation, and the batches drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlt.pretrain.distil.options import DistilOptions
from xlt.pretrain.translations import Translations

#: Rows of a batch are padded to a multiple of this number of tokens.
WIDTH_STEP = 4
_SORTED = 12  # batches that are drawn together and sorted by length, so that little is padding
_MOST_ROWS = 384
_WORD_TOKENS = 5.0  # mean length of a word


@dataclass(frozen=True, kw_only=True)
class DistilData:
    """Texts to learn from and the teacher's vectors of their translations.

    Attributes:
        translations: N texts and S English texts.
        target: (S, H) the teacher's unit vectors of the English texts.
        english: Rows of the English texts that are sentences.
        special: Ids of [PAD], [UNK], [CLS], [SEP] and [MASK].
    """

    translations: Translations
    target: Tensor
    english: NDArray[np.int32]
    special: tuple[int, ...]


@dataclass(kw_only=True)
class DistilState:
    """Progress of a distillation, which checkpoints hold.

    Attributes:
        step: Steps done.
        seconds: Time spent on them.
        batches: Batches that are drawn and not yet used.
    """

    step: int = 0
    seconds: float = 0.0
    batches: list[NDArray[np.int64]] | None = None


class BatchQueue:
    """Draws batches of rows of similar length, of about `batch_tokens` tokens each."""

    def __init__(
        self, data: DistilData, options: DistilOptions, rng: np.random.Generator, state: DistilState
    ) -> None:
        translations = data.translations
        self._options, self._rng, self._state = options, rng, state
        self._sentence_chance = translations.sentence_chance
        self._lengths = np.minimum(translations.texts.lengths() + 2, options.max_tokens)
        self._cumulative = [
            np.cumsum(chance) for chance in (translations.word_chance, translations.sentence_chance)
        ]

    def next(self) -> NDArray[np.int64]:
        """Returns the rows of the next batch: (B,)."""
        if not self._state.batches:
            self._state.batches = list(self._refill())
        rows: NDArray[np.int64] = self._state.batches.pop()
        return rows

    def _refill(self) -> Iterator[NDArray[np.int64]]:
        options = self._options
        total = _SORTED * options.batch_tokens
        n_rows = int(total / max(4.0, self._mean_length()))
        n_words = round(n_rows * options.lexicon_share)
        drawn = np.concatenate([self._draw(0, n_words), self._draw(1, n_rows - n_words)])
        drawn = drawn[np.argsort(-self._lengths[drawn], kind="stable")]
        batches: list[NDArray[np.int64]] = []
        while len(drawn):
            width = -(-int(self._lengths[drawn[0]]) // WIDTH_STEP) * WIDTH_STEP
            size = min(_MOST_ROWS, max(1, options.batch_tokens // width))
            if size <= len(drawn) or not batches:  # an incomplete last batch is dropped
                batches.append(drawn[:size])
            drawn = drawn[size:]
        for row in self._rng.permutation(len(batches)):
            yield batches[row]

    def _draw(self, part: int, size: int) -> NDArray[np.int64]:
        cumulative = self._cumulative[part]
        if not size or not cumulative[-1]:
            return np.zeros(0, dtype=np.int64)
        draws = self._rng.random(size) * cumulative[-1]
        rows: NDArray[np.int64] = np.searchsorted(cumulative, draws, side="right")
        return rows

    def _mean_length(self) -> float:
        word_share, chance = self._options.lexicon_share, self._sentence_chance
        sentence_tokens = float(self._lengths @ chance) / max(float(chance.sum()), 1e-9)
        return word_share * _WORD_TOKENS + (1 - word_share) * sentence_tokens
