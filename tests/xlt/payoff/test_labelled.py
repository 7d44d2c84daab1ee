"""Labels with their vectors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.payoff.texts import labels, replaced
from xlt.errors import DataError


def test_lengths_must_agree():
    """As many labels as vectors."""
    with pytest.raises(DataError, match="expected 60 labels"):
        replaced(labels(0, 60), labels=np.zeros(3, np.intp))
