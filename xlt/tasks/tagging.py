"""Spans as tags of words, and back: BIO tags in two layers, so that spans may overlap.

The first layer has spans that do not overlap, the longest first; the second has those that lie in
or across them (layers of flat tags: Ju, Miwa and Ananiadou 2018). A third is not learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.data.spans import Span, in_order

#: Layers of tags.
LAYERS = 2
#: The tag of a word in no span; label k begins a span with tag 2 k + 1 and goes on with 2 k + 2.
OUTSIDE = 0
_CHUNK = 512

Answer = tuple[Span, ...]


def count_tags(labels: Sequence[str]) -> int:
    """Returns the number of tags of a layer."""
    return 2 * len(labels) + 1


def layered(spans: Iterable[Span]) -> tuple[list[list[Span]], int]:
    """Returns the spans of each layer, in order, and the number of those that fit in no layer."""
    layers: list[list[Span]] = [[] for _ in range(LAYERS)]
    left = 0
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        for layer in layers:
            if all(span.end <= other.start or other.end <= span.start for other in layer):
                layer.append(span)
                break
        else:
            left += 1
    return [sorted(layer) for layer in layers], left


def tags_of(
    spans: Iterable[Span], where: NDArray[np.integer], labels: Sequence[str]
) -> NDArray[np.int64]:
    """Returns the tags (U, LAYERS) of a text's words.

    Each word that a span touches is in it. Of two spans of a layer that touch the same word, the
    first has it; a span without a word is not learned.

    Args:
        spans: The answer.
        where: (U, 2) places of the words.
        labels: Labels of the task; each span has one of them.
    """
    tags = np.full((len(where), LAYERS), OUTSIDE, dtype=np.int64)
    number_of = {label: number for number, label in enumerate(labels)}
    for column, layer in enumerate(layered(spans)[0]):
        free = 0
        for span in layer:
            first = max(int(np.searchsorted(where[:, 1], span.start, side="right")), free)
            last = int(np.searchsorted(where[:, 0], span.end, side="left"))
            if first < last:
                tag = 2 * number_of[span.label] + 1
                tags[first, column], tags[first + 1 : last, column] = tag, tag + 1
                free = last
    return tags


def spans_of(
    tags: NDArray[np.integer], where: NDArray[np.integer], labels: Sequence[str]
) -> list[tuple[int, int, Span]]:
    """Reads tags (U, LAYERS); one that goes on with no span of its label begins one.

    Returns:
        First word, word behind the last, and span, in the order of the spans; a span that both
        layers have is there once.
    """
    read: dict[Span, tuple[int, int]] = {}
    for layer in range(LAYERS):
        column = tags[:, layer].tolist()
        open_at = -1
        for word, tag in enumerate([*column, OUTSIDE]):
            goes_on = open_at >= 0 and tag == 2 * ((column[open_at] - 1) // 2) + 2
            if goes_on:
                continue
            if open_at >= 0:
                label = labels[(column[open_at] - 1) // 2]
                span = Span(int(where[open_at, 0]), int(where[word - 1, 1]), label)
                read[span] = (open_at, word)
            open_at = word if tag != OUTSIDE else -1
    return [(*read[span], span) for span in in_order(read)]


def best_tags(p: NDArray[np.floating], starts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Returns the most probable tags in which spans go on only after they began (Viterbi 1967).

    Args:
        p: (M, T) probabilities of the tags of M words.
        starts: (N + 1,) first word of each of N texts, and M.

    Returns:
        (M,) tags.
    """
    best = np.zeros(len(p), dtype=np.int64)
    logs = np.log(np.maximum(p, 1e-30))
    lengths = np.diff(starts)
    order = np.argsort(-lengths, kind="stable")
    for at in range(0, len(order), _CHUNK):
        rows = order[at : at + _CHUNK]
        rows = rows[lengths[rows] > 0]
        if len(rows):
            _viterbi(logs, np.asarray(starts)[rows], lengths[rows], best)
    return best


def _viterbi(
    logs: NDArray[np.float64],
    first: NDArray[np.integer],
    lengths: NDArray[np.integer],
    best: NDArray[np.int64],
) -> None:
    """Fills the best tags of texts, which are sorted by length, the longest first."""
    n, width = int(lengths[0]), logs.shape[1]
    on = np.arange(2, width, 2)  # tags that go on
    score = logs[first].copy()  # (R, T)
    score[:, on] = -np.inf
    came_from = np.zeros((n, len(first), width), dtype=np.int64)
    ends = np.zeros((n, len(first)), dtype=np.int64)
    ends[0] = score.argmax(axis=1)
    for step in range(1, n):
        live = int((lengths > step).sum())
        before = score[:live]
        any_tag = before.argmax(axis=1)
        origin = np.repeat(any_tag[:, None], width, axis=1)
        origin[:, on] = np.where(before[:, on] > before[:, on - 1], on, on - 1)
        score = np.take_along_axis(before, origin, axis=1) + logs[first[:live] + step]
        came_from[step, :live], ends[step, :live] = origin, score.argmax(axis=1)
    texts = np.arange(len(first))
    tags = ends[lengths - 1, texts]
    for step in range(n - 1, -1, -1):
        live = int((lengths > step).sum())
        own = texts[:live]
        best[first[:live] + step] = tags[:live]
        if step:
            tags[:live] = came_from[step, own, tags[:live]]
