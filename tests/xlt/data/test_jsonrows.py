"""JSON rows hold text that every later step can read and write."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlt.data.tables import read_rows

CELLS = st.recursive(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@given(cell=CELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whole_text_is_read_as_it_is(tmp_path, suffix, cell):
    """Characters beyond U+FFFF too, which JSON may write as two halves."""
    row = {"text": "a", "cell": cell}
    content = json.dumps([row] if suffix == ".json" else row)
    path = tmp_path / f"f{suffix}"
    path.write_text(content, encoding="utf-8")
    assert read_rows(path) == [(1, row)]


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("half", ["\\ud83d", "\\uDC00"])
def test_half_a_character_is_a_replacement_character(tmp_path, suffix, half):
    """Programs that cut texts leave it; no tokenizer takes it, and no file can hold it."""
    row = f'{{"text": "ab{half}c", "tags": ["{half}"], "d": {{"{half}": 1}}}}'
    path = tmp_path / f"f{suffix}"
    path.write_text(f"[{row}]" if suffix == ".json" else row, encoding="utf-8")
    [(_, read)] = read_rows(path)
    assert read == {"text": "ab\ufffdc", "tags": ["\ufffd"], "d": {"\ufffd": 1}}
