"""Encoders by name or folder: what loads, what is refused, and that batching changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.builders import save_tiny_encoder
from xlt.encoder.encoder import (
    bundled,
    embed,
    fast_bf16,
    load_encoder,
    store_for_reading,
)
from xlt.encoder.locations import HEAD_FILE, encoder_fingerprint, resolve
from xlt.encoder.tokens import TextTokenizer
from xlt.errors import EncoderError

KINDS = ("bert", "electra", "xlm-roberta", "modernbert", "deberta-v2")
TEXTS = ["the ball", "a good game of the team won", "law", "", "vote and tax in the state " * 9]


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_do_not_depend_on_what_else_is_in_the_batch(tmp_path, kind):
    """Bucketed and padded gives what one by one gives, for each family of position ids."""
    encoder = load_encoder(str(save_tiny_encoder(tmp_path / kind, kind)))
    encoder.model.config.dtype = torch.float32

    together = embed(TEXTS, encoder=encoder, batch_tokens=100, precision="fp32")
    apart = np.concatenate([embed([text], encoder=encoder, precision="fp32") for text in TEXTS])

    assert together.shape == (len(TEXTS), 16)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_xlm_roberta_counts_positions_from_its_padding_id(tmp_path):
    """Padding_idx + 1 is the first position: fewer tokens fit, and the longest text still runs."""
    encoder = load_encoder(str(save_tiny_encoder(tmp_path / "x", "xlm-roberta")))

    assert encoder.max_length == 42 - (1 + 1)
    (tokens,) = encoder.text_tokenizer(1000)(["ball " * 100])
    assert len(tokens) == 40
    assert np.isfinite(embed(["ball " * 100], encoder=encoder, max_length=1000)).all()
    padded = encoder.model.embeddings.create_position_ids_from_input_ids(
        torch.tensor([[0, 7, 2, 1, 1]]), encoder.pad_id
    )
    assert padded.tolist() == [[2, 3, 4, 1, 1]]


def test_no_text_gives_no_vector(tiny_encoder):
    """An empty list is an answerable question."""
    assert embed([], encoder=str(tiny_encoder)).shape == (0, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_trained_mlm_head_is_the_checkpoints_own(tmp_path, kind):
    """Logits of gathered states equal those of Hugging Face's whole model at the same places."""
    from transformers import AutoModelForMaskedLM

    folder = save_tiny_encoder(tmp_path / kind, kind)
    theirs = AutoModelForMaskedLM.from_pretrained(folder).eval()
    encoder = load_encoder(str(folder), with_mlm=True)
    (tokens,) = TextTokenizer(encoder.tokenizer.backend_tokenizer, 32)(["the ball was good"])
    ids = torch.tensor(tokens.ids)[None]
    positions = torch.tensor([1, 3])

    with torch.no_grad():
        expected = theirs(input_ids=ids).logits[0, positions]
        states = encoder.model(input_ids=ids).last_hidden_state[0, positions]
        assert encoder.mlm is not None
        logits = encoder.mlm(states)

    torch.testing.assert_close(logits, expected)


def test_untrained_mlm_head_is_not_taken_for_a_trained_one(tmp_path):
    """A plain body has no MLM head, whatever Hugging Face would initialise at random."""
    folder = save_tiny_encoder(tmp_path / "plain", with_mlm=False)

    assert load_encoder(str(folder), with_mlm=True).mlm is None


def test_mlm_head_in_a_file_of_its_own_is_found(tmp_path, tiny_encoder):
    """A plain body beside head.safetensors is a trained masked-LM model."""
    from safetensors.torch import load_file, save_file

    whole = load_encoder(str(tiny_encoder), with_mlm=True)
    folder = tmp_path / "split"
    whole.model.save_pretrained(folder)
    whole.tokenizer.save_pretrained(folder)
    tensors = load_file(tiny_encoder / "model.safetensors")
    head = {k: v for k, v in tensors.items() if k.startswith("cls.") and "decoder" not in k}
    save_file(head, folder / HEAD_FILE)

    split = load_encoder(str(folder), with_mlm=True)

    states = torch.randn(3, 16)
    assert whole.mlm is not None
    assert split.mlm is not None
    torch.testing.assert_close(split.mlm(states), whole.mlm(states))


