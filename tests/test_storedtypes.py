"""Weights in few bits: in the files of trained models, and of encoders that only read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.builders import save_tiny_encoder, stored_as
from tests.test_encoder import KINDS, TEXTS
from xlt.encoder import embed, load_encoder
from xlt.storedtypes import narrowest

NARROW = (torch.float8_e4m3fn, torch.float16, torch.bfloat16)
FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(arrays(np.float32, st.integers(0, 20), elements=FLOATS))
def test_narrowing_changes_no_value(values):
    """Float32 again, every number is what it was, whatever it was; narrowing twice is once."""
    narrow = narrowest(torch.from_numpy(values))

    np.testing.assert_array_equal(narrow.float().numpy(), values)
    assert narrowest(narrow) is narrow


@pytest.mark.parametrize("dtype", NARROW)
def test_values_of_few_bits_get_them_back(dtype):
    """A table that came from a file of few bits takes no more in the next one."""
    table = torch.randn(6000, 3).to(dtype).float()

    assert narrowest(table).element_size() == dtype.itemsize
    table[-1, -1] = 1 + 2**-20  # one trained value, at the very end
    assert narrowest(table).dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", NARROW)
def test_a_table_kept_as_stored_gives_the_same_vectors(tmp_path, kind, dtype):
    """One or two bytes a number where four were, and the same bits come out, for each family."""
    folder = save_tiny_encoder(tmp_path / kind, kind)
    stored_as(folder, dtype)
    whole, kept = load_encoder(str(folder)), load_encoder(str(folder), to_read=True)

    assert whole.model.get_input_embeddings().weight.dtype == torch.float32
    assert kept.model.get_input_embeddings().weight.dtype == dtype
    assert {p.dtype for p in kept.model.parameters()} == {torch.float32}
    assert kept.n_tokens == whole.n_tokens
    for precision in ("fp32", "bf16"):
        np.testing.assert_array_equal(
            embed(TEXTS, encoder=kept, precision=precision),
            embed(TEXTS, encoder=whole, precision=precision),
        )


def test_a_table_of_four_bytes_stays(tmp_path):
    """What the file holds in full is read in full."""
    folder = save_tiny_encoder(tmp_path / "full")

    kept = load_encoder(str(folder), to_read=True)

    assert kept.model.get_input_embeddings().weight.dtype == torch.float32


def test_a_checkpoint_of_several_files_is_read_in_full(tmp_path):
    """Large ones are: there the types of all files would have to be known."""
    folder = save_tiny_encoder(tmp_path / "whole")
    whole = load_encoder(str(folder))
    whole.model.save_pretrained(tmp_path / "parts", max_shard_size="4KB")
    whole.tokenizer.save_pretrained(tmp_path / "parts")

    kept = load_encoder(str(tmp_path / "parts"), to_read=True)

    assert not (tmp_path / "parts" / "model.safetensors").exists()
    assert kept.model.get_input_embeddings().weight.dtype == torch.float32
    np.testing.assert_array_equal(embed(TEXTS, encoder=kept), embed(TEXTS, encoder=whole))
