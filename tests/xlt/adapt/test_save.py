"""The types of the weights that an adaptation saves."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.builders import save_tiny_encoder, stored_as
from tests.xlt.adapt.toy import QUICK
from xlt.adapt import run as stages
from xlt.adapt import save
from xlt.adapt.batches import split_pairs
from xlt.adapt.run import adapt
from xlt.adapt.texts import AdaptData
from xlt.encoder.dtypes import stored_types
from xlt.encoder.encoder import embed


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.bfloat16, torch.float32])
def test_the_file_has_the_types_of_the_one_it_came_from(tmp_path, dtype):
    """An adapted encoder is not larger than its pieces make it, and the source's vectors stay."""
    encoder = save_tiny_encoder(tmp_path / "encoder")
    stored_as(encoder, dtype)
    ours = "the good team won the match"
    data = AdaptData(texts=(("ha", "wasan kwallo zabe gasa"),), sources=(ours,))

    options = replace(QUICK, new_pieces=0, trim=True)
    report = adapt(str(encoder), data, tmp_path / "out", options=options)

    was, now = stored_types(encoder), stored_types(tmp_path / "out")
    assert dtype in now.values()
    assert {was[f"bert.{name}"] for name in now if now[name] == dtype} == {dtype}
    gone = report["trimmed"]["pieces"]
    assert report["trimmed"]["mb_saved"] == round(gone * 16 * dtype.itemsize / 1e6, 3)
    np.testing.assert_allclose(
        embed([ours], encoder=str(tmp_path / "out")), embed([ours], encoder=str(encoder)), atol=1e-6
    )


def test_eight_bits_take_nothing_from_what_was_trained(english, texts, tmp_path, monkeypatch):
    """Trained matrices keep the bits of the config's type; the table keeps the file's eight."""
    encoder = tmp_path / "encoder"
    shutil.copytree(english, encoder)
    settings = json.loads((encoder / "config.json").read_text()) | {"dtype": "float16"}
    (encoder / "config.json").write_text(json.dumps(settings))
    stored_as(encoder, torch.float8_e4m3fn)
    trained = {}
    real = save.save_adapted

    def write(encoder, part, **given):
        trained.update({n: v.clone() for n, v in encoder.model.state_dict().items()})
        real(encoder, part, **given)

    monkeypatch.setattr(stages, "save_adapted", write)
    adapt(str(encoder), texts, tmp_path / "out", options=replace(QUICK, steps=20))

    kinds = stored_types(tmp_path / "out")
    written = load_file(tmp_path / "out" / "model.safetensors")
    table = "embeddings.word_embeddings.weight"
    assert kinds[table] == torch.float8_e4m3fn
    assert "encoder.layer.0.attention.self.query.weight" in trained
    for name in trained.keys() - {table}:
        torch.testing.assert_close(written[name].float(), trained[name], rtol=1e-3, atol=1e-6)


def test_the_report_measures_what_is_written(english, texts, tmp_path, monkeypatch):
    """Retrieval in the report is that of the folder, whatever was lost on the way there."""
    options = replace(QUICK, steps=120, bag_steps=150, held_out_percent=20.0)
    monkeypatch.setattr(save, "_converted", lambda value, *types: torch.zeros_like(value))

    report = adapt(english, texts, tmp_path / "out", options=options)

    assert not embed(["goat rain"], encoder=str(tmp_path / "out")).any()
    _, held = split_pairs(texts.pairs, options, np.random.default_rng((options.seed, 1)))
    first = min(pair.source for pair in held)  # where all vectors are alike
    right = np.mean([pair.source == first for pair in held])
    assert report["languages"]["zgh"]["after"]["retrieval"] == round(float(right), 4)
