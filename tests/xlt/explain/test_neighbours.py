"""Labelled texts like a text: by cosine about the centres of languages."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.explain.conftest import LABELLED, MIXED
from xlt.explain.neighbours import Neighbours
from xlt.frozen.centres import fit_centres
from xlt.models.predictor import Predictor


def test_they_are_those_with_the_greatest_cosine(models, float32):
    """In the order of a plain computation; the text itself is left out."""
    model = Predictor.load(models["frozen"])
    example = LABELLED[0]

    found = Neighbours(model, LABELLED).nearest(example, 3)

    vectors = model.score(LABELLED).vectors
    langs = [one.lang for one in LABELLED]
    centres = fit_centres(vectors, langs)
    moved = vectors - np.array([centres.of(lang) for lang in langs])
    cosines = moved @ moved[0] / np.linalg.norm(moved, axis=1) / np.linalg.norm(moved[0])
    expected = [row for row in np.argsort(-cosines) if row != 0][:3]
    assert [near.example.id for near in found] == [LABELLED[row].id for row in expected]
    np.testing.assert_allclose([n.similarity for n in found], cosines[expected], atol=1e-4)


@pytest.mark.parametrize(("count", "expected"), [(3, 3), (100, 8)])
def test_there_are_no_more_than_labelled_texts(models, count, expected):
    """Each once."""
    found = Neighbours(Predictor.load(models["joint"]), LABELLED).nearest(MIXED, count)

    assert len({near.example.id for near in found}) == expected
