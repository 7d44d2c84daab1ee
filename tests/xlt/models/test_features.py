"""Features are the encoder's own states: the final layer's mean, and those of layers below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from xlt.disk.blobs import Blobs
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


def reader_of(vectors: np.ndarray, tmp_path: Path, seen: list[str]) -> FeatureReader:
    """A reader whose encoder says `vectors` of any text, with a cache."""
    reader = FeatureReader(
        lambda: pytest.fail("no encoder is needed"),
        cache=Blobs(tmp_path / "texts.sqlite3", most_bytes=10**7),
    )

    def read(texts: list[str], progress: object) -> tuple[np.ndarray, bool]:
        seen.extend(texts)
        return np.stack([vectors] * len(texts)), True

    reader._read_now = read  # type: ignore[method-assign]
    return reader


@pytest.mark.parametrize("largest", [1.0, 60_000.0, 1e6])
def test_kept_vectors_are_those_that_were_read(largest: float, tmp_path: Path):
    """In 16 bits, which round by 2^-11 at most; in 32 where a number is too large for these."""
    raw = np.random.default_rng(3).uniform(0.01, 1, (2, 5)).astype(np.float32)
    raw[0, 0] = largest
    seen: list[str] = []
    first = reader_of(raw, tmp_path, seen).vectors(["a", "b", "a"])
    again = reader_of(raw, tmp_path, seen)
    assert again.vectors(["b", "a"]) == pytest.approx(first[:2], abs=0)
    assert again.precision == "bf16"
    assert sorted(seen) == ["a", "b"]
    assert (np.abs(first[0] - raw) <= 2.0**-11 * raw).all()
    assert (first[0] == raw).all() == (largest > 65_504)


def test_vectors_that_are_not_finite_are_not_kept(tmp_path: Path):
    """The next training is to fail too, and to say so."""
    raw = np.full((2, 5), np.inf, np.float32)
    seen: list[str] = []
    for _ in range(2):
        assert not np.isfinite(reader_of(raw, tmp_path, seen).vectors(["a"])).any()
    assert seen == ["a", "a"]
