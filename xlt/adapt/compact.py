"""An encoder with the embeddings in use as a table of their own.

A training step then costs the same whatever the size of the vocabulary, and the rows that the
source language uses cannot move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xlt.adapt.batches import TrainingTexts
from xlt.adapt.embeddings import (
    embedding_table,
    head_bias,
    masked_lm,
    set_embedding_table,
    set_head_bias,
)
from xlt.adapt.options import AdaptOptions
from xlt.encoder.encoder import Encoder
from xlt.encoder.padding import pad
from xlt.encoder.pooling import mean_pool
from xlt.encoder.reading import longest_input
from xlt.encoder.tokens import Tokens, padded_width


class MaskedHead(nn.Module):
    """Logits over the tokens in use: an encoder's own transform, or a new one, then the table."""

    def __init__(self, transform: nn.Module, bias: Tensor, last: nn.Module | None = None) -> None:
        super().__init__()
        self.transform = transform
        self.bias = nn.Parameter(bias)
        self.last = (last,)  # the encoder's last layer; in a tuple: not a submodule
        self.stub = nn.Identity()  # replaces that layer in the encoder

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """Returns logits (M, U) from states (M, H) and embeddings (U, H)."""
        logits: Tensor = functional.linear(self.transform(states), table, self.bias)
        return logits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompactEncoder:
    """An encoder with the embeddings in use as a table of their own.

    Attributes:
        encoder: Its body is trained in place.
        used: (U,) ids in use, those of fixed embeddings first.
        place: (V,) position of each id in `used`, or -1.
        fixed: (F, H) embeddings that are not trained.
        free: (U - F, H) embeddings that are trained.
        head: From hidden states to logits over the U tokens; None without masked-token loss.
        dtype: Type of the matrix products.
    """

    encoder: Encoder
    used: NDArray[np.int64]
    place: NDArray[np.int64]
    fixed: Tensor
    free: nn.Parameter
    head: MaskedHead | None
    dtype: torch.dtype

    def table(self) -> Tensor:
        """Returns the embeddings of the tokens in use, (U, H)."""
        return torch.cat([self.fixed, self.free])

    def states(self, rows: Sequence[NDArray[np.int64]], table: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the final hidden states (B, T, H) of rows of ids, and their mask (B, T)."""
        longest = padded_width(max(map(len, rows)), longest_input(self.encoder.model))
        batch = pad([self.place[row] for row in rows], 0, width=longest).to(table.device)
        with self.autocast():
            states = self.encoder.model(
                inputs_embeds=functional.embedding(batch.input_ids, table),
                attention_mask=batch.attention_mask,
            ).last_hidden_state
        return states, batch.attention_mask

    def vectors(self, rows: Sequence[NDArray[np.int64]], table: Tensor) -> Tensor:
        """Returns sentence vectors (B, H) in float32."""
        return mean_pool(*self.states(rows, table))

    def autocast(self) -> torch.autocast:
        """Runs matrix products in bfloat16 if that is `dtype`."""
        low = self.dtype == torch.bfloat16
        return torch.autocast(self.free.device.type, torch.bfloat16, low)


def compact(encoder: Encoder, texts: TrainingTexts, options: AdaptOptions) -> CompactEncoder:
    """Takes the embeddings in use out of an encoder.

    Embeddings of special tokens and of every token of a source text are fixed; without source
    texts, only those of special tokens are.
    """
    table = embedding_table(encoder).weight.detach()
    special = [id for id in encoder.tokenizer.all_special_ids if id < len(table)]
    fixed = np.unique(_ids(texts.sources, special))
    free = np.setdiff1d(_ids([*texts.texts, *texts.with_translation], ()), fixed)
    used = np.concatenate([fixed, free])
    place = np.full(len(table), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    at = torch.from_numpy(used)
    wants_head = options.mlm_weight > 0 and encoder.tokenizer.mask_token_id is not None
    return CompactEncoder(
        encoder=encoder,
        used=used,
        place=place,
        fixed=table[at[: len(fixed)]].clone(),
        free=nn.Parameter(table[at[len(fixed) :]].clone()),
        head=_head(encoder, at) if wants_head else None,
        dtype=encoder.forward_dtype(table.device, options.precision),
    )


def write_back(trained: CompactEncoder) -> None:
    """Writes the trained embeddings, and the head's bias, back into the encoder."""
    encoder, at = trained.encoder, torch.from_numpy(trained.used)
    model = masked_lm(encoder)
    if model is not None and trained.head is not None and trained.head.last[0] is not None:
        _replace(model, trained.head.stub, trained.head.last[0])
    rows = embedding_table(encoder).weight.detach().clone()
    rows[at.to(rows.device)] = trained.table().detach()
    set_embedding_table(encoder, rows)
    bias = head_bias(encoder)
    if bias is not None and trained.head is not None:
        whole = bias.detach().clone()
        whole[at.to(whole.device)] = trained.head.bias.detach()
        set_head_bias(encoder, whole)


def trainable(model: CompactEncoder, *, body: bool) -> dict[str, nn.Parameter]:
    """Returns the parameters to train, by name, and freezes all others.

    Args:
        model: The free embeddings, and the head if it has one, are always trained.
        body: True to train the encoder's body as well.
    """
    named = {"rows": model.free}
    if model.head is not None:
        named |= {f"head.{name}": p for name, p in model.head.named_parameters()}
    table = embedding_table(model.encoder).weight
    rest = {f"body.{n}": p for n, p in model.encoder.model.named_parameters() if p is not table}
    for parameter in [*rest.values(), table]:
        parameter.requires_grad_(body and parameter is not table)
    return named | (rest if body else {})


def _head(encoder: Encoder, at: Tensor) -> MaskedHead:
    """Returns the encoder's trained head for the ids `at` alone, or a new head."""
    model, bias = masked_lm(encoder), head_bias(encoder)
    table = embedding_table(encoder)
    if model is not None and bias is not None:
        last = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        head = MaskedHead(encoder.mlm or model, bias.detach()[at].clone(), last)
        _replace(model, last, head.stub)
        return head
    width = table.embedding_dim
    transform = nn.Sequential(nn.Linear(encoder.width, width), nn.GELU(), nn.LayerNorm(width))
    return MaskedHead(transform, torch.zeros(len(at))).to(table.weight.device)


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Replaces a submodule; Hugging Face's own setters expect a layer with a bias."""
    for name, module in list(model.named_modules()):
        if module is old:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, new)


def _ids(texts: Sequence[Tokens], more: Sequence[int]) -> NDArray[np.int64]:
    parts = [np.asarray(more, dtype=np.int64), *(text.ids for text in texts)]
    return np.unique(np.concatenate(parts))
