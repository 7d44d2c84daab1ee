"""Spans as tags and back, and the most probable tags."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from tests.xlt.tasks.samples import MANY, SEEDS
from tests.xlt.tasks.spans.samples import WHERE, span
from xlt.data.spans import Span, in_order
from xlt.tasks.tagging import LAYERS, best_tags, layered, spans_of, tags_of

LABELS = ("PER", "LOC")
WORDS = np.array([[0, 3], [4, 9], [9, 10], [11, 14], [15, 16]])
ANY = st.lists(
    st.builds(
        lambda a, b, label: Span(min(a, b), max(a, b) + 1, label),
        st.integers(0, 15), st.integers(0, 15), st.sampled_from(LABELS),
    ),
    max_size=6,
).map(in_order)  # fmt: skip


def back(spans, where=WORDS):
    """The spans that are left of these after tagging."""
    return tuple(found for *_, found in spans_of(tags_of(spans, where, LABELS), where, LABELS))


@pytest.mark.parametrize(
    "answer",
    [
        (), (Span(0, 3, "PER"),), (Span(0, 3, "PER"), Span(4, 9, "PER")),
        (Span(0, 9, "PER"), Span(0, 9, "LOC")), (Span(0, 9, "LOC"), Span(4, 9, "LOC")),
        (Span(0, 9, "PER"), Span(4, 14, "PER")), (Span(4, 9, "PER"), Span(9, 10, "PER")),
    ],
)  # fmt: skip
def test_spans_that_touch_overlap_or_nest_are_told_apart(answer):
    """Also those of the same label; in two layers."""
    assert back(answer) == in_order(answer)
    assert layered(answer)[1] == 0


def test_a_third_layer_is_counted():
    """The two outermost spans are learned."""
    answer = (Span(0, 9, "PER"), Span(0, 14, "PER"), Span(4, 9, "LOC"))
    assert layered(answer)[1] == 1
    assert back(answer) == (Span(0, 9, "PER"), Span(0, 14, "PER"))


def test_a_part_of_a_word_is_learned_as_the_word():
    """A second one in the same word has the next word, or is not learned."""
    assert back((Span(5, 7, "PER"),)) == (Span(4, 9, "PER"),)
    assert back((Span(2, 5, "LOC"),)) == (Span(0, 9, "LOC"),)
    assert back((Span(4, 6, "PER"), Span(6, 10, "LOC"))) == (Span(4, 9, "PER"), Span(9, 10, "LOC"))
    assert back((Span(4, 6, "PER"), Span(6, 8, "LOC"))) == (Span(4, 9, "PER"),)
    assert back((Span(3, 4, "PER"),)) == ()  # the space between two words


@MANY
@given(ANY)
def test_tags_are_learned_as_far_as_words_tell(answer):
    """What comes back is whole words, comes back again as it is, and of each layer in order."""
    read = back(answer)
    assert back(read) == read
    edges = {int(edge) for edge in WORDS.ravel()}
    assert {edge for found in read for edge in (found.start, found.end)} <= edges
    layers, left = layered(answer)
    assert sum(map(len, layers)) + left == len(answer)
    for layer in layers:
        assert all(one.end <= two.start for one, two in pairwise(layer))


@MANY
@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=7))
def test_tags_are_read_as_seqeval_reads_them(names):
    """Whatever they are: a tag that goes on with nothing begins a span."""
    numbers = {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4}
    tags = np.zeros((len(names), LAYERS), int)
    tags[:, 0] = [numbers[name] for name in names]
    expected = [(first, last, label) for label, first, last in get_entities(names)]
    found = spans_of(tags, WHERE, LABELS)
    assert [(first, end - 1, one.label) for first, end, one in found] == expected
    assert [one for *_, one in found] == [span(*entity) for entity in expected]


@MANY
@given(SEEDS, st.lists(st.integers(0, 4), max_size=4))
def test_the_most_probable_tags_are_found(seed, lengths):
    """Of all sequences in which spans go on only after they began, by trying all."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(5, 0.5), size=sum(lengths))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    found = best_tags(p, starts)

    def possible(tags):
        return all(tag not in (2, 4) or before in (tag, tag - 1) for before, tag in
                   zip((0, *tags), tags, strict=False))  # fmt: skip

    for start, end in pairwise(starts):
        own = np.log(p[start:end])
        tried = [tags for tags in product(range(5), repeat=end - start) if possible(tags)]
        scores = [own[np.arange(end - start), list(tags)].sum() for tags in tried]
        best = found[start:end]
        assert possible(tuple(best))
        assert own[np.arange(end - start), best].sum() == pytest.approx(max(scores))
