"""Lists of labels are read in every form that tools write, and numbers alike from all files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.by_control import ByControl
from xlt.data.cells import as_text, by_control, labels, language, printed_list
from xlt.data.examples import UNKNOWN_LANGUAGE
from xlt.data.label_names import canonical

#: Without what Python or NumPy escape or wrap.
NAMES = st.lists(st.text("abcü ß-,#[]", min_size=1, max_size=8).map(str.strip).filter(bool))


@given(NAMES)
def test_lists_in_cells_are_read_back(names):
    """As JSON, and as Python and NumPy print them, which is what pandas writes to CSV."""
    expected = tuple(dict.fromkeys(map(canonical, names)))
    printed = np.array2string(np.array(names), threshold=999) if names else "[]"
    for cell in (names, json.dumps(names), f" {names} ", printed):
        found = labels(cell)
        assert found is not None
        assert tuple(map(canonical, found)) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ([3, 27], ("3", "27")),
        ("[3, 27]", ("3", "27")),
        ([1.0, "a"], ("1", "a")),
        (["b", "", "a", " ", "nan"], ("b", "a")),
        ([""], ()),
        (["b", "a", "b"], ("b", "a")),
        (["e\u0301", "a", "\u00e9 "], ("e\u0301", "a")),
        ("['it\\'s']", None),
        ([None], None),
        ([float("nan")], None),
        ([True], None),
        ([["a"]], None),
        ("[" * 50_000, None),
        ("['a'" + " " * 90_000, None),
        ("a", None),
    ],
)
def test_numbers_in_lists_are_labels_and_other_things_are_not(cell, expected):
    """Class numbers of data sets; nothing takes long or ends in a traceback."""
    assert labels(cell) == expected


@pytest.mark.parametrize(
    ("cell", "text"),
    [(1.0, "1"), (-2.0, "-2"), (0.5, "0.5"), (7, "7"), (True, "True"), ("1.0 ", "1.0")],
)
def test_whole_numbers_have_no_fraction(cell, text):
    """A string stays what it is."""
    assert as_text(cell) == text


def test_infinity_is_no_whole_number():
    """It is in JSON as Python writes it."""
    assert as_text(float("inf")) == "inf"


@pytest.mark.parametrize(
    ("cell", "lang"), [("NaN", "und"), ("<NA>", "und"), (None, "und"), ("nan", "nan"), ("ha", "ha")]
)
def test_a_missing_language_is_not_min_nan(cell, lang):
    """`NaN` is what programs write for no value; `nan` is a code."""
    assert language(cell) == lang


@given(
    st.lists(
        st.one_of(st.text(), st.integers(), st.dictionaries(st.text(), st.text()), st.none()),
        max_size=4,
    )
)
def test_lists_that_python_prints_are_read(parts):
    """As pandas writes them to CSV, with all escapes."""
    assert printed_list(f" {parts!r} ") == parts


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "7",
        "{'a': 1}",
        "('a',)",
        "[x]",
        "[f()]",
        "['\\d'",
        "[" * 99_999,
        "[" + "-" * 99_999 + "1]",
    ],
)
def test_other_cells_are_no_printed_lists(cell):
    """Nothing is evaluated, however deep it is."""
    assert printed_list(cell) is None


@pytest.mark.parametrize(
    ("cell", "answers"),
    [
        ({"topic": " sport", "stars": 3}, {"topic": "sport", "stars": 3}),
        ('{"topic": "sport", "tags": ["new", "old"]}', {"topic": "sport", "tags": ("new", "old")}),
        ({"tree": [["A", "B"]]}, {"tree": (("A", "B"),)}),
        ({"topic": None, "stars": "", "tags": []}, {"tags": ()}),
    ],
)
def test_answers_to_several_controls_are_an_object(cell, answers):
    """Or its JSON; a control without an answer is left out."""
    assert by_control(cell) == ByControl.of(answers)


@pytest.mark.parametrize("cell", ["sport", "{sport", ["sport"], {}, {"a": {"b": "c"}}, 3, None])
def test_what_is_no_object_of_answers_is_none(cell):
    """Other cells are read as labels."""
    assert by_control(cell) is None


@pytest.mark.parametrize(
    "word", ["unknown", "None", "NULL", "n/a", " N/A ", "unk", "mul", "zxx", "-"]
)
def test_words_for_no_language_are_none(word):
    """People and spreadsheets write many; each would be a language with a quota of its own."""
    assert language(word) == UNKNOWN_LANGUAGE
