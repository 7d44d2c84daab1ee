"""BM25 over the terms of texts (Robertson, Walker 1994; Lucene's form), by bm25s."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import bm25s  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.search.terms import terms

_LEAST = 1e-9


class Lexical:
    """An index of the terms of N texts.

    Args:
        index: What bm25s built; None if no text has a term.
        texts: N.
    """

    def __init__(self, index: bm25s.BM25 | None, texts: int) -> None:
        self._index = index
        self._texts = texts

    @classmethod
    def of(cls, texts: Sequence[str]) -> Lexical:
        """Indexes texts; one without letters and numbers is found by no query."""
        vocabulary: dict[str, int] = {}
        ids = [
            [vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)] for text in texts
        ]
        if not vocabulary:
            return cls(None, len(texts))
        index = bm25s.BM25(method="lucene", backend="numpy")
        index.index((ids, vocabulary), show_progress=False, create_empty_token=False)
        return cls(index, len(texts))

    def scores(self, query: str) -> NDArray[np.float32]:
        """Returns the BM25 score of each text, (N,); 0 for those without a term of the query."""
        found = np.zeros(self._texts, dtype=np.float32)
        if self._index is not None:
            known = self._index.get_tokens_ids(terms(query))
            if known:
                found[:] = self._index.get_scores_from_ids(known)
        return found

    def overlap(self, query: str) -> NDArray[np.float32]:
        """Returns the scores as shares of the most that a text could have, (N,) in [0, 1].

        That is the sum over the query's terms of the highest score that a text has for each. So a
        long query is not covered by a chance match, however few texts have one.
        """
        if self._index is None:
            return np.zeros(self._texts, dtype=np.float32)
        data, ends = self._index.scores["data"], self._index.scores["indptr"]
        known = self._index.get_tokens_ids(terms(query))
        most = sum(float(data[ends[term] : ends[term + 1]].max(initial=0.0)) for term in known)
        return np.asarray(np.minimum(self.scores(query) / max(most, _LEAST), 1), np.float32)

    def save(self, folder: Path) -> None:
        """Writes the index into a folder, which is made."""
        folder.mkdir()
        if self._index is not None:
            self._index.save(folder, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, texts: int) -> Lexical:
        """Reads what `save` wrote; its arrays are mapped into memory.

        Raises:
            DataError: If it is damaged.
        """
        if folder.is_dir() and not any(folder.iterdir()):
            return cls(None, texts)
        try:
            index = bm25s.BM25.load(folder, mmap=True, load_corpus=False, allow_pickle=False)
            documents = int(index.scores["num_docs"])
            ends = np.asarray(index.scores["indptr"])
            whole = ends[-1] == len(index.scores["data"]) == len(index.scores["indices"])
        except (OSError, ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise DataError(f"{folder} is damaged: {error}") from error
        if documents != texts or not whole:
            raise DataError(f"{folder} is damaged: it is of {documents} texts, expected {texts}")
        return cls(index, texts)
