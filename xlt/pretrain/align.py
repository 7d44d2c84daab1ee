"""Step 1: starts the new rows at the teacher's rows of the English pieces that they stand for.

Which they are is found by word alignment, language by language: IBM Model 1 (Brown et al. 1993,
equations 17 to 19) over the sets of pieces of sentence pairs, in both directions, so that a
frequent piece does not draw everything to itself. It costs seconds a language, and few sentences
suffice for frequent pieces, where a bag of pieces (step 2) needs many (cf. WECHSEL,
arXiv 2112.06598, and FOCUS, arXiv 2305.14481, which start new rows from a lexicon).
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

from xlt.pretrain.ragged import Ragged

Progress = Callable[[str], None]
_LEAST_SHARE = 0.02  # of a piece's alignment; the long tail is noise


@dataclass(frozen=True, kw_only=True)
class AlignOptions:
    """How step 1 runs."""

    iterations: int = 5
    most_pairs: int = 5000  # sentences of a language; more are drawn from
    most_words: int = 60_000  # entries of a language's lexicons, which cost far less
    doubt: float = 2.0  # a piece of n pairs keeps doubt / (n + doubt) of its first row


@dataclass(frozen=True, kw_only=True)
class Links:
    """K kinds of pairs of pieces that stand in translations of one another.

    Attributes:
        text: (K,) pieces of the other language; the last id, V, stands for no piece.
        source: (K,) pieces of English.
        weight: (K,) how far the second explains the first, in [0, 1].
    """

    text: NDArray[np.int64]
    source: NDArray[np.int64]
    weight: NDArray[np.float64]


def aligned_rows(
    rows: Tensor,
    frozen: NDArray[np.bool_],
    *,
    texts: Ragged,
    sources: Ragged,
    source: NDArray[np.int32],
    language: NDArray[np.int32],
    sentences: NDArray[np.bool_],
    lexicon: NDArray[np.bool_],
    options: AlignOptions,
    rng: np.random.Generator,
    progress: Progress,
) -> Tensor:
    """Returns the embeddings after step 1; the rows marked `frozen` are unchanged.

    Args:
        rows: First embeddings.  # (V, H)
        frozen: Rows that stay as they are.  # (V,)
        texts: The N texts, cut.
        sources: The English sentences, cut.
        source: The English row of each text.  # (N,)
        language: The language of each text.  # (N,)
        sentences: Sentences that may be learned from.  # (N,)
        lexicon: Words and phrases that may be learned from.  # (N,)
        options: See `AlignOptions`.
        rng: Draws the pairs of languages that have more than enough.
        progress: Called with one line now and then.
    """
    size = len(rows)
    total = sparse.csr_matrix((size, size))
    seen: NDArray[np.float64] = np.zeros(size)
    numbers, last = np.unique(language[sentences | lexicon]), 0.0
    for done, number in enumerate(numbers):
        drawn = [
            _at_most(np.flatnonzero(part & (language == number)), most, rng)
            for part, most in ((sentences, options.most_pairs), (lexicon, options.most_words))
        ]
        pairs = np.sort(np.concatenate(drawn))
        links = link(
            _sets(texts, pairs),
            _sets(sources, source[pairs].astype(np.int64)),
            size=size,
            iterations=options.iterations,
        )
        found, counts = _shares(links, _sets(texts, pairs)[0], size)
        total, seen = total + found, seen + counts
        if time.monotonic() - last > 15:
            last = time.monotonic()
            progress(f"align {done + 1}/{len(numbers)} languages")
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
    """Returns how far pieces of S translated pairs explain one another.

    The weight of a link is t(e|f) * sqrt(t(e|f) * t(f|e)): the first factor makes a distribution
    over English pieces, the second takes away what another piece explains better.

    Args:
        texts: Distinct pieces of each text, one after the other, and where each text begins.
        sources: The same of the English sentences.
        size: Number of pieces V.
        iterations: Steps of expectation maximisation in each direction.
    """
    none = np.full(len(texts[1]) - 1, size)  # English words that no piece of the text stands for
    flat, start = _with_none(*texts, none)
    lengths, widths = np.diff(start), np.diff(sources[1])
    counts = lengths * widths
    pair = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    at_text = start[pair] + within % lengths[pair]
    at_source = sources[1][pair] + within // lengths[pair]
    kinds, kind = np.unique(flat[at_text] * (size + 1) + sources[0][at_source], return_inverse=True)
    text, english = kinds // (size + 1), kinds % (size + 1)
    forth = _expectation(kind, at_source, text, iterations)
    back = _expectation(kind, at_text, english, iterations)
    return Links(text=text, source=english, weight=forth * np.sqrt(forth * back))


def _expectation(
    kind: NDArray[np.int64], group: NDArray[np.int64], given: NDArray[np.int64], iterations: int
) -> NDArray[np.float64]:
    """Returns t(explained | given) of each kind; `group` numbers the tokens to be explained."""
    chance: NDArray[np.float64] = np.ones(len(given))
    for _ in range(iterations):
        share = chance[kind]
        share /= np.bincount(group, share)[group]
        counts = np.bincount(kind, share, minlength=len(given))
        chance = counts / np.bincount(given, counts)[given]
    return chance


def _shares(
    links: Links, pieces: NDArray[np.int64], size: int
) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """Returns for each piece what it stands for, times how often it is seen, and how often."""
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
    """Returns the rows that are not frozen moved to the mean of what they stand for."""
    table = rows.detach().numpy()
    weight = np.asarray(total.sum(axis=1)).ravel()
    target = (total @ table) / np.maximum(weight, 1e-9)[:, None]
    share = np.where(weight > 0, seen / (seen + doubt), 0.0)[:, None]
    moved = np.where(frozen[:, None], table, (1 - share) * table + share * target)
    return torch.from_numpy(moved.astype(table.dtype))


def _sets(texts: Ragged, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the distinct pieces of each row, one row after the other, and where each begins."""
    lengths = texts.start[rows + 1] - texts.start[rows]
    row = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    ids = texts.flat[np.repeat(texts.start[rows], lengths) + within].astype(np.int64)
    span = int(ids.max(initial=0)) + 1
    keys = np.unique(row * span + ids)
    begins = np.searchsorted(keys, np.arange(len(rows) + 1) * span)
    return keys % span, begins


def _with_none(
    flat: NDArray[np.int64], start: NDArray[np.int64], none: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the rows with one more piece at the end of each."""
    return np.insert(flat, start[1:], none), start + np.arange(len(start))
