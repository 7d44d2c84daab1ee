"""Character n-grams: hashed counts of texts, and their TF-IDF rows.

Words and parts of words tell sentiment and names apart better than a small encoder's vectors do,
and languages that are related or borrow from one another share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.frozen.murmur import murmur3

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

#: Number of columns that n-grams are hashed to.
COLUMNS = 2**18
#: Shortest and longest n-gram, within words.
SIZES = (2, 5)
_CHUNK = 256


def count_ngrams(texts: Sequence[str | tuple[str, ...]]) -> csr_matrix:
    """Returns the number of times that each text has the n-grams of each column, (N, COLUMNS).

    The columns are those of scikit-learn's HashingVectorizer, whose import takes 1.4 s and 70 MB.
    Texts that belong together have none: what matters is how they relate, not which words are in
    one of them.
    """
    from scipy.sparse import vstack

    written = [text if isinstance(text, str) else "" for text in texts]
    if len(written) <= _CHUNK:
        return _counted(written)
    chunks = [_counted(written[i : i + _CHUNK]) for i in range(0, len(written), _CHUNK)]
    return vstack(chunks, format="csr")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Occurrences:
    """The G n-grams of texts, one after another as they stand in them.

    Attributes:
        columns: (G,) column of each.
        text_of: (G,) number of its text.
        starts: (G,) its first code point in the padded words of all texts.
        lengths: (G,) its code points.
    """

    columns: NDArray[np.int64]
    text_of: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def occurrences(words: Sequence[Sequence[str]]) -> Occurrences:
    """Finds the n-grams of words.

    Args:
        words: Of each text its words in lower case, each with a space before and after it.
    """
    each = [word for own in words for word in own]
    lengths = np.array([len(word) for word in each], dtype=np.int64)
    text_of = np.repeat(np.arange(len(words)), [sum(map(len, own)) for own in words])
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(lengths.sum())  # to the word's end
    written = "".join(each).encode("utf-8", "surrogatepass")
    data = np.frombuffer(written, dtype=np.uint8)
    bounds = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))  # of characters
    starts, columns, sizes = [], [], range(SIZES[0], SIZES[1] + 1)
    for size in sizes:
        first = np.flatnonzero(left >= size)
        starts.append(first)
        hashes = murmur3(data, bounds[first], bounds[first + size])
        columns.append(np.abs(hashes.view(np.int32).astype(np.int64)) % COLUMNS)
    at = np.concatenate(starts)
    return Occurrences(
        columns=np.concatenate(columns),
        text_of=text_of[at],
        starts=at,
        lengths=np.repeat(np.array(sizes), [len(first) for first in starts]),
    )


def _counted(texts: Sequence[str]) -> csr_matrix:
    """Counts the n-grams of words, each with a space before and after it."""
    from scipy.sparse import csr_matrix

    found = occurrences([[f" {word} " for word in text.lower().split()] for text in texts])
    ones = np.ones(len(found.columns), dtype=np.float32)
    return csr_matrix((ones, (found.text_of, found.columns)), shape=(len(texts), COLUMNS))


def rarity(counts: csr_matrix) -> NDArray[np.float32]:
    """Returns how much the n-grams of each column count, (COLUMNS,): smoothed IDF.

    Args:
        counts: Counts of the texts that a model learns from (N, COLUMNS).
    """
    texts = np.bincount(counts.indices, minlength=COLUMNS)
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + texts)) + 1, dtype=np.float32)


def tf_idf(counts: csr_matrix, idf: NDArray[np.floating]) -> csr_matrix:
    """Returns rows of length 1 (N, COLUMNS): 1 + log(count), times IDF; a text without any is 0."""
    from scipy.sparse import csr_matrix

    values = (1 + np.log(counts.data)) * idf[counts.indices]
    row_of = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(row_of, weights=values**2, minlength=counts.shape[0]))
    values /= lengths[row_of].astype(values.dtype)
    return csr_matrix((values, counts.indices, counts.indptr), shape=counts.shape)
