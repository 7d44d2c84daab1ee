"""What a finished encoder does on held-out pairs and how well each language can be read."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from xlt.pretrain.distil import DistilData
from xlt.pretrain.student import sentence_vectors
from xlt.pretrain.tables import Corpus

_MAX_TEXTS = 100


def held_out_retrieval(
    body: torch.nn.Module, corpus: Corpus, data: DistilData, *, min_texts: int = 15
) -> dict[str, float]:
    """Returns per language how often the nearest held-out English sentence is the translation.

    Languages with fewer than `min_texts` held-out sentences are left out; of more than a hundred,
    the first hundred are asked for.
    """
    rows = np.flatnonzero(corpus.held_out)
    english = np.unique(corpus.source[rows]).astype(np.int64)
    if not len(english):
        return {}
    special = (data.special[0], data.special[2], data.special[3])
    theirs = sentence_vectors(body, data.sources, english, special=special, max_tokens=64)
    found: dict[str, float] = {}
    for number, language in enumerate(corpus.languages):
        asked = rows[corpus.language[rows] == number][:_MAX_TEXTS]
        if len(asked) < min_texts:
            continue
        ours = sentence_vectors(body, data.texts, asked, special=special, max_tokens=64)
        nearest = english[(ours @ theirs.T).argmax(dim=1).numpy()]
        found[language] = round(float((nearest == corpus.source[asked]).mean()), 3)
    return found


def unread(corpus: Corpus, data: DistilData) -> dict[str, float]:
    """Returns per language the share of tokens that no piece covers ([UNK])."""
    tokens = _per_language(corpus, np.ones(len(data.texts.flat)), data.texts.lengths())
    unknown = (data.texts.flat == data.special[1]).astype(np.float64)
    shares = _per_language(corpus, unknown, data.texts.lengths()) / np.maximum(tokens, 1)
    named = zip(corpus.languages, shares.tolist(), strict=True)
    return {language: round(share, 4) for language, share in named}


def _per_language(
    corpus: Corpus, values: NDArray[np.float64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    language = np.repeat(corpus.language, lengths)
    return np.bincount(language, weights=values, minlength=len(corpus.languages)).astype(np.float64)
