"""Evaluates a finished encoder: held-out retrieval and unknown tokens of each language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from xlt.pretrain.corpus import Corpus
from xlt.pretrain.distil.batches import DistilData
from xlt.pretrain.sentence_vectors import sentence_vectors

_MAX_TEXTS = 100


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Results on the held-out sentences of a language.

    Attributes:
        retrieval: Share of sentences whose nearest held-out English sentence is the translation,
            in [0, 1].
        distance: Mean squared distance to the teacher's unit vector of the translation, in
            [0, 4]: the loss of the training.
    """

    retrieval: float
    distance: float


def held_out(
    body: torch.nn.Module, corpus: Corpus, data: DistilData, *, min_texts: int = 15
) -> dict[str, HeldOut]:
    """Returns the results on held-out sentences, by language.

    Languages with fewer than `min_texts` held-out sentences are left out; of others, at most the
    first hundred sentences are used.
    """
    rows = np.flatnonzero(corpus.held_out)
    english = np.unique(corpus.source[rows]).astype(np.int64)
    if not len(english):
        return {}
    special = (data.special[0], data.special[2], data.special[3])
    texts, sources = data.translations.texts, data.translations.sources
    english_vectors = sentence_vectors(body, sources, english, special=special, max_tokens=64)
    results: dict[str, HeldOut] = {}
    for number, language in enumerate(corpus.languages):
        queries = rows[corpus.language[rows] == number][:_MAX_TEXTS]
        if len(queries) < min_texts:
            continue
        vectors = sentence_vectors(body, texts, queries, special=special, max_tokens=64)
        nearest = english[(vectors @ english_vectors.T).argmax(dim=1).numpy()]
        source = corpus.source[queries]
        target = data.target[torch.from_numpy(source.astype(np.int64))]
        results[language] = HeldOut(
            retrieval=round(float((nearest == source).mean()), 3),
            distance=round(float((vectors - target).square().sum(dim=1).mean()), 3),
        )
    return results


def unread(corpus: Corpus, data: DistilData) -> dict[str, float]:
    """Returns the share of tokens that no piece covers ([UNK]), by language."""
    texts = data.translations.texts
    tokens = _per_language(corpus, np.ones(len(texts.flat)), texts.lengths())
    unknown = (texts.flat == data.special[1]).astype(np.float64)
    shares = _per_language(corpus, unknown, texts.lengths()) / np.maximum(tokens, 1)
    named = zip(corpus.languages, shares.tolist(), strict=True)
    return {language: round(share, 4) for language, share in named}


def _per_language(
    corpus: Corpus, values: NDArray[np.float64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    language = np.repeat(corpus.language, lengths)
    return np.bincount(language, weights=values, minlength=len(corpus.languages)).astype(np.float64)
