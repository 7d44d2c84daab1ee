"""What a finished encoder does on held-out pairs and how well each language can be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from xlt.pretrain.distil import DistilData
from xlt.pretrain.student import sentence_vectors
from xlt.pretrain.tables import Corpus

_MAX_TEXTS = 100


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What the encoder does on the held-out sentences of a language.

    Attributes:
        retrieval: How often the nearest held-out English sentence is the translation, 0 to 1.
        distance: The mean squared distance to the teacher's unit vector of the translation, 0 to
            4: the loss that was trained on.
    """

    retrieval: float
    distance: float


def held_out(
    body: torch.nn.Module, corpus: Corpus, data: DistilData, *, min_texts: int = 15
) -> dict[str, HeldOut]:
    """Returns per language what the encoder does on sentences that it was not trained on.

    Languages with fewer than `min_texts` of them are left out; of more than a hundred, the first
    hundred are asked for.
    """
    rows = np.flatnonzero(corpus.held_out)
    english = np.unique(corpus.source[rows]).astype(np.int64)
    if not len(english):
        return {}
    special = (data.special[0], data.special[2], data.special[3])
    theirs = sentence_vectors(body, data.sources, english, special=special, max_tokens=64)
    found: dict[str, HeldOut] = {}
    for number, language in enumerate(corpus.languages):
        asked = rows[corpus.language[rows] == number][:_MAX_TEXTS]
        if len(asked) < min_texts:
            continue
        ours = sentence_vectors(body, data.texts, asked, special=special, max_tokens=64)
        nearest = english[(ours @ theirs.T).argmax(dim=1).numpy()]
        source = corpus.source[asked]
        right = data.target[torch.from_numpy(source.astype(np.int64))]
        found[language] = HeldOut(
            retrieval=round(float((nearest == source).mean()), 3),
            distance=round(float((ours - right).square().sum(dim=1).mean()), 3),
        )
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
