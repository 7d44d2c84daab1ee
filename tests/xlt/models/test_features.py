"""Features are the encoder's own states: the final layer's mean, and those of layers below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from xlt.encoder.encoder import embed, load_encoder
from xlt.models.features import FeatureReader

TEXTS = ["wasan kwallo", "good game in Kano", "a"]


def test_the_last_vector_is_the_sentence_vector(tiny_encoder: Path):
    """The same as `embed` gives, so that nothing is read twice for both."""
    encoder = load_encoder(str(tiny_encoder))
    features = FeatureReader(lambda: encoder, precision="fp32").read(TEXTS)
    expected = embed(TEXTS, encoder=str(tiny_encoder), precision="fp32")
    assert features.vectors[:, -1] == pytest.approx(expected, abs=2e-3)
    assert features.ngrams.shape[0] == len(TEXTS)


def test_vectors_are_the_means_of_hidden_states(tiny_encoder: Path):
    """As Hugging Face's own model returns them, one text at a time."""
    encoder = load_encoder(str(tiny_encoder))
    vectors = FeatureReader(lambda: encoder, precision="fp32").vectors(TEXTS)
    model = AutoModel.from_pretrained(tiny_encoder).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    layers = [*encoder.upper_layers, encoder.n_layers]
    for row, text in enumerate(TEXTS):
        with torch.inference_mode():
            read = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        expected = np.stack([read.hidden_states[layer][0].mean(dim=0).numpy() for layer in layers])
        assert vectors[row] == pytest.approx(expected, abs=2e-3)


def test_two_texts_are_read_as_one_sequence(tiny_encoder: Path):
    """Their n-grams are those of both."""
    encoder = load_encoder(str(tiny_encoder))
    (one, two) = (
        FeatureReader(lambda: encoder, precision="fp32").read([pair])
        for pair in (("good game", "a"), ("a", "good game"))
    )
    assert (one.vectors != two.vectors).any()
    assert (one.ngrams != two.ngrams).nnz == 0


def test_progress_counts_the_texts(tiny_encoder: Path):
    """From none to all."""
    seen: list[tuple[int, int]] = []
    reader = FeatureReader(lambda: load_encoder(str(tiny_encoder)))
    reader.vectors(TEXTS, lambda *counts: seen.append(counts))
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
