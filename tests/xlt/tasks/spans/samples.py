"""Spans of one text, as answers, tags and outputs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from xlt.data.spans import Span, in_order
from xlt.encoder.words import words_of
from xlt.tasks.outputs import Outputs
from xlt.tasks.tagging import LAYERS, count_tags, layered, spans_of, tags_of
from xlt.tasks.task import AnyTask

#: A text with a line end, a combining mark and letters outside the BMP, in seven words.
TEXT = "Àṣàkẹ́ visited\nNairobi, 𞤀𞤣𞤢𞤥𞤢 did not"


def where_of(text: str) -> np.ndarray:
    """Places (U, 2) of a text's words, as one token each."""
    offsets = [(at, at + 1) for at in range(len(text))]
    return words_of(text, offsets, np.zeros(len(text), dtype=bool)).where


WHERE = where_of(TEXT)


def spans(task: AnyTask, most: int = 5) -> st.SearchStrategy[Hashable]:
    """Spans of whole words, which may touch, overlap and lie in one another."""
    edges = st.tuples(st.integers(0, len(WHERE) - 1), st.integers(0, len(WHERE) - 1))
    one = st.tuples(edges, st.sampled_from(task.labels)).map(
        lambda drawn: span(min(drawn[0]), max(drawn[0]), drawn[1])
    )
    return st.lists(one, max_size=most).map(in_order).filter(lambda answer: not layered(answer)[1])


def span(first: int, last: int, label: str) -> Span:
    """The span from one word of the text to another."""
    return Span(int(WHERE[first, 0]), int(WHERE[last, 1]), label)


def drawn(task: AnyTask, seed: int, count: int) -> list[Hashable]:
    """Answers; each label is in some of them and not in others."""
    rng = np.random.default_rng(seed)
    alone = [(span(0, 0, label),) for label in task.labels]
    several = []
    for _ in range(count):
        labels = [label for label in task.labels if rng.random() < 0.4][: len(WHERE)]
        firsts = sorted(rng.choice(len(WHERE), size=len(labels), replace=False).tolist())
        several.append(
            in_order(span(at, at, label) for at, label in zip(firsts, labels, strict=True))
        )
    rows = [*alone, *several]
    return rows[:count]


def certain(task: AnyTask, answer: Hashable) -> np.ndarray:
    """The beliefs (U, W) of a model that is sure of an answer, or of the first word's label."""
    answer = (span(0, 0, answer),) if isinstance(answer, str) else answer
    tags = tags_of(answer, WHERE, task.labels)
    return np.eye(count_tags(task.labels))[tags].reshape(len(WHERE), -1)


def ragged(rows: Sequence[np.ndarray], width: int) -> Outputs:
    """Outputs of examples that all have the text."""
    starts = np.arange(len(rows) + 1, dtype=np.int64) * len(WHERE)
    values = np.concatenate([np.zeros((0, width)), *rows])
    where = np.concatenate([np.zeros((0, 2), np.int64), *[WHERE] * len(rows)])
    return Outputs(values, starts, where)


def right_answers(task: AnyTask, beliefs: Outputs, rng: np.random.Generator) -> list[Hashable]:
    """Answers that are right as often as beliefs say, each word and layer by itself."""
    starts, where = beliefs.ragged()
    p = beliefs.values.reshape(len(where), LAYERS, -1)
    tags = (p.cumsum(axis=-1) > rng.random((len(where), LAYERS, 1))).argmax(axis=-1)
    return [
        tuple(found for *_, found in spans_of(tags[start:end], where[start:end], task.labels))
        for start, end in pairwise(starts)
    ]


def turned(task: AnyTask, beliefs: Outputs, order: Sequence[int]) -> Outputs:
    """Beliefs with the columns of the labels in another order."""
    tags = [0, *(2 * label + part for label in order for part in (1, 2))]
    columns = [layer * count_tags(task.labels) + tag for layer in range(LAYERS) for tag in tags]
    return Outputs(beliefs.values[:, columns], beliefs.starts, beliefs.where)
