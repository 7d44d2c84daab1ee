"""Tags of tokens and the spans they mean: IOB2, read as leniently as conlleval reads it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from xlt.data.label_names import canonical
from xlt.data.marked.tokens import Places
from xlt.data.spans import Span, in_order

#: A token that is in no span.
OUTSIDE = "O"
#: Cells of a token that nobody tagged.
UNTAGGED = {"", "_", "-"}

#: Begin, inside, end and single, with the letters of BILOU and BMES.
_TAG = re.compile(r"([BIESLUM])(?:-(.*))?", re.DOTALL)
_SAME = {"L": "E", "U": "S", "M": "I"}
#: Label of spans whose tags have none, as seqeval calls it.
_NAMELESS = "_"

#: What is counted of tags.
BEGUN = "begin without a tag B-"
UNKNOWN = "unknown tags read as O"


def is_tag(cell: str) -> bool:
    """Returns whether a cell is a tag: O, or one with the letter of its place."""
    return cell == OUTSIDE or _TAG.fullmatch(cell) is not None


def are_bare(tags: Sequence[str]) -> bool:
    """Returns whether tags are labels alone, without the letters of places."""
    return any(tag not in UNTAGGED and tag != OUTSIDE for tag in tags) and not any(
        tag != OUTSIDE and is_tag(tag) for tag in tags
    )


def spans_of(
    tags: Sequence[str], places: Places, *, bare: bool = False
) -> tuple[tuple[Span, ...], Counter[str]]:
    """Reads tags as conlleval does: a span goes on while its tags say so and its label is the same.

    A tag I-, E-, L- or M- that continues nothing begins a span (IOB1).

    Args:
        tags: T tags.
        places: Start and end of T tokens in the text, in code points.
        bare: Tags are labels alone; neighbours with the same one are a span.

    Returns:
        The spans, and the number of those that begin without B- or S-, and of unknown tags.
    """
    spans: list[Span] = []
    counts: Counter[str] = Counter()
    open_label, first, end = None, 0, 0

    def close() -> None:
        if open_label is not None and first < end:
            spans.append(Span(first, end, open_label))

    for tag, (start, stop) in zip(tags, places, strict=True):
        place, label, known = _parts(tag, bare=bare)
        counts[UNKNOWN] += not known
        if label is None:
            close()
            open_label = None
            continue
        if place in "BS" or label != open_label:
            close()
            counts[BEGUN] += place in "IE" and not bare
            open_label, first = label, start
        end = stop
        if place in "ES":
            close()
            open_label = None
    close()
    return in_order(spans), +counts


def tags_of(spans: Sequence[Span], places: Places) -> tuple[list[str], list[Span]]:
    """Writes spans as IOB2, which has one label per token.

    A token that a span covers in part is tagged as a whole: words are not split. Of spans that
    share a token, the longest is written.

    Args:
        spans: Spans of a text.
        places: Start and end of its T tokens, in code points and in order.

    Returns:
        T tags, and the spans that are not written: they share a token with another, or cover none.
    """
    tags = [OUTSIDE] * len(places)
    left_out = []
    starts, ends = [start for start, _ in places], [end for _, end in places]
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
        if first >= last or any(tag != OUTSIDE for tag in tags[first:last]):
            left_out.append(span)
            continue
        tags[first:last] = [f"B-{span.label}", *[f"I-{span.label}"] * (last - first - 1)]
    return tags, left_out


def _parts(tag: str, *, bare: bool) -> tuple[str, str | None, bool]:
    """Returns the letter of a tag's place, its label (None for O), and whether it is known."""
    if tag == OUTSIDE or tag in UNTAGGED:
        return OUTSIDE, None, True
    if bare:
        return "I", canonical(tag), True
    match = _TAG.fullmatch(tag)
    if match is None:
        return OUTSIDE, None, False
    place, label = match.groups()
    return _SAME.get(place, place), canonical(label or "") or _NAMELESS, True
