"""Fixtures that the tests of the commands share."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import ROWS, table
from xlt_backend.cli import main


@pytest.fixture(scope="session")
def model(tmp_path_factory, tiny_encoder) -> str:
    """A model trained by the command."""
    folder = tmp_path_factory.mktemp("trained")
    out = folder / "model"
    argv = ["train", table(folder, ROWS), "--out", str(out), "--encoder", str(tiny_encoder)]
    assert main([*argv, "--max-steps", "3", "--held-out", "0.2"]) == 0
    return str(out)