@pytest.mark.parametrize("precision", ["auto", "bf16", "fp32"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_deberta_never_runs_in_half_precision(tmp_path, precision, device):
    """Its attention overflows (DeBERTa issue 77): float32 on every device, whatever is asked."""
    encoder = load_encoder(str(save_tiny_encoder(tmp_path / "d", "deberta-v2")))

    assert encoder.forward_dtype(torch.device(device), precision) == torch.float32


def test_precision_is_as_asked_or_as_fast(tiny_encoder):
    """Fp32 and bf16 are obeyed; auto follows the device."""
    encoder = load_encoder(str(tiny_encoder))
    cpu = torch.device("cpu")

    assert encoder.forward_dtype(cpu, "fp32") == torch.float32
    assert encoder.forward_dtype(cpu, "bf16") == torch.bfloat16
    assert (encoder.forward_dtype(cpu, "auto") == torch.bfloat16) == fast_bf16(cpu)
    assert not fast_bf16(torch.device("mps"))


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_weights_stored_for_reading_give_the_same_vectors(tmp_path, kind):
    """Autocast would convert them to the same numbers on every call."""
    folder = str(save_tiny_encoder(tmp_path / kind, kind))
    plain, stored = load_encoder(folder), load_encoder(folder)
    store_for_reading(stored.model, torch.bfloat16)

    assert any(weight.dtype == torch.bfloat16 for weight in stored.model.parameters())
    np.testing.assert_array_equal(
        embed(TEXTS, encoder=plain, precision="bf16"),
        embed(TEXTS, encoder=stored, precision="bf16"),
    )


def test_encoders_that_are_not_there_are_named(tmp_path, monkeypatch):
    """Empty name, absent folder, folder without a model, unknown Hub name: one clear line."""
    for name, message in (
        (" ", "name is empty"),
        (str(tmp_path / "absent"), "there is no such folder"),
        (str(tmp_path), r"has no config\.json"),
        ("nobody/nothing", "cannot load the encoder 'nobody/nothing'"),
    ):
        with pytest.raises(EncoderError, match=message):
            load_encoder(name)
    monkeypatch.setattr("xlt.encoder.locations._BUNDLED", tmp_path / "none")
    with pytest.raises(EncoderError, match="no bundled encoder"):
        bundled()
    with pytest.raises(EncoderError, match="no bundled encoder"):
        resolve("bundled")


def test_damaged_encoder_is_an_error_not_a_crash(tmp_path, tiny_encoder):
    """Weights that are cut off are reported as an encoder that cannot be loaded."""
    import shutil

    folder = tmp_path / "cut"
    shutil.copytree(tiny_encoder, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(EncoderError, match="cannot load the encoder"):
        load_encoder(str(folder))


def test_bundled_encoder_embeds():
    """The encoder that comes with xlt loads and tells different texts apart."""
    vectors = embed(["A match of football.", "A vote in parliament."])

    assert np.isfinite(vectors).all()
    assert not np.allclose(vectors[0], vectors[1])


def test_an_encoders_fingerprint_follows_its_files(tmp_path):
    """A changed weight is another encoder; another place, or a note beside it, is not."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    first = encoder_fingerprint(str(tmp_path / "one"))
    (tmp_path / "two" / "README.md").write_text("a note")
    assert encoder_fingerprint(str(tmp_path / "two")) == first

    (tmp_path / "two" / "model.safetensors").write_bytes(b"others!")
    assert encoder_fingerprint(str(tmp_path / "two")) != first


def test_an_encoder_of_the_hub_is_known_by_its_name():
    """Where this machine does not hold it, the name alone."""
    assert encoder_fingerprint("xlm-roberta-base") != encoder_fingerprint("xlm-roberta-large")
