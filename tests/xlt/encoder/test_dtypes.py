"""Weights in few bits: in the files of trained models, and of encoders that only read."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.builders import save_tiny_encoder, stored_as
from tests.xlt.encoder.test_encoder import KINDS, TEXTS
from xlt.encoder.dtypes import StoredEmbedding, keep_table_as_stored, narrowest, type_of
from xlt.encoder.encoder import embed, load_encoder

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


def test_a_table_that_does_more_than_look_up_stays(tmp_path):
    """Some families scale what they look up; bare rows would be other vectors."""

    class Scaled(torch.nn.Embedding):
        def forward(self, ids):
            return 4.0 * super().forward(ids)

    folder = save_tiny_encoder(tmp_path / "scaled")
    stored_as(folder, torch.bfloat16)
    body = load_encoder(str(folder)).model
    old = body.get_input_embeddings()
    scaled = Scaled(old.num_embeddings, old.embedding_dim, _weight=old.weight.detach())
    body.set_input_embeddings(scaled)

    keep_table_as_stored(body, folder)

    assert body.get_input_embeddings() is scaled


@pytest.mark.parametrize("dtype", NARROW)
def test_a_kept_table_may_be_raised_again(dtype):
    """A model is moved and cast as a whole; its rows stay what they were."""
    table = torch.nn.Embedding.from_pretrained(torch.randn(7, 4).to(dtype).float())
    ids = torch.tensor([[0, 6], [3, 3]])

    kept = StoredEmbedding(table, dtype)

    torch.testing.assert_close(kept(ids), table(ids), rtol=0, atol=0)
    torch.testing.assert_close(kept.float()(ids), table(ids), rtol=0, atol=0)


def test_a_tensor_is_found_by_its_own_name_first():
    """Under the whole model's name it is found too, but not where two could be meant."""
    types = {"layers.0.norm.weight": torch.bfloat16, "norm.weight": torch.float32}

    assert type_of("norm.weight", types, default=torch.float16) == torch.float32
    assert type_of("0.norm.weight", types, default=torch.float16) == torch.bfloat16
    assert type_of("weight", types, default=torch.float16) == torch.float16
    assert type_of("bias", types, default=torch.float16) == torch.float16


def test_a_cached_encoder_is_looked_up_without_the_hub(tmp_path):
    """Where the weights are, or that there are none of this kind, is known from the cache alone."""
    cache, commit = tmp_path / "hub", "0123456789abcdef0123456789abcdef01234567"
    for name, files in (("new", ["model.safetensors"]), ("old", ["pytorch_model.bin"])):
        snapshot = cache / f"models--team--{name}" / "snapshots" / commit
        snapshot.mkdir(parents=True)
        for file in [*files, "config.json"]:
            (snapshot / file).write_bytes(b"{}")
        (snapshot.parents[1] / "refs").mkdir()
        (snapshot.parents[1] / "refs" / "main").write_text(commit)
    code = (
        "import json, socket\n"
        "from xlt.encoder.dtypes import weights_file\n"
        "def refuse(*args, **kwargs): raise SystemExit('the network was asked')\n"
        "socket.getaddrinfo = socket.socket.connect = refuse\n"
        "print(json.dumps([weights_file('team/new'), weights_file('team/old')]))\n"
    )

    online = {key: value for key, value in os.environ.items() if "OFFLINE" not in key}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=online | {"HF_HUB_CACHE": str(cache), "HF_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    new, old = json.loads(done.stdout)
    assert new is not None
    assert new.endswith(f"{commit}/model.safetensors")
    assert old is None
