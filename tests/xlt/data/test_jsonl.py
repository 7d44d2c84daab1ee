"""Examples as JSON lines: what is written is read back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.corpus import read_examples
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.jsonl import as_row, from_row, read_jsonl, write_jsonl
from xlt.data.label_names import canonical, is_missing
from xlt.data.rows import is_blank
from xlt.errors import DataError

TEXTS = st.text(min_size=1, max_size=20).map(str.strip).filter(lambda text: not is_blank(text))
LABELS = TEXTS.filter(lambda text: not is_missing(text))
LISTS = st.lists(LABELS, max_size=3, unique_by=canonical).map(tuple)
EXAMPLES = st.builds(
    Example,
    id=st.uuids().map(str),
    texts=st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    lang=st.sampled_from(["en", "ha", UNKNOWN_LANGUAGE]),
    answer=st.none() | LABELS | LISTS,
    group=st.none() | TEXTS,
    weight=st.sampled_from([1.0, 0.5]),
)


@given(EXAMPLES)
def test_a_row_is_json_and_gives_the_example_back(example):
    """One text is a string, two are a list; so are labels."""
    row = json.loads(json.dumps(as_row(example)))
    assert from_row(row) == example
    assert isinstance(row["text"], str) == (len(example.texts) == 1)


def test_what_an_example_does_not_have_is_left_out():
    """So that files of texts alone are short."""
    assert as_row(Example(id="1", texts=("hi",))) == {"id": "1", "text": "hi", "lang": "und"}
    row = as_row(Example(id="1", texts=("a", "b"), answer=(), group="g", weight=0.5))
    assert row == {
        "id": "1", "text": ["a", "b"], "lang": "und", "label": (), "group": "g", "weight": 0.5
    }  # fmt: skip


@given(st.lists(EXAMPLES, max_size=5, unique_by=lambda e: e.id))
def test_what_is_written_is_read_back(tmp_path_factory, examples):
    """JSONL keeps every field of every example, for its own reader and that of tables."""
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    write_jsonl(path, examples)
    assert read_jsonl(path) == examples
    if examples:
        fields = [name for name in ("group", "weight") if any(name in as_row(e) for e in examples)]
        assert read_examples(path, **{name: name for name in fields}) == examples


def test_without_a_file_there_are_no_examples(tmp_path):
    """A plan without a pool writes none."""
    assert read_jsonl(tmp_path / "nothing.jsonl") == []


@pytest.mark.parametrize(
    "content", ["{", "[]", '"text"', '{"id": "1"}', '{"text": "a"}', '{"id": "1", "text": 3}']
)
def test_a_file_that_holds_something_else_is_named(tmp_path, content):
    """One error for all that can be wrong with a line."""
    path = tmp_path / "x.jsonl"
    path.write_text(content + "\n")
    with pytest.raises(DataError, match=rf"cannot read {path}"):
        read_jsonl(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    """The folder is not there."""
    with pytest.raises(DataError, match=r"cannot write .*: No such file"):
        write_jsonl(tmp_path / "absent" / "x.jsonl", [])
