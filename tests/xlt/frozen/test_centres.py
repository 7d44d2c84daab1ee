"""Centres: where a language's vectors lie does not matter, only where a text lies among them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from xlt.frozen.centres import fit_centres

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(400, 6))
LANGS = ["ha", "yo"] * 200


def test_vectors_have_length_one():
    """A vector in its centre stays finite."""
    centres = fit_centres(ROWS, LANGS)
    assert np.linalg.norm(centres.units(ROWS, LANGS), axis=1) == pytest.approx(1.0)
    assert np.isfinite(centres.units(centres.languages["hau"][None], ["ha"])).all()


def test_the_place_of_a_language_hardly_matters():
    """All texts of one language are moved by the same vector."""
    moved = ROWS + 20.0 * np.array([lang == "yo" for lang in LANGS])[:, None]
    before = fit_centres(ROWS, LANGS).units(ROWS, LANGS)
    after = fit_centres(moved, LANGS).units(moved, LANGS)
    assert (before * after).sum(axis=1).mean() > 0.85


def test_codes_of_one_language_have_one_centre():
    """By ISO 639-1, 639-3 and with a script."""
    codes = ["ha", "hau", "hau_Latn", "ha-NG"] * 100
    assert list(fit_centres(ROWS, codes).languages) == ["hau"]


def test_a_language_without_texts_takes_the_overall_mean():
    """So that a model reads texts of languages that it never saw."""
    centres = fit_centres(ROWS, LANGS)
    expected = ROWS[:1] - centres.overall
    expected /= np.linalg.norm(expected)
    assert centres.units(ROWS[:1], ["quy"]) == pytest.approx(expected, abs=1e-6)


def test_a_language_with_one_text_is_near_the_overall_mean():
    """Else that text would lie in its own centre, and its vector would say nothing."""
    rows = np.concatenate([ROWS, np.full((1, 6), 9.0)])
    centres = fit_centres(rows, [*LANGS, "quy"])
    assert centres.units(rows[-1:], ["quy"]).sum() > 2.0


def test_no_texts_have_no_vectors():
    """The width stays."""
    assert fit_centres(ROWS, LANGS).units(np.zeros((0, 6)), []).shape == (0, 6)


def test_a_member_without_texts_takes_the_mean_of_its_macrolanguage():
    """Moroccan Arabic is read about the mean of Arabic, as its temperature is that of Arabic."""
    centres = fit_centres(ROWS, ["ar", "yo"] * 200)
    assert (centres.units(ROWS[:3], ["ary"] * 3) == centres.units(ROWS[:3], ["ar"] * 3)).all()


def test_many_languages_cost_no_more_than_few():
    """A hundred thousand texts in five thousand languages, in a blink; not once per language."""
    langs = [f"zz{number % 5000}" for number in range(100_000)]
    vectors = np.ones((100_000, 2), dtype=np.float32)
    centres = fit_centres(ROWS, LANGS)
    started = time.perf_counter()
    assert centres.units(vectors[:, [0] * 6], langs).shape == (100_000, 6)
    assert time.perf_counter() - started < 5.0
