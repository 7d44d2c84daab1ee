"""Files of tensors, copied with others added: as safetensors itself reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from xlt.disk.tensors import copy_tensors

KEPT = {
    "body.table": torch.arange(12, dtype=torch.float32).view(3, 4).to(torch.float8_e4m3fn),
    "body.bias": torch.arange(3, dtype=torch.bfloat16),
    "body.weight": torch.arange(10, dtype=torch.float32),
    "body.none": torch.zeros(0, 4),
    "body.count": torch.tensor(7),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of many types."""
    old = {"head.bias": torch.ones(2), "head.old": torch.ones(5, dtype=torch.float16)}
    save_file(KEPT | old, tmp_path / "old", metadata={"format": "pt", "who": "Ọmọ"})
    return tmp_path / "old"


def test_it_reads_as_safetensors_writes(source: Path, tmp_path: Path):
    """Kept bits, new tensors and metadata; what is left out is gone."""
    added = {
        "head.bias": np.array([[1.5], [2.5]], np.float32),
        "head.ẹ": np.array([1, 2, 3], np.float16),
    }
    copy_tensors(source, tmp_path / "new", without="head.", added=added)
    found = load_file(tmp_path / "new")
    expected = KEPT | {name: torch.from_numpy(value) for name, value in added.items()}
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert found[name].shape == value.shape
        assert (
            found[name].numpy(force=True).tobytes() == value.numpy(force=True).tobytes()
            if (value.dtype in (torch.float32, torch.float16, torch.int64))
            else torch.equal(found[name].float(), value.float())
        )
    with safe_open(tmp_path / "new", framework="pt") as file:
        assert file.metadata() == {"format": "pt", "who": "Ọmọ"}


def test_it_is_the_file_that_safetensors_would_write(source: Path, tmp_path: Path):
    """The same order of tensors, so that both ways give one file."""
    added = {"head.bias": np.array([1.5], np.float32), "head.small": np.array([2], np.float16)}
    copy_tensors(source, tmp_path / "new", without="head.", added=added)
    everything = KEPT | {name: torch.from_numpy(value) for name, value in added.items()}
    save_file(everything, tmp_path / "expected", metadata={"format": "pt"})
    files = [tmp_path / name for name in ("new", "expected")]
    bodies = []
    for file in files:
        data = file.read_bytes()
        bodies.append(data[8 + int.from_bytes(data[:8], "little") :])
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("content", [b"", b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{"])
def test_another_file_is_refused(content: bytes, tmp_path: Path):
    """By its name."""
    (tmp_path / "old").write_bytes(content)
    with pytest.raises(ValueError, match=r"old is not|Expecting"):
        copy_tensors(tmp_path / "old", tmp_path / "new", without="x", added={})


def test_half_a_file_is_refused(source: Path, tmp_path: Path):
    """No tensor is filled up."""
    source.write_bytes(source.read_bytes()[:-4])
    with pytest.raises(ValueError, match="ends in the middle"):
        copy_tensors(source, tmp_path / "new", without="x", added={})
