"""Spans that are written as lines of tokens are read back as the same spans of the same text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from xlt.data.corpus import corpus_of
from xlt.data.marked.iob import tags_of
from xlt.data.marked.words import words_in
from xlt.data.marked.writing import as_conllu, as_iob2
from xlt.data.spans import Span, in_order
from xlt.data.tables import read_rows
from xlt.errors import DataError

WORDS = ["Ama", "Ẹ̀kọ́", "𞤀𞤣𞤢𞤥", "O'Neil", "#1", "ภูเก็ต", "北京", ",", "\\n", "B-PER", "O"]
GAPS = ["", " ", "  ", "\n", "\r\n", " \u200b", "\t", "\u00a0", "\u2028"]


@st.composite
def marked(draw, gaps=tuple(GAPS)):
    """A text, and spans from word to word of it that do not overlap."""
    parts = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
    text = "".join(draw(st.sampled_from(gaps)) + word for word in parts)
    text += draw(st.sampled_from([gap for gap in gaps if gap != " "] or [""]))
    places = words_in(text)
    cuts = sorted(draw(st.sets(st.integers(0, len(places)), max_size=6)))
    spans = [
        Span(places[a][0], places[b - 1][1], draw(st.sampled_from(["PER", "a b"])))
        for a, b in pairwise(cuts)
        if draw(st.booleans())
    ]
    return text, in_order(spans)


def read_back(folder, name, lines):
    """The only text of a file with these lines, and its spans."""
    path = folder / name
    path.write_text(lines, encoding="utf-8", newline="")
    [example] = corpus_of(read_rows(path), str(path), {}).examples
    return example


@given(marked())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_conllu_keeps_text_and_spans(tmp_path, case):
    """In every script, with all white space between and around the words."""
    text, spans = case
    places = words_in(text)
    tags, left_out = tags_of(spans, places)
    assert left_out == []
    found = read_back(tmp_path, "a.conllu", as_conllu(text, places, tags, id="s 1", lang="ha"))
    assert (found.text, found.answer) == (text, spans)
    assert (found.id, found.lang) == ("s 1", "ha")


@given(marked(gaps=(" ",)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_iob2_keeps_words_and_their_spans(tmp_path, case):
    """White space is not kept: the words are joined again as their script is written."""
    text, spans = case
    places = words_in(text)
    tags, _ = tags_of(spans, places)
    assume(set(tags) != {"O"} or len(places) > 1)
    found = read_back(tmp_path, "a.iob2", as_iob2(text, places, tags))
    assert "".join(found.text.split()) == "".join(text.split())
    words = ["".join(text[span.start : span.end].split()) for span in spans]
    answer = found.answer or ()
    assert ["".join(found.text[s.start : s.end].split()) for s in answer] == words
    assert [span.label for span in answer] == [span.label for span in spans]


def test_lines_are_as_other_tools_read_them():
    """CoNLL-U has ten columns, and text and id in comments."""
    text = "Ama, Accra\nran"
    places = words_in(text)
    tags = ["B-PER", "O", "B-LOC", "O"]
    assert as_iob2(text, places, tags) == "Ama\tB-PER\n,\tO\nAccra\tB-LOC\nran\tO\n\n"
    assert as_conllu(text, places, tags, id="7").splitlines() == [
        "# sent_id = 7",
        "# text = Ama, Accra ran",
        "1\tAma" + "\t_" * 7 + "\tNER=B-PER|SpaceAfter=No",
        "2\t," + "\t_" * 7 + "\tNER=O",
        "3\tAccra" + "\t_" * 7 + "\tNER=B-LOC|SpacesAfter=\\n",
        "4\tran" + "\t_" * 7 + "\tNER=O",
        "",
    ]


def test_a_label_that_misc_cannot_have_is_refused():
    """In one line that says what to do."""
    with pytest.raises(DataError, match=r"no room for a label with '\|', got 'B-a\|b': write IOB2"):
        as_conllu("Ama", [(0, 3)], ["B-a|b"], id="1")
