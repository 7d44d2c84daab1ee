"""Masked language modelling: which tokens are hidden, and the head that guesses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xlt.encoder.tokens import TokenIds, Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def mask_tokens(
    tokens: Tokens, *, probability: float, mask_id: int, n_tokens: int, rng: np.random.Generator
) -> tuple[TokenIds, NDArray[np.int64]]:
    """Hide a share of a text's tokens: 80 % masked, 10 % swapped for any token, 10 % left.

    At least one token is hidden where there is one that is not special.

    Args:
        tokens: The text.
        probability: Share of the tokens to hide.
        mask_id: Id of the mask token.
        n_tokens: Size of the vocabulary to swap from.
        rng: Source of randomness.

    Returns:
        The ids to read, (T,), and the hidden positions, (M,) rising.
    """
    candidates = np.flatnonzero(~tokens.special)
    n_hidden = min(max(round(probability * len(candidates)), 1), len(candidates))
    hidden = np.sort(rng.choice(candidates, size=n_hidden, replace=False))
    ids = tokens.ids.copy()
    fate = rng.random(n_hidden)
    swapped = rng.integers(0, n_tokens, size=n_hidden)
    ids[hidden] = np.where(fate < 0.8, mask_id, np.where(fate < 0.9, swapped, ids[hidden]))
    return ids, hidden.astype(np.int64)


class TrainedMlmHead(nn.Module):
    """A checkpoint's own MLM head, for any architecture.

    Hugging Face's masked-LM models run their body, then their head over every token. With the
    body replaced by a stub that hands on given states, the rest of the model is the head.
    """

    def __init__(self, masked_lm: PreTrainedModel) -> None:
        super().__init__()
        body = masked_lm.base_model
        setattr(masked_lm, masked_lm.base_model_prefix, _GivenStates(body))
        self.rest = masked_lm

    def forward(self, states: Tensor) -> Tensor:
        """Logits (M, V) from the hidden states (M, H) of masked positions."""
        return self.rest(inputs_embeds=states.unsqueeze(0)).logits.squeeze(0)  # type: ignore[no-any-return]


class _GivenStates(nn.Module):
    """Stands where a body stood; its output is what it is given as embeddings."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self._body = (body,)  # in a tuple: not a submodule, so its weights are not ours

    @property
    def embeddings(self) -> nn.Module:
        """The body's embeddings, to which some heads (DeBERTa) reach through."""
        return self._body[0].embeddings  # type: ignore[return-value]

    def forward(self, *_: object, inputs_embeds: Tensor, **__: object) -> tuple[Tensor]:
        """The states that were given, as a body's output."""
        from transformers.modeling_outputs import BaseModelOutput

        return BaseModelOutput(last_hidden_state=inputs_embeds)  # type: ignore[return-value]


class TiedMlmHead(nn.Module):
    """A new head for checkpoints without one: dense, GELU, norm, then the input embeddings."""

    def __init__(self, embeddings: nn.Embedding, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, embeddings.embedding_dim)
        self.norm = nn.LayerNorm(embeddings.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(embeddings.num_embeddings))
        self._embeddings = (embeddings,)  # in a tuple: tied, not owned

    def forward(self, states: Tensor) -> Tensor:
        """Logits (M, V) from the hidden states (M, H) of masked positions."""
        inner = self.norm(functional.gelu(self.dense(states)))
        return functional.linear(inner, self._embeddings[0].weight, self.bias)
