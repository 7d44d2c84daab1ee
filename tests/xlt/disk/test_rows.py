"""Tensors are what torch reads of the same file, bit for bit, in every type."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from xlt.disk.rows import Rows, read_tensors
from xlt.errors import EncoderError


@pytest.mark.parametrize(
    "dtype", [torch.float8_e4m3fn, torch.float16, torch.bfloat16, torch.float32]
)
def test_rows_are_those_of_torch(tmp_path, dtype):
    """Every number of the narrow types, and some of the wide ones."""
    values = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).float()
    table = torch.cat([values, torch.linspace(-3, 3, 256)]).view(64, 8).to(dtype)
    save_file({"other": torch.ones(3), "bert.table": table}, tmp_path / "m.safetensors")
    ids = np.array([[0, 63, 5], [31, 31, 1]])

    rows = Rows(tmp_path / "m.safetensors", "table")(ids)

    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, table.float().numpy()[ids])
    (whole,) = read_tensors(tmp_path / "m.safetensors", "bert.").values()
    np.testing.assert_array_equal(whole, table.float().numpy())
    assert whole.dtype == np.float32


def test_tensors_are_named_without_their_prefix(tmp_path):
    """Numbers without dimensions, and none at all; whole numbers are left out."""
    values = {
        "head.scale": torch.tensor(2.5),
        "head.none": torch.zeros(0, 3),
        "body": torch.ones(2),
    }
    save_file(values | {"head.ids": torch.arange(3)}, tmp_path / "m.safetensors")

    found = read_tensors(tmp_path / "m.safetensors", "head.")

    assert sorted(found) == ["none", "scale"]
    assert found["scale"] == np.float32(2.5)
    assert found["none"].shape == (0, 3)


@pytest.mark.parametrize(
    "content", [b"", b"x" * 100, b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0[]\0"]
)
def test_a_file_without_the_table_is_an_error(tmp_path, content):
    """Missing, damaged or another file."""
    path = tmp_path / "m.safetensors"
    with pytest.raises(EncoderError, match="no complete safetensors file"):
        Rows(path, "table")
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=r"no complete safetensors file|has no table"):
        Rows(path, "table")
    save_file({"tables": torch.ones(2, 2), "a.row": torch.ones(3)}, path)
    with pytest.raises(EncoderError, match="has no table 'table'"):
        Rows(path, "table")
    with pytest.raises(EncoderError, match="has no table 'row'"):
        Rows(path, "row")
