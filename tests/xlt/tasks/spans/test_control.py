"""Spans in Label Studio's JSON: what its page and its API write, and what nobody should."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import MANY
from tests.xlt.tasks.spans.samples import TEXT
from xlt.data.spans import Span, in_order
from xlt.errors import DataError
from xlt.tasks.spans.kind import KIND
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Suggestion

TAG = Tag(name="ner", tag="Labels", labels=("PER", "LOC"), objects=("text",))
TASK = KIND.task(TAG.labels)


def region(start: object, end: object, *labels: object, **more: object) -> dict:
    """A region of the tag, as exported."""
    value = {"start": start, "end": end, "labels": list(labels), **more}
    return {"from_name": "ner", "to_name": "text", "type": "labels", "value": value, "id": "a"}


def answer(*regions: dict, text: str = TEXT):
    """The answer of an annotation with these regions."""
    return KIND.control.answer(regions, TAG, TASK, [text])


def test_regions_are_spans_of_code_points():
    """In order, each once; the copy of the text does not count: the page writes it otherwise."""
    assert answer() == ()
    twice = region(8, 15, "PER", text="other")
    assert answer(region(17, 24, "LOC"), twice, twice) == (
        Span(8, 15, "PER"), Span(17, 24, "LOC"),
    )  # fmt: skip
    assert answer(region(0, 3, "PER", "LOC")) == (Span(0, 3, "LOC"), Span(0, 3, "PER"))
    assert answer(region(0, 3)) == ()
    assert answer(region(len(TEXT) - 1, len(TEXT), "PER"))


@pytest.mark.parametrize(
    ("start", "end", "label", "why"),
    [
        (0, len(TEXT) + 1, "PER", f"<= {len(TEXT)}, the length of the text, got 0 to"),
        (3, 3, "PER", "got 3 to 3"), (4, 3, "PER", "got 4 to 3"), (-1, 3, "PER", "got -1 to 3"),
        ("0", "3", "PER", "offsets must be whole numbers"), (0.0, 3.0, "PER", "whole numbers"),
        (None, 3, "PER", "whole numbers"), (True, 3, "PER", "whole numbers"),
        (0, 3, "DATE", "unknown label 'DATE'"), (0, 3, None, "unknown label 'None'"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_the_text_is_refused(start, end, label, why):
    """In one line that says what was seen; the other regions do not make it right."""
    with pytest.raises(DataError) as refused:
        answer(region(0, 3, "PER"), region(start, end, label))
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_spans_without_their_text_are_refused():
    """There is nothing to check them against."""
    with pytest.raises(DataError, match="text that is missing"):
        KIND.control.answer([region(0, 3, "PER")], TAG, TASK)
    assert KIND.control.answer([], TAG, TASK) == ()


@MANY
@given(st.data(), st.text(st.sampled_from("a\n𞤢\u0301ក "), min_size=1, max_size=12))
def test_a_suggestion_is_written_as_label_studio_s_page_does(data, text):
    """Each span with its own score; a line end in its text is a backslash and an n."""
    edge = st.integers(0, len(text))
    pairs = data.draw(st.lists(st.tuples(edge, edge, st.sampled_from(TAG.labels)), max_size=4))
    spans = in_order(Span(min(a, b), max(a, b), label) for a, b, label in pairs if a != b)
    scores = tuple(data.draw(st.floats(0, 1)) for _ in spans)
    suggestion = Suggestion(answer=spans, confidence=0.5, parts=scores)
    results = KIND.control.results(suggestion, TAG, [text])

    assert [result["score"] for result in results] == [round(score, 6) for score in scores]
    assert len({result["id"] for result in results}) == len(results)
    for result, span in zip(results, spans, strict=True):
        value = result["value"]
        assert value["text"] == text[span.start : span.end].replace("\n", "\\n")
        assert "\n" not in value["text"]
        assert value["labels"] == [span.label]
    assert answer(*json.loads(json.dumps(results)), text=text) == spans
    alike = KIND.control.results(replace(suggestion, parts=()), TAG, [text])
    assert [result["score"] for result in alike] == [0.5] * len(spans)


def test_controls_that_are_no_spans():
    """Another tag is none of ours; labels are needed, and must differ to the eye."""
    assert KIND.control.task(replace(TAG, tag="Choices")) is None
    assert KIND.control.task(replace(TAG, attributes={"choice": "multiple"})) == TASK
    for labels in ((), ("PER", "PER ")):
        assert isinstance(KIND.control.task(replace(TAG, labels=labels)), Refusal)
    assert isinstance(KIND.control.task(replace(TAG, objects=("text", "other"))), Refusal)
