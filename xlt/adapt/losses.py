"""The loss of one step: distance and contrast to translations, source anchor, masked tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xlt.adapt.batches import TrainingTexts, draw_batch
from xlt.adapt.compact import CompactEncoder
from xlt.adapt.options import AdaptOptions
from xlt.encoder.masked_lm import mask_tokens
from xlt.encoder.tokens import Tokens
from xlt.losses import contrast_with_bank, token_mean

_NEGATIVES = 1024


def step_losses(
    model: CompactEncoder, texts: TrainingTexts, options: AdaptOptions, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Returns the weighted terms of one step; empty if there is nothing to learn from."""
    table = model.table()
    terms: dict[str, Tensor] = {}
    if texts.paired:
        terms |= _alignment(model, texts, options, table, rng)
    if model.head is not None and options.mlm_weight:
        terms["masked"] = options.mlm_weight * _masked(model, texts, options, table, rng)
    return terms


def relative_distance(vectors: Tensor, target: Tensor, spread: Tensor) -> Tensor:
    """Returns the mean squared distance of (B, H) to (B, H), relative to the targets' spread.

    It is 1 if every vector is the targets' mean. The scale of the encoder's vectors does not
    matter, nor does a direction that all of them share.

    Args:
        vectors: (B, H).
        target: (B, H) target of each.
        spread: Mean squared deviation of all targets from their mean.
    """
    return (vectors - target).square().sum(dim=-1).mean() / spread


def _alignment(
    model: CompactEncoder,
    texts: TrainingTexts,
    options: AdaptOptions,
    table: Tensor,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Returns the terms that need translations, and the anchor of the source language."""
    target = texts.target.to(table.device)
    centre = target.mean(dim=0)
    spread = (target - centre).square().sum(dim=-1).mean().clamp_min(1e-12)
    lengths = np.array([len(text) for text in texts.texts])
    word_share = options.lexicon_share if texts.word_chance.any() else 0.0
    word_share = word_share if texts.sentence_chance.any() else 1.0
    source_share = options.source_share if options.hold_weight else 0.0
    budget = options.batch_tokens * (1 - source_share)
    terms: dict[str, Tensor] = {}
    groups = [
        draw_batch(texts.sentence_chance, lengths, budget * (1 - word_share), rng),
        draw_batch(texts.word_chance, lengths, budget * word_share, rng),
    ]
    groups = [group for group in groups if len(group)]
    vectors = torch.cat(
        [model.vectors([texts.texts[row].ids for row in group], table) for group in groups]
    )
    source = torch.from_numpy(texts.source_row[np.concatenate(groups)]).to(table.device)
    terms["distance"] = options.distance_weight * relative_distance(vectors, target[source], spread)
    if options.contrast_weight:
        bank = torch.from_numpy(rng.choice(len(target), size=min(_NEGATIVES, len(target))))
        bank = bank.to(table.device)
        terms["contrast"] = options.contrast_weight * contrast_with_bank(
            functional.normalize(vectors - centre, dim=-1),
            functional.normalize(target[source] - centre, dim=-1),
            functional.normalize(target[bank] - centre, dim=-1),
            source[:, None] == bank[None, :],
            source[:, None] == source[None, :],
            temperature=options.temperature,
        )
    if source_share and texts.n_sentences:
        even = np.zeros(len(texts.sources))
        even[: texts.n_sentences] = 1.0
        source_lengths = np.array([len(text) for text in texts.sources])
        rows = draw_batch(even, source_lengths, options.batch_tokens * source_share, rng)
        current = model.vectors([texts.sources[row].ids for row in rows], table)
        old = target[torch.from_numpy(rows).to(table.device)]
        terms["hold"] = options.hold_weight * relative_distance(current, old, spread)
    return terms


def _masked(
    model: CompactEncoder,
    texts: TrainingTexts,
    options: AdaptOptions,
    table: Tensor,
    rng: np.random.Generator,
) -> Tensor:
    """Returns the cross-entropy of hidden tokens, mean per token."""
    assert model.head is not None
    ids, targets, positions = [], [], []
    for text in _drawn_for_masking(texts, options, rng):
        shown, hidden = mask_tokens(
            text,
            probability=options.masked_share,
            mask_id=model.encoder.mask_id,
            n_tokens=len(model.used),
            rng=rng,
        )
        replaced = (shown != text.ids) & (shown != model.encoder.mask_id)
        shown[replaced] = model.used[shown[replaced]]  # any token in use
        ids.append(shown)
        positions.append(hidden)
        targets.append(model.place[text.ids[hidden]])
    states, _ = model.states(ids, table)
    row = np.concatenate([np.full(len(part), row) for row, part in enumerate(positions)])
    chosen = states[torch.from_numpy(row), torch.from_numpy(np.concatenate(positions))]
    with model.autocast():
        logits = model.head(chosen, table)
    return token_mean(logits, torch.from_numpy(np.concatenate(targets)).to(table.device))


def _drawn_for_masking(
    texts: TrainingTexts, options: AdaptOptions, rng: np.random.Generator
) -> list[Tokens]:
    """Draws texts to hide tokens of; some are followed by their translation (TLM)."""
    chance = texts.masked_chance / texts.masked_chance.sum()
    rows = rng.choice(len(chance), size=options.masked_texts, p=chance)
    paired = (rng.random(len(rows)) < options.tlm_share) & (texts.source_row[rows] >= 0)
    drawn = [
        texts.with_translation[row] if both else texts.texts[row]
        for row, both in zip(rows, paired, strict=True)
    ]
    return [text for text in drawn if not text.special.all()]
