"""Labels that look the same are one, and some cells are no label."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.label_names import canonical, is_missing

FORMS = st.sampled_from(["NFC", "NFD"])


@given(st.text(max_size=12), FORMS)
def test_canonically_equal_labels_have_one_form(label, form):
    """Composed or decomposed, a label stays the label; the form of a form is itself."""
    assert canonical(unicodedata.normalize(form, label)) == canonical(label)
    assert canonical(canonical(label)) == canonical(label)


@pytest.mark.parametrize("label", [" Sức  khỏe ", "Sức\u00a0khỏe", "Sức khỏe\n"])
def test_white_space_is_one_space_and_none_at_the_ends(label):
    """As people see it."""
    assert canonical(label) == "Sức khỏe"


@pytest.mark.parametrize(
    "label",
    [
        "Sức\u200b khỏe",
        "\ufeffSức khỏe",
        "Sức khỏe\u200f",
        "\u202aSức khỏe\u202c",
        "Sức khỏe \u2060",
    ],
)
def test_what_does_not_show_does_not_count(label):
    """Left by browsers, word processors and spreadsheets."""
    assert canonical(label) == "Sức khỏe"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ife", "Ìfẹ́"), ("Sport", "sport"), ("ﬁlm", "film"), ("نامه\u200cای", "نامهای")],
)
def test_labels_that_people_tell_apart_stay_apart(one, other):
    """Marks, case, compatibility forms and joiners are not touched."""
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "cell", [math.nan, None, " ", "nan", "NaN", " NaN ", "<NA>", "#N/A", "NULL", "null"], ids=repr
)
def test_words_for_nothing_are_no_label(cell):
    """As pandas, Excel and databases write them."""
    assert is_missing(cell)


@pytest.mark.parametrize(
    "cell", ["none", "None", "na", "N/A", "0", 0, -1, 0.0, False, "Nan"], ids=repr
)
def test_words_that_may_be_labels_are_labels(cell):
    """The word None is an answer in many tables, -1 in others."""
    assert not is_missing(cell)
