"""Reads tokenised texts with an encoder's body, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from xlt.encoder.padding import Padded, PaddedWords, pad, pad_words
from xlt.encoder.pooling import mean_pool
from xlt.encoder.together import apart
from xlt.encoder.tokens import Input, TextTokenizer, Tokens, budget_batches, padded_width

#: (words of B rows) -> what is added to the input embeddings of their tokens, (B, T, E).
Added = Callable[[PaddedWords], Tensor]


def longest_input(body: PreTrainedModel) -> int:
    """Returns the length of the longest input that the position embeddings allow, in tokens.

    The RoBERTa family counts positions from padding_idx + 1, so its limit is lower by that.
    """
    for name, module in body.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - first
    return int(getattr(body.config, "max_position_embeddings", 0) or 512)


def each_batch(
    body: PreTrainedModel,
    tokens: Sequence[Tokens],
    pad_id: int,
    *,
    batch_tokens: int,
    dtype: torch.dtype,
    added: Added | None = None,
    layers: Sequence[int] = (),
) -> Iterator[tuple[list[int], Tensor, Padded]]:
    """Reads texts sorted by length, batch by batch.

    Args:
        body: The encoder's body.
        tokens: N tokenised texts.
        pad_id: Id of the padding token.
        batch_tokens: Padded tokens per forward pass.
        dtype: Type of the matrix products.
        added: Returns what is added to the input embeddings; None for nothing.
        layers: Numbers of further layers whose states are wanted, from 0 for the embeddings.

    Yields:
        Positions of the batch's texts, states (B, T, (len(layers) + 1) H), and the batch. The
        states of the layers are side by side, those of the final layer last.
    """
    device, limit = body.device, longest_input(body)
    widths = [padded_width(len(row), limit) for row in tokens]
    for rows in budget_batches(widths, batch_tokens):
        own, width = [tokens[row] for row in rows], widths[rows[0]]
        batch = pad([row.ids for row in own], pad_id, width=width)
        batch = replace(batch, words=pad_words(own, batch.input_ids.shape[1])).to(device)
        low = torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
        with torch.inference_mode(), low:
            read = body(**inputs_of(body, batch, added), output_hidden_states=bool(layers))
        states = read.last_hidden_state
        if layers:
            states = torch.cat([*(read.hidden_states[layer] for layer in layers), states], dim=-1)
        yield rows, states, batch


def inputs_of(body: nn.Module, batch: Padded, added: Added | None) -> dict[str, Tensor]:
    """Returns the keyword arguments of a body; those rows that have words get the added numbers.

    Args:
        body: The encoder's body.
        batch: B rows; the words are those of the first of them.
        added: Returns what is added to the input embeddings; None for nothing.
    """
    inputs = batch.inputs()
    if added is None or batch.words is None:
        return inputs
    embeddings = body.get_input_embeddings()(inputs.pop("input_ids"))  # type: ignore[operator]
    more = added(batch.words)
    rest = len(embeddings) - len(more)
    inputs["inputs_embeds"] = embeddings + functional.pad(more, (0, 0, 0, 0, 0, rest))
    return inputs


def read_apart(
    body: PreTrainedModel,
    tokenize: TextTokenizer,
    inputs: Sequence[Input],
    pad_id: int,
    *,
    batch_tokens: int,
    dtype: torch.dtype,
    layers: Sequence[int] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> NDArray[np.float32]:
    """Reads the texts of each input apart, each distinct text once.

    Args:
        body: The encoder's body.
        tokenize: Its tokenizer.
        inputs: N texts, or N times K texts that belong together; may be empty.
        pad_id: Id of the padding token.
        batch_tokens: Padded tokens per forward pass.
        dtype: Type of the matrix products.
        layers: Numbers of further layers, from 0 for the embeddings.
        progress: Called with the number of inputs done and N, after every batch.

    Returns:
        (N, K, L, H) float32: the mean over the tokens of each of the layers, and of the final one.

    Raises:
        DataError: If the number of texts that belong together varies.
    """
    each, together = apart(inputs)
    distinct = {text: row for row, text in enumerate(dict.fromkeys(each))}
    width, done = int(body.config.hidden_size), 0
    vectors = np.zeros((len(distinct), (len(layers) + 1) * width), dtype=np.float32)
    for rows, states, batch in each_batch(
        body,
        tokenize(list(distinct)),
        pad_id,
        batch_tokens=batch_tokens,
        dtype=dtype,
        layers=layers,
    ):
        with torch.inference_mode():
            vectors[rows] = mean_pool(states, batch.attention_mask).cpu().numpy()
        done += len(rows)
        progress(done * len(inputs) // len(distinct), len(inputs))
    places = [distinct[text] for text in each]
    return vectors[places].reshape(-1, together, len(layers) + 1, width)
