"""A frozen model goes to a file and back, and refuses values that do not fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from xlt.errors import DataError
from xlt.frozen.centres import Centres
from xlt.frozen.features import Features
from xlt.frozen.model import FrozenModel
from xlt.frozen.ngrams import COLUMNS, count_ngrams

RNG = np.random.default_rng(6)
VECTORS = RNG.normal(size=(9, 2, 4)).astype(np.float32)
LANGS = ["ha", "yo", "xx"] * 3
READ = Features(vectors=VECTORS, ngrams=count_ngrams(["wasan kwallo", "ẹ̀kọ́", "", *"abcdef"]))


def made() -> FrozenModel:
    """Returns a model of any values."""
    return FrozenModel(
        centres=Centres(
            overall=VECTORS[0].copy(),
            languages={"hau": VECTORS[1].copy(), "yor": VECTORS[2].copy()},
        ),
        support=VECTORS[:5].copy(),
        coefficients=RNG.normal(size=(5, 3)).astype(np.float32),
        idf=RNG.uniform(1, 5, COLUMNS).astype(np.float32),
        ngrams=RNG.normal(size=(COLUMNS, 3)).astype(np.float32),
        biases=np.array([0.5, -0.25, 0.0], dtype=np.float32),
    )


def test_a_model_read_back_gives_the_same_outputs():
    """Bit for bit."""
    model = made()
    again = FrozenModel.from_tensors(model.tensors())
    assert (again.outputs(READ, LANGS).values == model.outputs(READ, LANGS).values).all()


def test_languages_may_have_any_name(tmp_path: Path):
    """Also one that is no text; the values go to a file and back."""
    names = ["my language/kano", "ሀ", "\ud800", "100%25"]
    centres = Centres(overall=VECTORS[0], languages={name: VECTORS[1] for name in names})
    save_file(replace(made(), centres=centres).tensors(), tmp_path / "m.safetensors")
    again = FrozenModel.from_tensors(load_file(tmp_path / "m.safetensors"))
    assert set(again.centres.languages) == set(names)


def test_a_text_is_read_alone_as_among_others():
    """Outputs do not depend on the other texts of a call."""
    model = made()
    whole = model.outputs(READ, LANGS).values
    for row in range(len(VECTORS)):
        alone = model.outputs(READ.take(slice(row, row + 1)), LANGS[row : row + 1]).values
        assert alone[0] == pytest.approx(whole[row], abs=1e-5)


def test_no_texts_have_no_outputs():
    """The width stays."""
    assert made().outputs(READ.take(slice(0)), []).values.shape == (0, 3)


@pytest.mark.parametrize("name", ["support", "coefficients", "overall", "ngrams", "idf", "biases"])
def test_a_missing_value_is_named(name: str):
    """Instead of a KeyError."""
    tensors = made().tensors()
    del tensors[name]
    with pytest.raises(DataError, match=name):
        FrozenModel.from_tensors(tensors)


@pytest.mark.parametrize(
    "name", ["support", "coefficients", "idf", "ngrams", "biases", "centres.hau"]
)
def test_values_that_do_not_fit_together_are_refused(name: str):
    """One row or column less, or another number of dimensions."""
    tensors = made().tensors()
    for value in (tensors[name][:-1], tensors[name][..., None]):
        with pytest.raises(DataError, match=r"has shape|three dimensions"):
            FrozenModel.from_tensors(tensors | {name: value})


@pytest.mark.parametrize("name", ["support", "biases", "centres.hau"])
def test_values_that_are_not_finite_are_refused(name: str):
    """They would make every prediction one that is no number."""
    tensors = made().tensors()
    tensors[name].flat[0] = np.nan
    with pytest.raises(DataError, match=f"{name} must be finite"):
        FrozenModel.from_tensors(tensors)
