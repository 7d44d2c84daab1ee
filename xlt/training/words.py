"""Warm start of heads that read words: fits them on the states of a frozen encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from xlt.encoder.reading import each_batch
from xlt.encoder.tokens import Tokens

#: Largest number of words that a head is fitted on; of more, every second text counts, and so on.
_MOST_WORDS = 40_000


def fit_words(
    body: PreTrainedModel,
    head: Any,  # noqa: ANN401 - a head that reads words
    rows: Sequence[Tokens],
    targets: Tensor,
    weights: Tensor,
    pad_id: int,
    dtype: torch.dtype,
) -> None:
    """Fits a head on the mean states of words, read once and without gradient.

    Args:
        body: The encoder's body.
        head: The head, of which `reads_words` is true.
        rows: N tokenised texts, or windows of texts.
        targets: (N, U, ...) their answers.
        weights: (N,) trust in them.
        pad_id: Id of the padding token.
        dtype: Data type of matrix products.
    """
    count = sum(len(row.words) for row in rows if row.words is not None)
    step = -(-count // _MOST_WORDS) or 1
    rows, targets, weights = rows[::step], targets[::step], weights[::step]
    order: list[int] = []
    means, shapes = [], []
    for own, states, batch in each_batch(body, rows, pad_id, batch_tokens=2048, dtype=dtype):
        assert batch.words is not None
        order += own
        means.append(head.means(states, batch.words).cpu())
        shapes.append(batch.words.shapes.cpu())
    most = max(part.shape[1] for part in shapes)
    back = torch.tensor(order).argsort()
    together = torch.cat([functional.pad(p, (0, 0, 0, most - p.shape[1])) for p in means])[back]
    known = torch.cat([functional.pad(p, (0, most - p.shape[1]), value=-1) for p in shapes])[back]
    with torch.no_grad():
        head.fit_words(together.clone(), known, targets.cpu(), weights.cpu())
