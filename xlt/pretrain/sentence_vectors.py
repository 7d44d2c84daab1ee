"""Sentence vectors of tokenised texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from xlt.encoder.pooling import mean_pool
from xlt.pretrain.tokenized_texts import TokenizedTexts


@torch.no_grad()
def sentence_vectors(
    body: torch.nn.Module,
    texts: TokenizedTexts,
    rows: NDArray[np.int64],
    *,
    special: Sequence[int],
    max_tokens: int,
    batch_tokens: int = 8192,
) -> Tensor:
    """Returns the unit vectors of `rows`, (len(rows), H), computed in batches of similar length.

    Args:
        body: A BERT or ELECTRA without head.
        texts: Tokenised texts.
        rows: Rows of `texts` to compute vectors of.
        special: Ids of [PAD], [CLS] and [SEP].
        max_tokens: Longer texts are truncated.
        batch_tokens: Tokens in a batch with padding.
    """
    device = next(body.parameters()).device
    order = rows[np.argsort(texts.lengths()[rows], kind="stable")]
    position = np.argsort(np.argsort(texts.lengths()[rows], kind="stable"), kind="stable")
    vectors: list[Tensor] = []
    first = 0
    while first < len(order):
        longest = int(min(texts.lengths()[order[first]] + 2, max_tokens))
        step = max(1, batch_tokens // (longest + 8))
        ids, mask = texts.padded(
            order[first : first + step],
            max_tokens=max_tokens,
            pad=special[0],
            first=special[1],
            last=special[2],
        )
        ids, mask = ids.to(device), mask.to(device)
        hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state
        vectors.append(F.normalize(mean_pool(hidden, mask), dim=-1).cpu())
        first += step
    return torch.cat(vectors)[torch.from_numpy(position)]
