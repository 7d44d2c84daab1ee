"""Fixtures that several test modules share."""

from __future__ import annotations

import os

import numpy as np
import pytest

# No test may reach a hub: what is not on this disk is not there.
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture
def rng() -> np.random.Generator:
    """A fresh generator with the suite's one seed."""
    return np.random.default_rng(13)
