"""Reads the features of texts that a frozen model learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.encoder.encoder import Encoder
from xlt.encoder.reading import read_apart
from xlt.encoder.together import combine_layers
from xlt.encoder.tokens import Input
from xlt.frozen.features import Features
from xlt.frozen.ngrams import count_ngrams


def read_features(
    texts: Sequence[Input],
    encoder: Encoder,
    *,
    max_length: int = 128,
    precision: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Features:
    """Reads texts by an encoder, see `read_vectors`, and counts their n-grams."""
    vectors = read_vectors(
        texts, encoder, max_length=max_length, precision=precision, progress=progress
    )
    return Features(vectors=vectors, ngrams=count_ngrams(texts))


def read_vectors(
    texts: Sequence[Input],
    encoder: Encoder,
    *,
    max_length: int = 128,
    precision: str = "auto",
    batch_tokens: int = 2048,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> NDArray[np.float32]:
    """Reads texts by the encoder's upper layers.

    Args:
        texts: N texts, or N times K texts that belong together and are read apart; may be empty.
        encoder: The encoder.
        max_length: Texts are truncated to this number of tokens.
        precision: auto, bf16 or fp32.
        batch_tokens: Padded tokens per forward pass.
        progress: Called with the number of texts done and N, before the first batch and after each.

    Returns:
        (N, L, H), the mean over the tokens of each layer in `Encoder.upper_layers`, and of the
        final layer; (N, L, D) of K texts, see `xlt.encoder.together.combined`.
    """
    progress(0, len(texts))
    read = read_apart(
        encoder.model,
        encoder.text_tokenizer(max_length),
        texts,
        encoder.pad_id,
        batch_tokens=batch_tokens,
        dtype=encoder.forward_dtype(encoder.model.device, precision),
        layers=encoder.upper_layers,
        progress=progress,
    )
    return combine_layers(read)
