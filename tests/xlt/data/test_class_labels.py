"""Class numbers of Hugging Face data sets become names, on the Hub and in Parquet files."""

from __future__ import annotations

import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.class_labels import class_names, class_names_of_schema, with_class_names
from xlt.data.corpus import read_examples
from xlt.data.tables import read_rows
from xlt.errors import DataError

TONES = ["bad", "good"]
FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=TONES),
        "tags": datasets.List(datasets.ClassLabel(names=["a", "b"])),
        "number": datasets.Value("int64"),
        "meta": {"tone": datasets.ClassLabel(names=TONES), "page": datasets.Value("int64")},
    }
)
ROWS = {
    "text": ["r", "s", "t"],
    "label": [1, -1, None],
    "tags": [[1, 0], [], [-1]],
    "number": [1, -1, 0],
    "meta": [{"tone": 1, "page": 1}, {"tone": -1, "page": -1}, {"tone": None, "page": 0}],
}
NAMED = [
    {"text": "r", "label": "good", "tags": ["b", "a"], "number": 1, "meta": ("good", 1)},
    {"text": "s", "label": None, "tags": [], "number": -1, "meta": (None, -1)},
    {"text": "t", "label": None, "tags": None, "number": 0, "meta": (None, 0)},
]
NAMED = [row | {"meta": dict(zip(("tone", "page"), row["meta"], strict=True))} for row in NAMED]


@pytest.fixture(params=["Hub", "Parquet"])
def source(request, tmp_path, monkeypatch):
    """The data set as users name it."""
    table = datasets.Dataset.from_dict(ROWS, features=FEATURES)
    if request.param == "Hub":
        monkeypatch.setattr(datasets, "load_dataset", lambda *args, **options: table)
        return "owner/name:test"
    path = tmp_path / "data.parquet"
    schema = FEATURES.arrow_schema
    pq.write_table(pa.table(ROWS, schema=schema), path)
    return path


def test_numbers_become_names(source):
    """-1 is how the Hub writes no label; plain numbers stay numbers."""
    assert [dict(row) for _, row in read_rows(source)] == NAMED


def test_a_number_without_a_name_is_named(tmp_path):
    """A damaged file is one line, not a traceback."""
    path = tmp_path / "data.parquet"
    table = pa.table({"text": ["r"], "label": [7]})
    info = {"info": {"features": {"label": {"_type": "ClassLabel", "names": TONES}}}}
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)
    with pytest.raises(DataError, match=r"row 1: expected numbers of the classes .*'good'.*7"):
        read_rows(path)


@pytest.mark.parametrize("label", [[0.0, 1.0, None], [0.0, 1.0, float("nan")]])
def test_numbers_that_pandas_made_fractions_are_numbers(tmp_path, label):
    """NaN is no label then."""
    path = tmp_path / "data.parquet"
    info = {"info": {"features": {"label": {"_type": "ClassLabel", "names": TONES}}}}
    table = pa.table({"text": ["r", "s", "t"], "label": pa.array(label, from_pandas=False)})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)
    assert [e.answer for e in read_examples(path)] == [*TONES[:2], None]
    half = pa.table({"text": ["r"], "label": [0.5]})
    pq.write_table(half.replace_schema_metadata({"huggingface": json.dumps(info)}), path)
    with pytest.raises(DataError, match=r"row 1: expected numbers of the classes .*0\.5"):
        read_rows(path)


@pytest.mark.parametrize(
    "metadata", [None, {}, {b"pandas": b"{}"}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}]
)
def test_files_of_others_have_no_names(metadata):
    """Their numbers are what they are."""
    assert class_names_of_schema(metadata) == {}


def test_names_are_found_in_lists_of_every_version():
    """Lists were written as one-element lists once, and as Sequence later."""
    label = {"_type": "ClassLabel", "names": TONES}
    listed = [{"_type": kind, "feature": label} for kind in ("Sequence", "List", "LargeList")]
    for feature in (label, [label], *listed):
        assert class_names({"x": feature, "y": {"_type": "Value", "dtype": "int8"}}) == {"x": TONES}


@given(st.lists(st.integers(-3, 1)))
def test_every_class_has_its_own_name(numbers):
    """Negative numbers have none; the others are places in the list of names."""
    rows = with_class_names([{"x": number} for number in numbers], {"x": TONES}, "f")
    expected = [None if number < 0 else TONES[number] for number in numbers]
    assert [row["x"] for row in rows] == expected
