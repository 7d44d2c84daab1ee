"""Translations in tables."""

from __future__ import annotations

import pytest

from tests.xlt.data.written import written
from xlt.data.pairs import read_pairs
from xlt.errors import DataError


def test_pairs_are_read_from_two_columns(tmp_path):
    """`source` and `target`, or any two columns; a missing half is named."""
    rows = [{"source": "hello", "target": "sannu", "note": "x"}]
    assert read_pairs(written(tmp_path, ".jsonl", rows)) == [("hello", "sannu")]
    assert read_pairs(written(tmp_path, ".tsv", [{"en": "a", "ha": "b"}])) == [("a", "b")]
    with pytest.raises(DataError, match="row 2: expected two texts"):
        read_pairs(written(tmp_path, ".csv", [{"en": "a", "ha": ""}]))
    with pytest.raises(DataError, match="source and target"):
        read_pairs(written(tmp_path, ".csv", [{"a": "1", "b": "2", "c": "3"}]))
