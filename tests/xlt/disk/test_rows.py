"""Rows are what torch reads of the same file, bit for bit, in every type."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from xlt.disk.rows import Rows
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


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_file_without_the_table_is_an_error(tmp_path, content):
    """Missing, damaged or another file."""
    with pytest.raises(EncoderError, match="has no table 'table'"):
        Rows(tmp_path / "m.safetensors", "table")
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(EncoderError, match="has no table 'table'"):
        Rows(tmp_path / "m.safetensors", "table")
