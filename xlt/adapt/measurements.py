"""Measures an encoder in each language: fertility of its tokenizer, retrieval of translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional

from xlt.adapt.batches import text_vectors
from xlt.adapt.fertility import Fertility, badly_read, measure
from xlt.adapt.options import AdaptOptions
from xlt.adapt.texts import Pair
from xlt.adapt.tokenizer_json import TokenizerJson, as_tokenizer, unknown_id
from xlt.encoder.encoder import Encoder

_FERTILITY_TEXTS = 2_000  # of each language
_RETRIEVAL_PAIRS = 200  # of each language


def measured(
    encoder: Encoder,
    tokenizer: TokenizerJson,
    texts: Mapping[str, Sequence[str]],
    held_out: Sequence[Pair],
    options: AdaptOptions,
) -> dict[str, dict[str, Any]]:
    """Returns the measurements of an encoder, by language.

    Args:
        encoder: What to measure.
        tokenizer: Its tokenizer.
        texts: Texts of each language.
        held_out: Pairs that the encoder is not trained on.
        options: See `AdaptOptions`.

    Returns:
        The values of `Fertility`, and `retrieval`: the share of held-out texts in [0, 1] whose
        nearest source sentence is their translation, None without held-out pairs.
    """
    retrieval = _retrieval(encoder, held_out, options)
    return {
        lang: asdict(fertility) | {"retrieval": retrieval.get(lang)}
        for lang, fertility in _fertilities(tokenizer, texts).items()
    }


def languages_to_extend(
    measurements: Mapping[str, Mapping[str, Any]], options: AdaptOptions
) -> list[str]:
    """Returns the languages other than the source that the tokenizer reads badly."""
    fertilities = {
        lang: Fertility(**{k: v for k, v in values.items() if k != "retrieval"})
        for lang, values in measurements.items()
        if lang != options.source
    }
    return badly_read(
        fertilities,
        max_unknown=options.max_unknown,
        max_tokens_per_word=options.max_tokens_per_word,
        max_tokens_per_character=options.max_tokens_per_character,
    )


def _fertilities(
    tokenizer: TokenizerJson, texts: Mapping[str, Sequence[str]]
) -> dict[str, Fertility]:
    unknown, loaded = unknown_id(tokenizer), as_tokenizer(tokenizer)
    return {
        lang: measure(loaded, in_language[:_FERTILITY_TEXTS], unknown_id=unknown)
        for lang, in_language in sorted(texts.items())
    }


def _retrieval(
    encoder: Encoder, held_out: Sequence[Pair], options: AdaptOptions
) -> dict[str, float]:
    queries: list[Pair] = []
    counts: dict[str, int] = {}
    for pair in held_out:
        counts[pair.lang] = counts.get(pair.lang, 0) + 1
        if counts[pair.lang] <= _RETRIEVAL_PAIRS:
            queries.append(pair)
    if not queries:
        return {}
    sources = sorted({pair.source for pair in queries})

    def vectors(texts: Sequence[str]) -> Tensor:
        return functional.normalize(text_vectors(encoder, texts, options), dim=-1)

    source_vectors = vectors(sources)
    nearest = (vectors([pair.text for pair in queries]) @ source_vectors.T).argmax(dim=1).tolist()
    hits: dict[str, list[bool]] = {}
    for pair, row in zip(queries, nearest, strict=True):
        hits.setdefault(pair.lang, []).append(sources[row] == pair.source)
    return {lang: round(float(np.mean(correct)), 4) for lang, correct in hits.items()}
