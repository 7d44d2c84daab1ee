"""Marks of every form become spans of their text; what is none is counted by its reason."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.marked.marks import (
    BEYOND,
    BLANK,
    EMPTY,
    REVERSED,
    UNKNOWN_FORM,
    WITHOUT_LABEL,
    Mark,
    are_marks,
    marks_of,
    placed,
)
from xlt.data.spans import Span

PERSON = Mark(0, 3, "PER")


@pytest.mark.parametrize(
    "cell",
    [
        [{"start": 0, "end": 3, "label": "PER"}],
        [{"start": 0.0, "end": 3.0, "label": "PER", "score": 0.4}],
        [{"start_offset": 0, "end_offset": 3, "label": "PER", "id": 7}],
        [{"start": 0, "end": 3, "labels": ["PER"]}],
        [[0, 3, "PER"]],
        {"start": [0], "end": [3], "label": ["PER"]},
        '[{"start": 0, "end": 3, "label": " PER "}]',
        "[{'start': 0, 'end': 3, 'label': 'PER', 'text': 'Ama', 'score': None}]",
        "[(0, 3, 'PER')]",
        "[[0, 3, \"PER\"]]",
    ],
)  # fmt: skip
def test_marks_are_read_in_every_form(cell):
    """Objects, lists of three, and JSON of them in a cell of CSV."""
    assert are_marks(cell)
    assert placed(["Ama"], [marks_of(cell)]).spans == [(Span(0, 3, "PER"),)]


@pytest.mark.parametrize(
    "cell",
    [None, "", "PER", 7, ["a"], "['a']", [1, 2], "[[0, 3", "{}", {"choices": ["a"]}, "[" * 9999],
)
def test_other_cells_hold_no_marks(cell):
    """Labels, lists of labels, and what is broken."""
    assert marks_of(cell) is None
    assert not are_marks(cell)


@pytest.mark.parametrize(
    "cell", [[[0]], [{"b": 1}], [[0, 3]], [["PER", 0, 3]], [{"rating": 4}], [["a", "b", "c"]], []]
)
def test_lists_without_a_mark_of_known_form_are_none(cell):
    """A column of them is no column of spans."""
    assert not are_marks(cell)


def test_a_region_with_several_labels_is_several_spans():
    """As `<Labels choice="multiple">` lets annotators mark."""
    marks = marks_of([{"start": 0, "end": 3, "text": "Ama", "labels": ["PER", "GIRL"]}])
    assert placed(["Ama"], [marks]).spans == [(Span(0, 3, "GIRL"), Span(0, 3, "PER"))]


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ([0, 4, "PER"], BEYOND),
        ([-1, 2, "PER"], BEYOND),
        ([2, 1, "PER"], REVERSED),
        ([2, 2, "PER"], EMPTY),
        ([0, 1.5, "PER"], UNKNOWN_FORM),
        (["0", "1", "PER"], UNKNOWN_FORM),
        ([True, 2, "PER"], UNKNOWN_FORM),
        ([0, float("nan"), "PER"], UNKNOWN_FORM),
        ([0, 1e300, "PER"], UNKNOWN_FORM),
        ({"start": "/p[1]", "end": "/p[1]", "label": "PER"}, UNKNOWN_FORM),
        ({"start": 0, "label": "PER"}, UNKNOWN_FORM),
        ({"start": 0, "end": 2}, WITHOUT_LABEL),
        ({"start": 0, "end": 2, "labels": []}, WITHOUT_LABEL),
        ([0, 2, None], WITHOUT_LABEL),
        ([0, 2, "nan"], WITHOUT_LABEL),
    ],
)
def test_marks_that_are_no_spans_of_their_text_are_counted(mark, reason):
    """By reason; the others of the text are used."""
    found = placed(["Ama"], [marks_of([mark, [0, 3, "PER"]])])
    assert found.spans == [(Span(0, 3, "PER"),)]
    assert found.left_out == {reason: 1}


def test_white_space_alone_is_no_span():
    """No token is there to be tagged."""
    assert placed(["Ama \n"], [[Mark(3, 5, "PER")]]).left_out == {BLANK: 1}


TEXTS = st.text(st.sampled_from("ab \n𞤀𞤣𞤢é\u0301𝔸क्"), min_size=1, max_size=12)


def units(text):
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


@st.composite
def marked(draw):
    """Texts with spans that are not blank."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=4))
    spans = []
    for text in texts:
        ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))
        pairs = {tuple(sorted(pair)) for pair in draw(st.lists(ends, max_size=4))}
        spans.append([Span(a, b, "X") for a, b in sorted(pairs) if text[a:b].strip()])
    return texts, spans


@given(marked())
def test_offsets_in_code_points_are_kept(case):
    """With and without the spans' own texts."""
    texts, spans = case
    for with_text in (False, True):
        marks = [
            [Mark(s.start, s.end, s.label, t[s.start : s.end] if with_text else None) for s in own]
            for t, own in zip(texts, spans, strict=True)
        ]
        found = placed(texts, marks)
        assert found.spans == [tuple(own) for own in spans]
        assert (found.utf16, found.differing, found.left_out) == (False, 0, Counter())


@given(marked())
def test_offsets_in_utf16_are_found_out_by_the_texts_of_spans(case):
    """If the texts agree with UTF-16 and not with code points, all offsets are converted."""
    texts, spans = case
    marks = [
        [
            Mark(units(t[: s.start]), units(t[: s.end]), s.label, t[s.start : s.end])
            for s in own
        ]
        for t, own in zip(texts, spans, strict=True)
    ]  # fmt: skip
    found = placed(texts, marks)
    if found.utf16:
        assert found.spans == [tuple(own) for own in spans]
    else:
        told = [
            (mark.text, " ".join(t[mark.start : mark.end].split()))
            for t, own in zip(texts, marks, strict=True)
            for mark in own
        ]
        assert all(" ".join(one.split()) == other for one, other in told)


def test_utf16_is_not_guessed_without_texts_or_against_one():
    """Spans that one reading fits and the other does not decide; a mixture stays as it is."""
    text = "𞤀𞤣𞤢𞤥 Ama"
    by_units, by_points = Mark(9, 12, "PER", "Ama"), Mark(5, 8, "PER", "Ama")
    found = placed([text, text], [[by_units], [Mark(0, 8, "X")]])
    assert found.utf16
    assert found.spans == [(Span(5, 8, "PER"),), (Span(0, 4, "X"),)]
    assert placed([text], [[Mark(9, 12, "PER")]]).left_out == {BEYOND: 1}
    mixed = placed([text], [[by_units, by_points]])
    assert not mixed.utf16
    assert mixed.left_out == {BEYOND: 1}
    other = placed([text], [[Mark(0, 3, "PER", "Ama")]])
    assert (other.utf16, other.differing) == (False, 1)


def test_a_line_end_in_a_region_of_label_studio_is_no_other_text():
    """It writes a backslash and an n for it."""
    found = placed(["Accra.\nAma"], [[Mark(0, 10, "LOC", "Accra.\\nAma")]])
    assert found.differing == 0
