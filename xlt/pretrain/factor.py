"""Gives the teacher's embeddings fewer dimensions, so that the same bytes hold more pieces.

BERT reads LayerNorm(x) of the sum x of a word's, a position's and a segment's row, all of H
numbers. ELECTRA (arXiv 2003.10555) reads A LayerNorm(e) + b with rows e of r < H numbers, and is
else the same. LayerNorm takes the mean away and divides by the length, so that with e = x Q, the
columns of Q orthonormal but for one direction and every e without mean, both are the same up to
what the kept directions do not hold: the principal ones of the teacher's rows, each row counted as
often as English text uses it. A and b are then fitted to the teacher's input by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.bert.modeling_bert import BertEmbeddings

_POSITIONS = 64  # that the principal directions are chosen for; sentences are seldom longer


@dataclass(frozen=True, kw_only=True)
class Factor:
    """How rows of H numbers become rows of r, and how the body's input is made of these."""

    basis: Tensor  # (H, r): e = x @ basis
    weight: Tensor  # (H, r): A
    bias: Tensor  # (H,): b


def factor(
    embeddings: BertEmbeddings, *, counts: Tensor, ids: Tensor, positions: Tensor, size: int
) -> Factor:
    """Returns the factor that loses least of what English text shows the teacher.

    Args:
        embeddings: The teacher's.
        counts: How often English text uses each piece.  # (V,)
        ids: Tokens of English text.  # (T,)
        positions: Where each stands in its sentence.  # (T,)
        size: Numbers r in a row, less than the teacher's H.
    """
    rows = embeddings.word_embeddings.weight.detach()
    places = embeddings.position_embeddings.weight.detach()
    segment = embeddings.token_type_embeddings.weight.detach()[:1]
    basis = _basis(rows, places[:_POSITIONS], segment, counts, size)
    sums = rows[ids] + places[positions] + segment  # (T, H)
    norm = embeddings.LayerNorm
    right = F.layer_norm(sums, norm.normalized_shape, norm.weight, norm.bias, norm.eps).detach()
    seen = F.layer_norm(sums @ basis, (size,), eps=norm.eps)  # (T, r)
    # Every e lies at right angles to (1, ..., 1), so that the rank is r - 1: ridge, not exact.
    centre, target = seen.mean(dim=0), right.mean(dim=0)
    moments = (seen - centre).T.double() @ (seen - centre).double()
    ridge = 1e-6 * moments.diagonal().mean() * torch.eye(size, dtype=torch.float64)
    cross = (seen - centre).T.double() @ (right - target).double()
    weight = torch.linalg.solve(moments + ridge, cross).T.float()  # (H, r)
    return Factor(basis=basis, weight=weight, bias=target - weight @ centre)


def _basis(rows: Tensor, places: Tensor, segment: Tensor, counts: Tensor, size: int) -> Tensor:
    """Returns Q, (H, r): principal directions, turned so that every x Q has mean 0."""
    centred = [part - part.mean(dim=1, keepdim=True) for part in (rows, places, segment)]
    share = (counts + 0.5) / (counts + 0.5).sum()
    parts = [
        centred[0] * share.sqrt()[:, None],
        centred[1] / len(places) ** 0.5,
        centred[2],
    ]
    stacked = torch.cat(parts).double()
    _, directions = torch.linalg.eigh(stacked.T @ stacked)  # rising
    kept = directions[:, -(size - 1) :].flip(1)  # (H, r - 1)
    centred_kept = kept - kept.mean(dim=0)
    level = torch.linalg.qr(
        torch.cat([torch.ones(size, 1), torch.eye(size)[:, 1:]], dim=1).double()
    )
    basis: Tensor = (centred_kept @ level.Q[:, 1:].T).float()
    return basis
