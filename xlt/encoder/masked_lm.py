"""Masked language modelling: hides tokens, and loads or makes the head that predicts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from xlt.encoder.locations import HEAD_FILE
from xlt.encoder.tokens import TokenIds, Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def mask_tokens(
    tokens: Tokens, *, probability: float, mask_id: int, n_tokens: int, rng: np.random.Generator
) -> tuple[TokenIds, NDArray[np.int64]]:
    """Hides a share of a text's tokens: 80 % masked, 10 % replaced by any token, 10 % unchanged.

    At least one token is hidden, unless all are special.

    Args:
        tokens: The text.
        probability: Share of the tokens to hide.
        mask_id: Id of the mask token.
        n_tokens: Size of the vocabulary that replacements are drawn from.
        rng: Source of randomness.

    Returns:
        Input ids (T,), and the hidden positions (M,) in rising order.
    """
    candidates = np.flatnonzero(~tokens.special)
    n_hidden = min(max(round(probability * len(candidates)), 1), len(candidates))
    hidden = np.sort(rng.choice(candidates, size=n_hidden, replace=False))
    ids = tokens.ids.copy()
    draw = rng.random(n_hidden)
    replaced = rng.integers(0, n_tokens, size=n_hidden)
    ids[hidden] = np.where(draw < 0.8, mask_id, np.where(draw < 0.9, replaced, ids[hidden]))
    return ids, hidden.astype(np.int64)


class TrainedMlmHead(nn.Module):
    """A checkpoint's own masked-LM head, for any architecture.

    Hugging Face's masked-LM models run their body, then their head over every token. With the
    body replaced by a stub that returns given states, the rest of the model is the head.
    """

    def __init__(self, masked_lm: PreTrainedModel) -> None:
        super().__init__()
        body = masked_lm.base_model
        setattr(masked_lm, masked_lm.base_model_prefix, _GivenStates(body))
        self.rest = masked_lm

    def forward(self, states: Tensor) -> Tensor:
        """Returns logits (M, V) from the hidden states (M, H) of masked positions."""
        return self.rest(inputs_embeds=states.unsqueeze(0)).logits.squeeze(0)  # type: ignore[no-any-return]


def load_with_head(place: Path | str) -> tuple[PreTrainedModel, TrainedMlmHead] | None:
    """Loads a body and its trained masked-LM head.

    Returns:
        None if the checkpoint holds no head, or only a part of it.
    """
    from transformers import AutoModelForMaskedLM

    try:
        model, info = AutoModelForMaskedLM.from_pretrained(
            place, dtype=torch.float32, output_loading_info=True
        )
    except ValueError:  # an architecture without masked-LM form
        return None
    missing = set(info["missing_keys"]) - _load_separate_head(place, model)
    if missing:
        return None
    body = model.base_model
    return body, TrainedMlmHead(model).eval()


def _load_separate_head(place: Path | str, model: PreTrainedModel) -> set[str]:
    """Loads a masked-LM head from a file of its own, so that the rest is a plain body.

    Returns:
        Names of all parameters of the model that have a trained value from it.
    """
    path = Path(place) / HEAD_FILE
    if not path.is_file():
        return set()
    values = load_file(path)
    model.load_state_dict(values, strict=False)
    model.tie_weights()
    named = dict(model.named_parameters(remove_duplicate=False))
    trained = {id(named[name]) for name in values if name in named}
    return {name for name, parameter in named.items() if id(parameter) in trained}


class _GivenStates(nn.Module):
    """Replaces a body; returns its input embeddings as hidden states."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self._body = (body,)  # in a tuple: not a submodule, so its weights are not this module's

    @property
    def embeddings(self) -> nn.Module:
        """Returns the body's embeddings, which some heads (DeBERTa) use."""
        return self._body[0].embeddings  # type: ignore[return-value]

    def forward(self, *_: object, inputs_embeds: Tensor, **__: object) -> tuple[Tensor]:
        """Returns the given states as a body's output."""
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
        """Returns logits (M, V) from the hidden states (M, H) of masked positions."""
        inner = self.norm(functional.gelu(self.dense(states)))
        return functional.linear(inner, self._embeddings[0].weight, self.bias)
