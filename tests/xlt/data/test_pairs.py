"""Translations in tables."""

from __future__ import annotations

import pytest

from tests.xlt.data.written import written
from xlt.data.pairs import read_pairs
from xlt.errors import DataError


def test_pairs_are_read_from_two_columns(tmp_path):
    """`source` and `target`, or any two columns."""
    rows = [{"source": "hello", "target": "sannu", "note": "x"}]
    assert read_pairs(written(tmp_path, ".jsonl", rows)) == [("hello", "sannu")]
    assert read_pairs(written(tmp_path, ".tsv", [{"en": "a", "ha": "b"}])) == [("a", "b")]
    with pytest.raises(DataError, match="source and target"):
        read_pairs(written(tmp_path, ".csv", [{"a": "1", "b": "2", "c": "3"}]))


def test_a_row_without_two_texts_is_left_out_and_said(tmp_path):
    """One missing half does not end the run; a table of halves is an error."""
    rows = [{"en": "a", "ha": ""}, {"en": "b", "ha": "c"}, {"en": None, "ha": "d"}]
    lines: list[str] = []
    path = written(tmp_path, ".jsonl", rows)
    assert read_pairs(path, note=lines.append) == [("b", "c")]
    assert lines == ["left out 2 rows of data.jsonl without two texts: 1, 3"]
    with pytest.raises(DataError, match=r"no row of .* has two texts"):
        read_pairs(written(tmp_path, ".csv", rows[:1]))


def test_only_texts_are_translations(tmp_path):
    """A list is not read as what Python prints of it; numbers are texts too."""
    with pytest.raises(DataError, match=r"row 2: expected two texts, got \['b', \['c'\]\]"):
        read_pairs(written(tmp_path, ".jsonl", [{"en": 1, "ha": "a"}, {"en": "b", "ha": ["c"]}]))
