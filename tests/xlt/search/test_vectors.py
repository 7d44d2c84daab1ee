"""Vectors in eight bits against float arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.frozen.centres import fit_centres
from xlt.search.vectors import Space, Vectors


def drawn(rng, texts: int = 60, width: int = 48):
    """Vectors of two languages that lie apart, far from zero."""
    langs = ["en" if row % 3 else "hau" for row in range(texts)]
    offset = {"en": rng.normal(size=width), "hau": rng.normal(size=width)}
    vectors = rng.normal(size=(texts, width)) + 3 + [offset[lang] for lang in langs]
    return vectors.astype(np.float32), langs


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("lang", ["en", "ha", "fra"])
def test_cosines_are_those_of_centred_vectors(rng, centred, lang):
    """Within what eight bits allow; `ha` and `hau` are one language, French has no centre."""
    vectors, langs = drawn(rng)
    space = Space.of(Vectors.of(vectors), langs)
    query = vectors[7] + 0.1

    if centred:
        centres = fit_centres(vectors, langs)
        expected = centres.units(vectors, langs) @ centres.units(query[None], [lang])[0]
    else:
        expected = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    assert space.cosines(query, lang, centred=centred) == pytest.approx(expected, abs=0.01)


def test_next_to_a_text_itself_is_its_translation_in_spite_of_an_offset_between_languages(rng):
    """What centring is for: else all texts in a language are nearer."""
    meaning = rng.normal(size=(200, 32))
    both = np.concatenate([meaning, meaning + 8 * rng.normal(size=32)])
    langs = ["en"] * 200 + ["hau"] * 200

    def right(centred: bool) -> int:
        space = Space.of(Vectors.of(both), langs)
        second = [
            np.argsort(-space.cosines(vector, "en", centred=centred))[1] for vector in both[:200]
        ]
        return sum(row == number + 200 for number, row in enumerate(second))

    assert right(centred=True) > 190
    assert right(centred=False) < 100


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.floats(1e-3, 1e3))
def test_rounding_costs_at_most_half_a_step(seed, width, size):
    """Of each vector's own scale, in each dimension."""
    vectors = np.random.default_rng(seed).normal(size=(5, width)).astype(np.float32) * size
    kept = Vectors.of(vectors)

    error = np.abs(kept.wide(slice(None)) - vectors)
    assert (error <= kept.scales[:, None] * 0.51 + 1e-4 * size).all()


def test_new_vectors_about_an_old_origin_are_comparable(rng):
    """Rows may be kept while others are added."""
    vectors, _ = drawn(rng)
    first = Vectors.of(vectors[:30])
    second = Vectors.of(vectors[30:], origin=first.origin)

    assert second.wide(slice(None)) == pytest.approx(vectors[30:], abs=0.05)


def test_equal_vectors_are_no_division_by_zero():
    """A pool of one text, or of equal ones, has cosine 0 about its centre."""
    space = Space.of(Vectors.of(np.ones((3, 8), np.float32)), ["en"] * 3)

    assert np.isfinite(space.cosines(np.ones(8), "en")).all()


def test_among_texts_in_one_language_a_query_in_another_is_compared_as_it_is(rng):
    """If only the texts were moved, the two would lie apart; a few texts have no centre."""
    vectors, _ = drawn(rng)
    one, two = (
        Space.of(Vectors.of(vectors), [lang, *["en"] * (len(vectors) - 1)])
        for lang in ("en", "hau")
    )
    few = Space.of(Vectors.of(vectors[:9]), ["en"] * 9)

    for space, lang, centred in (
        (one, "fra", False),
        (one, "en", True),
        (two, "fra", True),
        (few, "en", False),
    ):
        expected = space.cosines(vectors[3], lang, centred=centred)
        assert space.cosines(vectors[3], lang).tolist() == expected.tolist()
        assert expected.tolist() != space.cosines(vectors[3], lang, centred=not centred).tolist()
