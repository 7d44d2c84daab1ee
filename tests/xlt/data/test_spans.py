"""Spans: their JSON, their order, their text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.examples import Example
from xlt.data.jsonl import read_jsonl, write_jsonl
from xlt.data.spans import Span, check_within, in_order, is_span
from xlt.errors import DataError

SPANS = st.builds(
    lambda start, length, label: Span(start, start + length, label),
    st.integers(0, 40),
    st.integers(1, 9),
    st.text(min_size=1, max_size=5),
)


@given(SPANS)
def test_a_span_goes_to_json_and_back(span):
    """A span is read as itself, too; other keys, such as the text, are ignored."""
    stored = json.loads(json.dumps(span.to_json()))
    assert is_span(stored)
    assert Span.from_json({**stored, "text": "?"}) == Span.from_json(span) == span


@pytest.mark.parametrize(
    "value",
    [
        None, "PER", [0, 3, "PER"], {"start": 0, "end": 3},
        {"start": 3, "end": 3, "label": "PER"}, {"start": 4, "end": 3, "label": "PER"},
        {"start": -1, "end": 3, "label": "PER"}, {"start": "0", "end": "3", "label": "PER"},
        {"start": False, "end": True, "label": "PER"}, {"start": 0.0, "end": 3.0, "label": "PER"},
        {"start": 0, "end": 3, "label": None}, {"start": 0, "end": 3, "label": ["PER"]},
    ],
)  # fmt: skip
def test_what_is_no_span_is_refused(value):
    """The line has the value that was seen."""
    with pytest.raises(DataError, match="expected a span"):
        Span.from_json(value)


@given(st.lists(SPANS, max_size=6), st.randoms())
def test_an_answer_has_each_span_once_in_order(spans, random):
    """By start, then end, then label, in whatever order they came."""
    turned = spans + spans[:2]
    random.shuffle(turned)
    answer = in_order(turned)
    assert answer == in_order(spans)
    assert [(s.start, s.end, s.label) for s in answer] == sorted(
        {(s.start, s.end, s.label) for s in spans}
    )


@given(SPANS, st.text(max_size=12))
def test_a_span_is_within_its_text(span, text):
    """Offsets count code points: a letter outside the BMP is one."""
    if span.end <= len(text):
        check_within([span], text)
        assert len(text[span.start : span.end]) == span.end - span.start
    else:
        with pytest.raises(DataError, match=f"the length of the text, got {span.start} to"):
            check_within([span], text)


def test_an_empty_span_is_within_no_text():
    """Nor is one that begins before it."""
    for span in (Span(2, 2, "PER"), Span(3, 2, "PER"), Span(-1, 2, "PER")):
        with pytest.raises(DataError, match="0 <= start < end <= 5"):
            check_within([span], "12345")


@given(st.lists(SPANS, max_size=4))
def test_examples_with_spans_are_written_and_read_back(tmp_path_factory, spans):
    """The file holds JSON, no Python."""
    path = tmp_path_factory.mktemp("spans") / "examples.jsonl"
    example = Example(id="1", texts=("a text",), answer=in_order(spans))
    write_jsonl(path, [example])
    assert read_jsonl(path) == [example]
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["label"] == [span.to_json() for span in in_order(spans)]
