"""Chances of texts to be drawn: languages with a temperature, and by amount of content.

Word pieces are learned from texts drawn by amount, the number of words of a text's English
translation: a language with long words, or without spaces, is then drawn as often as one that
writes like English. A language that a first set of pieces splits finely is drawn more often, so
that it gets more pieces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from xlt.pretrain.corpus import Corpus
from xlt.pretrain.tokenized_texts import tokenize

_MOST_FERTILITY = 4.0  # higher values come from long names and numbers


def temperature(
    counts: NDArray[np.float64], exponent: float, *, few: float = 0.0
) -> NDArray[np.float64]:
    """Returns the chance of each language, proportional to its count ** exponent: (L,).

    Below `few` texts it falls in proportion to the count: hundreds of languages of sixty sentences
    each would otherwise take a third of the training and be memorised.
    """
    weights = np.maximum(counts, max(few, 1e-9)) ** exponent
    weights = weights * np.minimum(1.0, counts / max(few, 1e-9))
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances


def row_probabilities(
    language: NDArray[np.int32],
    keep: NDArray[np.bool_],
    exponent: float,
    *,
    few: float = 0.0,
) -> NDArray[np.float64]:
    """Returns the chance of each row if languages are drawn with a temperature.

    Args:
        language: Language of each row.  # (N,)
        keep: False for rows that are never drawn.  # (N,)
        exponent: 1 draws rows evenly, 0 draws languages evenly.
        few: See `temperature`.

    Returns:
        (N,), with sum 1, or all 0 if no row can be drawn.
    """
    if not keep.any():
        return np.zeros(len(keep))
    size = int(language.max()) + 1
    counts = np.bincount(language, weights=keep, minlength=size).astype(np.float64)
    per_row = temperature(counts, exponent, few=few) / np.maximum(counts, 1e-9)
    chances: NDArray[np.float64] = per_row[language] * keep
    return chances


def amounts(corpus: Corpus, *, min_texts: int) -> NDArray[np.float64]:
    """Returns the number of English words that each text translates: (N,).

    It is 0 for texts that are not learned from: held-out texts, texts without translation, and
    texts of a language with fewer than `min_texts` others.
    """
    keep = ~corpus.held_out & (corpus.source >= 0)
    counts = np.bincount(corpus.language[keep], minlength=len(corpus.languages))
    keep &= counts[corpus.language] >= min_texts
    words = np.array([len(text.split()) for text in corpus.sources], dtype=np.float64)
    amount = np.zeros(len(corpus.text))
    amount[keep] = words[corpus.source[keep]]
    return amount


def chances(
    corpus: Corpus,
    amount: NDArray[np.float64],
    *,
    language_exponent: float,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Returns the chance of each text, its language drawn in proportion to amount ** exponent.

    Args:
        corpus: The texts.
        amount: Amount of each text.  # (N,)
        language_exponent: 1 draws texts evenly, 0 draws languages evenly.
        weight: Factor of each language's chance.  # (L,)
    """
    size = len(corpus.languages)
    total = np.bincount(corpus.language, weights=amount, minlength=size).astype(np.float64)
    share = temperature(total, language_exponent)
    if weight is not None:
        share = share * weight
    chance = np.where(amount > 0, (share / np.maximum(total, 1.0))[corpus.language], 0.0)
    summed: NDArray[np.float64] = chance / chance.sum()
    return summed


def fertility(
    tokenizer: Tokenizer, corpus: Corpus, amount: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the pieces per English word in each language's texts among `rows`: (L,).

    It is at most 4, and 0 for a language without rows.
    """
    size, language = len(corpus.languages), corpus.language[rows]
    lengths = tokenize(tokenizer, [corpus.text[row] for row in rows]).lengths()
    pieces = np.bincount(language, weights=lengths, minlength=size)
    words = np.bincount(language, weights=amount[rows], minlength=size)
    per_word: NDArray[np.float64] = np.clip(pieces / np.maximum(words, 1.0), 0.0, _MOST_FERTILITY)
    return per_word
