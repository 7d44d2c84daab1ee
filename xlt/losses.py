"""Loss terms as pure functions of tensors, and the joint loss, their weighted sum.

    total = task + mlm_weight * mlm + tlm_weight * tlm + align_weight * align

A term without inputs is exactly zero with a zero gradient, never NaN. If several processes share
a batch, each passes the batch-wide `total` counts, and their terms add up to the term of the whole
batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from xlt.errors import ConfigError

_PARTS = ("total", "task", "mlm", "tlm", "align")


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWeights:
    """Weights of the parts at one step; the weight of the task is 1."""

    mlm: float = 0.0
    tlm: float = 0.0
    align: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointLoss:
    """The joint loss and its parts, scalars; `total` carries the gradient."""

    total: Tensor
    task: Tensor
    mlm: Tensor
    tlm: Tensor
    align: Tensor

    def values(self) -> Tensor:
        """Returns the parts without gradient, (5,), in the order of `named`."""
        return torch.stack([getattr(self, name).detach().float() for name in _PARTS])

    @staticmethod
    def named(values: Tensor) -> dict[str, float]:
        """Returns the values (5,) by the names of their parts."""
        return dict(zip(_PARTS, values.tolist(), strict=True))


def language_mean(
    losses: Tensor,
    languages: Tensor,
    weights: Tensor,
    *,
    totals: Tensor | None = None,
    exponent: float = 0.0,
) -> Tensor:
    """Returns the mean over languages of each language's weighted mean loss.

    A frequent language does not dominate the others: the number of examples of a language
    changes the variance of its term, not its size (arXiv 2211.06460).

    Args:
        losses: (B,) loss of each example.
        languages: (B,) int64, language of each example.
        weights: (B,) > 0, weight of each example.
        totals: (L,) sum of weights of each language over the whole batch, if `losses` is a part
            of it; None if `losses` is the whole batch.
        exponent: Each language is weighted by its total to this power: 0 weights all languages
            alike, 1 gives the plain mean over examples.

    Returns:
        A scalar; zero if B is 0.
    """
    if losses.numel() == 0:
        return losses.sum() * 0.0
    if totals is None:
        n_languages = int(languages.max()) + 1
        totals = weights.new_zeros(n_languages).index_add_(0, languages, weights)
    shares = torch.where(totals > 0, totals**exponent, 0.0)  # (L,)
    shares = shares / shares.sum()
    return (losses * weights * (shares / totals)[languages]).sum()


def control_mean(
    losses: Tensor,
    answered: Tensor,
    languages: Tensor,
    weights: Tensor,
    *,
    totals: Tensor,
    exponent: float = 0.0,
) -> Tensor:
    """Returns the mean over controls of the mean over languages, see `language_mean`.

    Args:
        losses: (B, C) loss of each example and control.
        answered: (B, C) False if an example has no answer to a control: it has no part in it.
        languages: (B,) language of each example.
        weights: (B,) weight of each example.
        totals: (L, C) sum of weights of each language and control over the whole batch.
        exponent: See `language_mean`.

    Returns:
        A scalar; zero if no control has an answer. Controls without any in the batch do not count.
    """
    if losses.shape[1] == 1:
        return language_mean(
            losses[:, 0], languages, weights, totals=totals[:, 0], exponent=exponent
        )
    terms = []
    for control in torch.nonzero(totals.sum(dim=0) > 0)[:, 0].tolist():
        own = answered[:, control]
        terms.append(
            language_mean(
                losses[own, control],
                languages[own],
                weights[own],
                totals=totals[:, control],
                exponent=exponent,
            )
        )
    return torch.stack(terms).mean() if terms else losses[answered].sum() * 0.0


def token_mean(logits: Tensor, targets: Tensor, *, total: int | None = None) -> Tensor:
    """Returns the cross-entropy of masked tokens, mean per token; the MLM and the TLM term.

    Args:
        logits: (M, V) of the masked positions only.
        targets: (M,) the original tokens.
        total: Masked tokens in the whole batch, if these are a part of it; None for M.

    Returns:
        A scalar; zero if M is 0.
    """
    if targets.numel() == 0:
        return logits.sum() * 0.0
    summed = functional.cross_entropy(logits.float(), targets, reduction="sum")
    return summed / (targets.numel() if total is None else total)


def cosine_alignment(sources: Tensor, targets: Tensor) -> Tensor:
    """Returns 1 - cosine of each pair, (P,) in [0, 2]."""
    return 1.0 - functional.cosine_similarity(sources, targets, dim=-1)


def l2_alignment(sources: Tensor, targets: Tensor) -> Tensor:
    """Returns the squared distance per dimension of each pair, (P,): MEXMA's MSE.

    See arXiv 2409.12737.
    """
    return (sources - targets).square().mean(dim=-1)


def contrastive_alignment(sources: Tensor, targets: Tensor, *, temperature: float) -> Tensor:
    """Returns the symmetric InfoNCE of each pair against the other pairs of the batch, (P,).

    It is zero for a single pair.
    """
    similarities = functional.normalize(sources, dim=-1) @ functional.normalize(targets, dim=-1).T
    wanted = torch.arange(len(sources), device=sources.device)
    logits = similarities / temperature  # (P, P)
    forward = functional.cross_entropy(logits, wanted, reduction="none")
    backward = functional.cross_entropy(logits.T, wanted, reduction="none")
    return 0.5 * (forward + backward)


def contrast_with_bank(
    vectors: Tensor,
    target: Tensor,
    bank: Tensor,
    same_bank: Tensor,
    same_batch: Tensor,
    *,
    temperature: float,
) -> Tensor:
    """Returns InfoNCE of unit vectors against the batch's targets and a bank of other vectors.

    Args:
        vectors: (B, H).
        target: (B, H) right answer of each.
        bank: (M, H) vectors of any sentences.
        same_bank: (B, M) True if a vector of the bank is the right answer, and no negative.
        same_batch: (B, B) True if two rows have the same right answer.
        temperature: Divides the cosines.

    Returns:
        A scalar.
    """
    own = (vectors * target).sum(dim=-1, keepdim=True)
    batch = (vectors @ target.T).masked_fill(same_batch, float("-inf"))
    others = (vectors @ bank.T).masked_fill(same_bank, float("-inf"))
    logits = torch.cat([own, batch, others], dim=1) / temperature
    wanted = torch.zeros(len(vectors), dtype=torch.long, device=vectors.device)
    return functional.cross_entropy(logits, wanted)


def koleo(vectors: Tensor, *, epsilon: float = 1e-8) -> Tensor:
    """Returns minus the mean log distance to the nearest other vector, which spreads vectors out.

    Args:
        vectors: (B, H), compared by direction.
        epsilon: Added to distances, so that two equal vectors give a finite value.

    Returns:
        A scalar; zero if B < 2 (arXiv 1806.03198).
    """
    if len(vectors) < 2:
        return vectors.sum() * 0.0
    unit = functional.normalize(vectors, dim=-1)
    with torch.no_grad():
        nearest = (unit @ unit.T).fill_diagonal_(-2.0).argmax(dim=1)
    distances = (unit - unit[nearest]).square().sum(dim=-1).add(epsilon**2).sqrt()
    return -torch.log(distances + epsilon).mean()


def alignment(
    sources: Tensor,
    targets: Tensor,
    *,
    kind: str,
    temperature: float = 0.05,
    koleo_weight: float = 0.0,
    total: int | None = None,
) -> Tensor:
    """Returns the sentence alignment of P pairs, mean per pair, with optional KoLeo.

    Args:
        sources: (P, H) vectors.
        targets: (P, H) vectors of their translations.
        kind: cosine, l2 or contrastive.
        temperature: Of the contrastive loss.
        koleo_weight: Weight of KoLeo, on both sides, within this term.
        total: Pairs in the whole batch, if these are a part of it; None for P.

    Returns:
        A scalar; zero if P is 0.

    Raises:
        ConfigError: If `kind` is none of the three.
    """
    if kind not in ("cosine", "l2", "contrastive"):
        raise ConfigError(f"align_loss must be cosine, l2 or contrastive; got {kind!r}")
    if len(sources) == 0:
        return (sources.sum() + targets.sum()) * 0.0
    sources, targets = sources.float(), targets.float()
    if kind == "contrastive":
        losses = contrastive_alignment(sources, targets, temperature=temperature)
    else:
        losses = (cosine_alignment if kind == "cosine" else l2_alignment)(sources, targets)
    share = len(sources) / (len(sources) if total is None else total)
    term = losses.mean()
    if koleo_weight:
        term = term + koleo_weight * 0.5 * (koleo(sources) + koleo(targets))
    return term * share


def joint_loss(
    *, task: Tensor, mlm: Tensor, tlm: Tensor, align: Tensor, weights: LossWeights
) -> JointLoss:
    """Adds the parts up; a part of weight 0 has no influence on the total's gradient."""
    total = task
    for part, weight in ((mlm, weights.mlm), (tlm, weights.tlm), (align, weights.align)):
        if weight:
            total = total + weight * part
    return JointLoss(total=total, task=task, mlm=mlm, tlm=tlm, align=align)
