"""Sentence vectors of tokenised texts."""

from __future__ import annotations

import numpy as np
import torch

from tests.xlt.pretrain.bodies import LIMITS, student_of
from xlt.pretrain.sentence_vectors import sentence_vectors


def test_vectors_do_not_depend_on_the_batch(toy):
    """Sorting and padding change nothing, and the order asked for is the order returned."""
    sources, _, rows, _ = toy
    body = student_of(rows).electra
    asked = np.array([7, 3, 41, 3])
    together = sentence_vectors(body, sources, asked, **LIMITS)
    for row, vector in zip(asked, together, strict=True):
        alone = sentence_vectors(body, sources, np.array([row]), **LIMITS)
        torch.testing.assert_close(alone[0], vector, rtol=1e-4, atol=1e-5)
