"""Tokenised texts with their translations into the source language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.pretrain.tokenized_texts import TokenizedTexts


@dataclass(frozen=True, kw_only=True)
class Translations:
    """N texts and the source texts that they translate.

    Attributes:
        texts: The N texts.
        sources: The source texts; English in a pretraining.
        source_row: (N,) row of each text's translation in `sources`, or -1.
        language: (N,) number of each text's language.
        word_chance: (N,) chance of each text in the lexicon part of a batch, 0 for sentences.
        sentence_chance: (N,) chance in the other part of a batch, 0 for words.
    """

    texts: TokenizedTexts
    sources: TokenizedTexts
    source_row: NDArray[np.int32]
    language: NDArray[np.int32]
    word_chance: NDArray[np.float64]
    sentence_chance: NDArray[np.float64]
