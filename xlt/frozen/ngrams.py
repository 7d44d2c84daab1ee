"""Character n-grams: hashed counts of texts, and their TF-IDF rows.

Words and parts of words tell sentiment and names apart better than a small encoder's vectors do,
and languages that are related or borrow from one another share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

#: Number of columns that n-grams are hashed to.
COLUMNS = 2**18
#: Shortest and longest n-gram, within words.
SIZES = (2, 5)


def count_ngrams(texts: Sequence[str | tuple[str, ...]]) -> csr_matrix:
    """Returns the number of times that each text has the n-grams of each column, (N, COLUMNS).

    Texts that belong together have none: what matters is how they relate, not which words are in
    one of them.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]

    if not len(texts):
        return csr_matrix((0, COLUMNS), dtype=np.float32)
    hashing = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=SIZES,
        n_features=COLUMNS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    written = [text if isinstance(text, str) else "" for text in texts]
    return hashing.transform(written)


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
    from sklearn.preprocessing import normalize  # type: ignore[import-untyped]

    values = (1 + np.log(counts.data)) * idf[counts.indices]
    rows = csr_matrix((values, counts.indices, counts.indptr), shape=counts.shape)
    return normalize(rows, copy=False)
