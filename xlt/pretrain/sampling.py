"""Which texts the word pieces are learned from: languages by what they say, not by their length.

The amount of a text is the number of words of its English translation. Drawn so, a language that
builds long words, or writes none, is seen as much as one that writes like English; a language that
a first set of pieces cuts finely is then drawn more often, so that it gets more pieces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from xlt.pretrain.ragged import encode
from xlt.pretrain.tables import Corpus, temperature

_MOST_FERTILITY = 4.0  # beyond it a text is one long name or number


def amounts(corpus: Corpus, *, min_texts: int) -> NDArray[np.float64]:
    """Returns how many English words each text translates: (N,).

    0 for texts that are not learned from: held out, without translation, or of a language with
    fewer than `min_texts` others.
    """
    keep = ~corpus.held_out & (corpus.source >= 0)
    counts = np.bincount(corpus.language[keep], minlength=len(corpus.languages))
    keep &= counts[corpus.language] >= min_texts
    words = np.array([len(text.split()) for text in corpus.sources], dtype=np.float64)
    found = np.zeros(len(corpus.text))
    found[keep] = words[corpus.source[keep]]
    return found


def chances(
    corpus: Corpus,
    amount: NDArray[np.float64],
    *,
    language_exponent: float,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Returns the chance of each text; a language is drawn in proportion to amount ** exponent.

    Args:
        corpus: The texts.
        amount: Of each.  # (N,)
        language_exponent: 1 draws texts evenly, 0 draws languages evenly.
        weight: Of each language, on top.  # (L,)
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

    At most 4, and 0 where none of the rows is of the language.
    """
    size, language = len(corpus.languages), corpus.language[rows]
    lengths = encode(tokenizer, [corpus.text[row] for row in rows]).lengths()
    pieces = np.bincount(language, weights=lengths, minlength=size)
    words = np.bincount(language, weights=amount[rows], minlength=size)
    found: NDArray[np.float64] = np.clip(pieces / np.maximum(words, 1.0), 0.0, _MOST_FERTILITY)
    return found
