"""Factorises the teacher's embeddings, so that the same bytes hold more pieces.

The input of BERT's body is LayerNorm(x), with x the sum of the embeddings of a word, a position
and a segment, each of H numbers. In ELECTRA (arXiv 2003.10555) it is A LayerNorm(e) + b, with
embeddings e of r < H numbers; otherwise both are the same. LayerNorm subtracts the mean and divides
by the norm. Let e = x Q, with columns of Q that are orthonormal except for one direction, and e
without mean: then both inputs agree on the directions that Q keeps. These are the principal
directions of the teacher's embeddings, weighted by their frequency in English text. A and b are
then fitted to the teacher's input by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.bert.modeling_bert import BertEmbeddings

_POSITIONS = 64  # positions that the directions are chosen for; sentences are seldom longer


@dataclass(frozen=True, kw_only=True)
class EmbeddingFactors:
    """Maps from embeddings of H numbers to r numbers, and from these to the body's input.

    Attributes:
        basis: (H, r), Q: e = x @ basis.
        weight: (H, r), A.
        bias: (H,), b.
    """

    basis: Tensor
    weight: Tensor
    bias: Tensor


def factorize(
    embeddings: BertEmbeddings, *, counts: Tensor, ids: Tensor, positions: Tensor, size: int
) -> EmbeddingFactors:
    """Returns the factors that keep most of the teacher's input on English text.

    Args:
        embeddings: The teacher's embeddings.
        counts: Frequency of each piece in English text.  # (V,)
        ids: Tokens of English text.  # (T,)
        positions: Position of each token in its sentence.  # (T,)
        size: Numbers r in an embedding, less than the teacher's H.
    """
    rows = embeddings.word_embeddings.weight.detach()
    places = embeddings.position_embeddings.weight.detach()
    segment = embeddings.token_type_embeddings.weight.detach()[:1]
    basis = _basis(rows, places[:_POSITIONS], segment, counts, size)
    sums = rows[ids] + places[positions] + segment  # (T, H)
    norm = embeddings.LayerNorm
    target = F.layer_norm(sums, norm.normalized_shape, norm.weight, norm.bias, norm.eps).detach()
    short = F.layer_norm(sums @ basis, (size,), eps=norm.eps)  # (T, r)
    # Every e is orthogonal to (1, ..., 1), so that the rank is r - 1: ridge regression.
    centre, mean = short.mean(dim=0), target.mean(dim=0)
    moments = (short - centre).T.double() @ (short - centre).double()
    ridge = 1e-6 * moments.diagonal().mean() * torch.eye(size, dtype=torch.float64)
    cross = (short - centre).T.double() @ (target - mean).double()
    weight = torch.linalg.solve(moments + ridge, cross).T.float()  # (H, r)
    return EmbeddingFactors(basis=basis, weight=weight, bias=mean - weight @ centre)


def _basis(rows: Tensor, places: Tensor, segment: Tensor, counts: Tensor, size: int) -> Tensor:
    """Returns Q, (H, r): principal directions, rotated so that every x Q has mean 0."""
    centred = [part - part.mean(dim=1, keepdim=True) for part in (rows, places, segment)]
    share = (counts + 0.5) / (counts + 0.5).sum()
    parts = [
        centred[0] * share.sqrt()[:, None],
        centred[1] / len(places) ** 0.5,
        centred[2],
    ]
    stacked = torch.cat(parts).double()
    _, directions = torch.linalg.eigh(stacked.T @ stacked)  # rising
    principal = directions[:, -(size - 1) :].flip(1)  # (H, r - 1)
    without_mean = principal - principal.mean(dim=0)
    level = torch.linalg.qr(
        torch.cat([torch.ones(size, 1), torch.eye(size)[:, 1:]], dim=1).double()
    )
    basis: Tensor = (without_mean @ level.Q[:, 1:].T).float()
    return basis
