"""Tags become the spans that seqeval reads from them, and spans become tags."""

from __future__ import annotations

import warnings
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from xlt.data.marked.iob import BEGUN, UNKNOWN, are_bare, is_tag, spans_of, tags_of
from xlt.data.marked.tokens import joined
from xlt.data.spans import Span

LABELS = ["PER", "ORG", "B-X", "ὄνομα"]
PLACED = st.builds("{}-{}".format, st.sampled_from("BIESLUM"), st.sampled_from(LABELS))
TAGS = st.lists(st.one_of(st.just("O"), PLACED), max_size=12)


def unit_places(count):
    """Tokens of one character, each at its number."""
    return [(n, n + 1) for n in range(count)]


def as_seqeval(tags):
    """The entities that seqeval finds; it knows BIOES, so the other letters are translated."""
    same = {"L": "E", "U": "S", "M": "I"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = get_entities([same.get(tag[0], tag[0]) + tag[1:] for tag in tags])
    return {(first, last + 1, label) for label, first, last in found}


@given(TAGS)
def test_tags_are_read_as_seqeval_reads_them(tags):
    """IOB1, IOB2, BIOES, BILOU and every mixture of them, however broken."""
    spans, counts = spans_of(tags, unit_places(len(tags)))
    assert {(s.start, s.end, s.label) for s in spans} == as_seqeval(tags)
    assert counts[UNKNOWN] == 0


@pytest.mark.parametrize(
    ("tags", "begun"),
    [
        ("B-PER I-PER O", 0),
        ("I-PER I-PER O I-PER", 2),
        ("B-PER I-ORG", 1),
        ("S-PER U-PER B-PER L-PER", 0),
        ("E-PER", 1),
    ],
)
def test_spans_that_begin_without_b_are_counted(tags, begun):
    """In IOB1 all do; in a file of IOB2 each is a mistake."""
    assert spans_of(tags.split(), unit_places(len(tags.split())))[1][BEGUN] == begun


def test_unknown_tags_are_outside_and_counted():
    """A tag of another tool ends a span and does not become a label."""
    spans, counts = spans_of(["B-PER", "PER", "I-PER", "_"], unit_places(4))
    assert spans == (Span(0, 1, "PER"), Span(2, 3, "PER"))
    assert counts == {UNKNOWN: 1, BEGUN: 1}


def test_tags_without_a_label_have_the_name_that_seqeval_gives():
    """As in data of one class."""
    assert spans_of(["B", "I", "O"], unit_places(3))[0] == (Span(0, 2, "_"),)


def test_bare_labels_join_with_their_neighbours():
    """Few-NERD writes `person-actor` for every word; nothing tells two neighbours apart."""
    tags = ["person-actor", "person-actor", "O", "art", "person-actor"]
    assert are_bare(tags)
    spans, counts = spans_of(tags, unit_places(5), bare=True)
    assert spans == (Span(0, 2, "person-actor"), Span(3, 4, "art"), Span(4, 5, "person-actor"))
    assert not counts
    assert not are_bare(["O", "O", "_"])
    assert not are_bare(["O", "PER", "B-PER"])


@pytest.mark.parametrize("cell", ["O", "B-PER", "I-X", "B", "U-a b"])
def test_tags_are_told_from_words(cell):
    """By their letter and the hyphen behind it."""
    assert is_tag(cell)
    assert not is_tag(f"{cell}d"[::-1])


WORD = st.text(st.sampled_from("abéọ̀́\u0301𞤀𞤢क्षि-'"), min_size=1, max_size=5)


@st.composite
def worded(draw):
    """Words, and spans over some of them that do not overlap."""
    words = draw(st.lists(WORD, min_size=1, max_size=10))
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=8)))
    ranges = [(a, b) for a, b in pairwise(cuts) if draw(st.booleans())]
    return words, [(a, b, draw(st.sampled_from(LABELS))) for a, b in ranges]


@given(worded())
def test_spans_of_whole_words_survive_iob2(case):
    """In any script; adjacent spans of one label stay two."""
    words, ranges = case
    _, places = joined(words)
    spans = tuple(sorted(Span(places[a][0], places[b - 1][1], label) for a, b, label in ranges))
    tags, left_out = tags_of(spans, places)
    assert left_out == []
    assert spans_of(tags, places) == (spans, {})


def test_a_word_that_is_covered_in_part_is_tagged_whole():
    """Words are not split; the span grows to the ends of its words."""
    _, places = joined(["in", "Nairobi-West", "today"])
    tags, left_out = tags_of([Span(3, 10, "LOC")], places)
    assert tags == ["O", "B-LOC", "O"]
    assert left_out == []


def test_of_spans_that_share_a_word_the_longest_is_written():
    """IOB2 has one label per word; the others are returned, to be counted."""
    _, places = joined(["Kofi", "Annan", "Centre"])
    centre, person, beyond = Span(0, 17, "LOC"), Span(0, 10, "PER"), Span(40, 44, "PER")
    tags, left_out = tags_of([person, centre, beyond], places)
    assert tags == ["B-LOC", "I-LOC", "I-LOC"]
    assert left_out == [person, beyond]
