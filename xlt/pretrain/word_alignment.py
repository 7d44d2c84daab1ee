"""Step 1: starts new embeddings at those of the English pieces that they translate.

Word alignment finds these pieces, language by language: IBM Model 1 (Brown et al. 1993, equations
17 to 19) over the sets of pieces of sentence pairs, in both directions, so that a frequent piece
is not aligned with everything. It takes seconds for a language, and needs few sentences for
frequent pieces, whereas a bag of pieces (step 2) needs many. WECHSEL (arXiv 2112.06598) and FOCUS
(arXiv 2305.14481) start new embeddings from a lexicon instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # no stubs
from torch import Tensor

from xlt.pretrain.tokenized_texts import TokenizedTexts
from xlt.pretrain.translations import Translations

Progress = Callable[[str], None]
_LEAST_SHARE = 0.02  # of a piece's alignment; smaller links are noise


@dataclass(frozen=True, kw_only=True)
class AlignOptions:
    """Options of step 1.

    Attributes:
        iterations: Steps of expectation maximisation in each direction.
        most_pairs: Largest number of sentences of a language; they are drawn from all.
        most_words: Largest number of lexicon entries of a language; they take far less time.
        doubt: A piece of n pairs keeps doubt / (n + doubt) of its first embedding.
    """

    iterations: int = 5
    most_pairs: int = 5000
    most_words: int = 60_000
    doubt: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Links:
    """K distinct pairs of pieces that occur in translations of one another.

    Attributes:
        text: (K,) pieces of the other language; the id V means no piece.
        source: (K,) pieces of English.
        weight: (K,) strength in [0, 1] with which the English piece explains the other one.
    """

    text: NDArray[np.int64]
    source: NDArray[np.int64]
    weight: NDArray[np.float64]


def aligned_rows(
    rows: Tensor,
    frozen: NDArray[np.bool_],
    *,
    translations: Translations,
    options: AlignOptions,
    rng: np.random.Generator,
    progress: Progress,
) -> Tensor:
    """Returns the embeddings after step 1.

    Args:
        rows: First embeddings.  # (V, H)
        frozen: True for embeddings that do not change.  # (V,)
        translations: Texts with a chance above 0 are learned from.
        options: See `AlignOptions`.
        rng: Draws the pairs of languages that have more than the largest number.
        progress: Called with one line now and then.
    """
    texts, language = translations.texts, translations.language
    sentences, words = translations.sentence_chance > 0, translations.word_chance > 0
    size = len(rows)
    total = sparse.csr_matrix((size, size))
    seen: NDArray[np.float64] = np.zeros(size)
    numbers, last = np.unique(language[sentences | words]), 0.0
    for done, number in enumerate(numbers):
        drawn = [
            _at_most(np.flatnonzero(part & (language == number)), most, rng)
            for part, most in ((sentences, options.most_pairs), (words, options.most_words))
        ]
        pairs = np.sort(np.concatenate(drawn))
        links = link(
            _sets(texts, pairs),
            _sets(translations.sources, translations.source_row[pairs].astype(np.int64)),
            size=size,
            iterations=options.iterations,
        )
        shares, counts = _shares(links, _sets(texts, pairs)[0], size)
        total, seen = total + shares, seen + counts
        if time.monotonic() - last > 15:
            last = time.monotonic()
            progress(f"aligned {done + 1}/{len(numbers)} languages")
    return _moved(rows, frozen, total, seen, options.doubt)


def _at_most(rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= most else rng.choice(rows, size=most, replace=False)


def link(
    texts: tuple[NDArray[np.int64], NDArray[np.int64]],
    sources: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    size: int,
    iterations: int,
) -> Links:
    """Links the pieces of S translated pairs that explain one another.

    The weight of a link is t(e|f) * sqrt(t(e|f) * t(f|e)): the first factor is a distribution over
    English pieces, the second is small if another piece explains the English one better.

    Args:
        texts: Distinct pieces of each text, one text after the other, and the start of each text.
        sources: The same of the English texts.
        size: Number of pieces V.
        iterations: Steps of expectation maximisation in each direction.
    """
    none = np.full(
        len(texts[1]) - 1, size
    )  # for English words that no piece of the text translates
    flat, start = _with_none(*texts, none)
    lengths, widths = np.diff(start), np.diff(sources[1])
    counts = lengths * widths
    pair = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    at_text = start[pair] + within % lengths[pair]
    at_source = sources[1][pair] + within // lengths[pair]
    pairs, link_of = np.unique(
        flat[at_text] * (size + 1) + sources[0][at_source], return_inverse=True
    )
    text, english = pairs // (size + 1), pairs % (size + 1)
    forth = _expectation(link_of, at_source, text, iterations)
    back = _expectation(link_of, at_text, english, iterations)
    return Links(text=text, source=english, weight=forth * np.sqrt(forth * back))


def _expectation(
    link_of: NDArray[np.int64],
    group: NDArray[np.int64],
    given: NDArray[np.int64],
    iterations: int,
) -> NDArray[np.float64]:
    """Returns t(explained | given) of each link; `group` numbers the tokens to be explained."""
    chance: NDArray[np.float64] = np.ones(len(given))
    for _ in range(iterations):
        share = chance[link_of]
        share /= np.bincount(group, share)[group]
        counts = np.bincount(link_of, share, minlength=len(given))
        chance = counts / np.bincount(given, counts)[given]
    return chance


def _shares(
    links: Links, pieces: NDArray[np.int64], size: int
) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """Returns each piece's distribution over English pieces times its count, and its count."""
    counts = np.bincount(pieces, minlength=size).astype(np.float64)
    mass = np.bincount(links.text, links.weight, minlength=size + 1)
    strong = (links.text < size) & (links.weight > _LEAST_SHARE * mass[links.text])
    text, weight = links.text[strong], links.weight[strong]
    mass = np.bincount(text, weight, minlength=size)
    values = weight / mass[text] * counts[text]
    return sparse.csr_matrix((values, (text, links.source[strong])), shape=(size, size)), counts


def _moved(
    rows: Tensor,
    frozen: NDArray[np.bool_],
    total: sparse.csr_matrix,
    seen: NDArray[np.float64],
    doubt: float,
) -> Tensor:
    """Moves embeddings that are not frozen to the mean of their English pieces' embeddings."""
    table = rows.detach().numpy()
    weight = np.asarray(total.sum(axis=1)).ravel()
    target = (total @ table) / np.maximum(weight, 1e-9)[:, None]
    share = np.where(weight > 0, seen / (seen + doubt), 0.0)[:, None]
    moved = np.where(frozen[:, None], table, (1 - share) * table + share * target)
    return torch.from_numpy(moved.astype(table.dtype))


def _sets(
    texts: TokenizedTexts, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the distinct pieces of each row, one row after the other, and the start of each."""
    lengths = texts.start[rows + 1] - texts.start[rows]
    row = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    ids = texts.flat[np.repeat(texts.start[rows], lengths) + within].astype(np.int64)
    span = int(ids.max(initial=0)) + 1
    keys = np.unique(row * span + ids)
    starts = np.searchsorted(keys, np.arange(len(rows) + 1) * span)
    return keys % span, starts


def _with_none(
    flat: NDArray[np.int64], start: NDArray[np.int64], none: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the rows with the piece `none` appended to each."""
    return np.insert(flat, start[1:], none), start + np.arange(len(start))
