"""An exported encoder reads texts as torch does, whatever the script, length or architecture."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import save_tiny_encoder, stored_as
from xlt.encoder.encoder import Encoder, bundled, load_encoder
from xlt.encoder.export import export, quantize
from xlt.encoder.exported import GRAPH, NOTE, Encoders, ExportedEncoder
from xlt.encoder.reading import read_apart
from xlt.errors import EncoderError

TEXTS = [
    "the ball was good", "", " ", "ẹ̀kọ́ àti ìlera", "ታላቅ ዜና ነው", "𞤀𞤁𞤂𞤃", "ߒߞߏ", "សួស្តី", "𐀀\u200d🏽",
    "law " * 700, "a",
]  # fmt: skip


def exported(place: Path, folder: Path) -> Encoder:
    """Exports an encoder into a folder with its own files; returns it in torch."""
    shutil.copytree(place, folder)
    encoder = load_encoder(str(folder))
    export(encoder, encoder.upper_layers, folder)
    return encoder


def load(folder: Path, max_length: int = 128) -> ExportedEncoder:
    """The exported encoder in a folder."""
    return Encoders().load(folder, max_length=max_length)


def by_torch(encoder: Encoder, texts: list[str], max_length: int = 128) -> np.ndarray:
    """The vectors (N, L, H) that training sees."""
    tokenize = encoder.text_tokenizer(max_length)
    return read_apart(
        encoder.model,
        tokenize,
        texts,
        encoder.pad_id,
        batch_tokens=2048,
        dtype=torch.float32,
        layers=encoder.upper_layers,
    )[:, 0]


@pytest.fixture(scope="module")
def tiny(tiny_encoder, tmp_path_factory) -> tuple[Encoder, ExportedEncoder]:
    """A tiny BERT, in torch and exported."""
    folder = tmp_path_factory.mktemp("tiny") / "encoder"
    return exported(tiny_encoder, folder), load(folder)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Encoder, ExportedEncoder, ExportedEncoder]:
    """The bundled encoder: in torch, exported, and in eight bits."""
    folder = tmp_path_factory.mktemp("bundled") / "encoder"
    encoder = exported(bundled(), folder)
    eight = shutil.copytree(folder, folder.with_name("int8"))
    quantize(folder, eight)
    return encoder, *(load(one) for one in (folder, eight))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=60) | st.sampled_from(TEXTS), max_size=8))
def test_vectors_are_those_of_torch(tiny, texts):
    """Row by row, in the order of the texts, for any characters and none."""
    encoder, ours = tiny
    vectors = ours.vectors(texts)

    assert vectors.shape == (len(texts), len(encoder.upper_layers) + 1, encoder.width)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, by_torch(encoder, texts), atol=1e-4)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.text(max_size=60) | st.sampled_from(TEXTS), max_size=4))
def test_the_bundled_encoder_reads_as_in_torch(both, texts):
    """In float32 but for rounding; in eight bits in nearly the same direction."""
    encoder, ours, eight = both
    expected = by_torch(encoder, texts)

    np.testing.assert_allclose(ours.vectors(texts), expected, atol=1e-3)
    near = eight.vectors(texts)
    lengths = np.linalg.norm(near, axis=-1) * np.linalg.norm(expected, axis=-1)
    assert ((near * expected).sum(axis=-1) > 0.9 * lengths).all()


@pytest.mark.parametrize("kind", ["electra", "xlm-roberta", "modernbert"])
def test_other_architectures(tmp_path, kind):
    """Embeddings narrower than states, positions counted from two, and rotary positions."""
    place = save_tiny_encoder(tmp_path / "encoder", kind, with_mlm=False)
    encoder = exported(place, tmp_path / "exported")
    ours = load(tmp_path / "exported")

    np.testing.assert_allclose(ours.vectors(TEXTS), by_torch(encoder, TEXTS), atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float16, torch.bfloat16])
def test_embeddings_stay_as_narrow_as_their_file(tiny_encoder, tmp_path, dtype):
    """Rows come from the file, in whatever type."""
    place = shutil.copytree(tiny_encoder, tmp_path / "narrow")
    stored_as(place, dtype)
    encoder = exported(place, tmp_path / "exported")
    ours = load(tmp_path / "exported")

    np.testing.assert_allclose(ours.vectors(TEXTS), by_torch(encoder, TEXTS), atol=1e-4)


def test_texts_are_cut_where_they_are_asked_to_be(tiny):
    """As torch's tokenizer cuts them."""
    encoder, _ = tiny
    folder = Path(encoder.name)
    short = load(folder, 5).vectors(TEXTS)

    np.testing.assert_allclose(short, by_torch(encoder, TEXTS, 5), atol=1e-4)


def test_an_encoder_that_does_more_than_look_up_rows_is_refused(tiny_encoder, tmp_path):
    """Scaled embeddings, for instance: the reason says so, and nothing is written."""

    class Scaled(torch.nn.Embedding):
        pass

    encoder = load_encoder(str(tiny_encoder))
    table = encoder.model.get_input_embeddings()
    encoder.model.set_input_embeddings(Scaled(table.num_embeddings, table.embedding_dim))

    with pytest.raises(EncoderError, match="input embeddings are Scaled, expected Embedding"):
        export(encoder, (), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damaged", [GRAPH, NOTE, "tokenizer.json", "model.safetensors"])
def test_half_an_exported_encoder_is_an_error(tiny, tmp_path, damaged):
    """Whatever is missing or cut."""
    encoder, _ = tiny
    folder = shutil.copytree(encoder.name, tmp_path / "copy")
    (folder / damaged).write_bytes(b"{")
    with pytest.raises(EncoderError):
        load(folder)
    (folder / damaged).unlink()
    with pytest.raises(EncoderError):
        load(folder)


def test_models_share_an_encoder_while_they_need_it(tiny, tmp_path):
    """The same files in other folders are in memory once; another graph has the same tokenizer."""
    encoder, _ = tiny
    folders = [shutil.copytree(encoder.name, tmp_path / name) for name in ("a", "b", "c")]
    quantize(folders[0], folders[2])
    encoders = Encoders()
    one, same, other = (encoders.load(folder, max_length=128) for folder in folders)

    assert one is same
    assert other is not one
    assert other._tokenize is one._tokenize
    assert encoders.load(folders[0], max_length=16) is not one
    shutil.rmtree(folders[0])
    assert len(one.vectors(TEXTS)) == len(TEXTS), "a deleted version is used until it is let go"
    names = len(encoders._encoders)
    del one, same
    assert len(encoders._encoders) < names
