"""A toy language as token ids, and a body that has learned nothing."""

from __future__ import annotations

import numpy as np
import torch
from transformers import ElectraConfig, ElectraForMaskedLM

from xlt.pretrain.tokenized_texts import TokenizedTexts
from xlt.pretrain.translations import Translations

N_WORDS, N_TEXTS, WIDTH = 20, 60, 16
SPECIAL = (0, 1, 2, 3, 4)


def ragged(lines):
    """Rows of token ids."""
    return TokenizedTexts(
        flat=np.concatenate(lines).astype(np.int32),
        start=np.cumsum([0, *map(len, lines)], dtype=np.int64),
    )


def toy_language(rng):
    """English ids 5..24, and a language that writes word i as i + 20."""
    english = [rng.integers(5, 5 + N_WORDS, size=rng.integers(3, 7)) for _ in range(N_TEXTS)]
    rows = torch.from_numpy(rng.standard_normal((5 + 2 * N_WORDS, WIDTH)).astype(np.float32))
    known = np.arange(len(rows)) < 5 + N_WORDS
    return ragged(english), ragged([line + N_WORDS for line in english]), rows, known


def translations_of(sources, texts, **changes):
    """Each text translates the source in its row; all are sentences of one language."""
    n = len(texts)
    fields = {
        "source_row": np.arange(n, dtype=np.int32),
        "language": np.zeros(n, dtype=np.int32),
        "word_chance": np.zeros(n),
        "sentence_chance": np.full(n, 1 / n),
        **changes,
    }
    return Translations(texts=texts, sources=sources, **fields)


LIMITS = {"special": (0, 2, 3), "max_tokens": 32}


def student_of(rows):
    """A body that has learned nothing."""
    config = ElectraConfig(
        vocab_size=len(rows), embedding_size=WIDTH // 2, hidden_size=WIDTH, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    torch.manual_seed(0)
    return ElectraForMaskedLM(config).eval()
