"""Integrated gradients at the embeddings and the n-grams (Sundararajan, Taly, Yan 2017, eq. 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlt.data.examples import Example
from xlt.explain.explanation import (
    Completeness,
    Explanation,
    Word,
    label_to_explain,
    words_of,
)
from xlt.explain.network import Network, ReadText
from xlt.explain.ngrams import by_character
from xlt.tasks.outputs import Outputs

#: Points on the path: the next number is tried while the scores do not add up.
STEPS = (8, 16, 32, 64, 128)
_BATCH_TOKENS = 2048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attributed:
    """Contributions of tokens and n-grams to the difference of two scores.

    Attributes:
        tokens: (T,) of each token.
        ngrams: (G,) of each column of n-grams.
        completeness: Their sum beside the difference.
    """

    tokens: NDArray[np.float64]
    ngrams: NDArray[np.float64]
    completeness: Completeness


def by_gradients(
    network: Network, example: Example, label: str | None = None, *, steps: Sequence[int] = STEPS
) -> Explanation:
    """Explains a label by integrated gradients from the mask token and from no n-grams.

    Args:
        network: The model.
        example: An example of one text.
        label: One of the task's labels; None for the one that the model suggests.
        steps: Numbers of points on the path, tried in turn until the scores add up.

    Raises:
        ConfigError: If there is no such label.
        DataError: If the text has no words or too many.
    """
    words, text = words_of(example), network.read(example)
    with torch.inference_mode():
        logits = network.logits(text, text.embeddings[None], text.ngrams.sum(0)[None])
    outputs = Outputs(logits.numpy())
    beliefs = network.task.beliefs(outputs, [example.lang], network.calibration)
    suggestion = network.task.decode(beliefs)[0]
    name = label_to_explain(network.task, suggestion, label)
    column = network.task.labels.index(name)
    for count in steps:
        found = attributed(network, text, column, count)
        if found.completeness.is_complete:
            break
    return Explanation(
        example=example,
        suggestion=suggestion,
        label=name,
        words=_scored(words, _by_character(example.text, text, found)),
        completeness=found.completeness,
    )


def attributed(network: Network, text: ReadText, column: int, steps: int) -> Attributed:
    """Integrates the gradients of a label's log-odds along the straight path to a text.

    Args:
        network: The model.
        text: The text.
        column: Number of the label.
        steps: Points on the path, those of Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    start = network.baseline(text)
    way, ngrams = text.embeddings - start, text.ngrams.sum(0)
    at_tokens, at_ngrams = torch.zeros_like(way), torch.zeros_like(ngrams)
    rows = max(_BATCH_TOKENS // len(way), 1)
    for first in range(0, steps, rows):
        chunk = slice(first, first + rows)
        at = torch.from_numpy((nodes[chunk] + 1) / 2).float()
        weight = torch.from_numpy(weights[chunk] / 2).float()
        embeddings = (start + at[:, None, None] * way).requires_grad_()
        added = (at[:, None] * ngrams).requires_grad_()
        scores = _log_odds(network, network.logits(text, embeddings, added), text.lang, column)
        slopes = torch.autograd.grad(scores.sum(), [embeddings, added])
        at_tokens += (weight[:, None, None] * slopes[0]).sum(0)
        at_ngrams += (weight[:, None] * slopes[1]).sum(0)
    tokens = (at_tokens * way).sum(-1).double().numpy()
    columns = (text.ngrams @ at_ngrams).double().numpy()
    with torch.inference_mode():
        ends = torch.stack([text.embeddings, start])
        logits = network.logits(text, ends, torch.stack([ngrams, torch.zeros_like(ngrams)]))
        score, baseline = _log_odds(network, logits, text.lang, column).tolist()
    total = float(tokens.sum() + columns.sum())
    return Attributed(
        tokens=tokens,
        ngrams=columns,
        completeness=Completeness(score=score, baseline=baseline, attributed=total, steps=steps),
    )


def _log_odds(network: Network, logits: Tensor, lang: str, column: int) -> Tensor:
    """Returns the log-odds (S,) of a label's calibrated probability by logits (S, W)."""
    scaled = logits / network.calibration.temperature(lang)
    if network.task.link == "sigmoid":
        return scaled[:, column]
    others = [number for number in range(scaled.shape[1]) if number != column]
    return scaled[:, column] - scaled[:, others].logsumexp(dim=1)


def _by_character(text: str, read: ReadText, found: Attributed) -> NDArray[np.float64]:
    """Returns the contribution of each code point; a token's is shared by its characters."""
    credit = dict(zip(read.columns.tolist(), found.ngrams.tolist(), strict=True))
    scores = by_character(text, credit)
    for (start, end), contribution in zip(read.offsets.tolist(), found.tokens, strict=True):
        own = [at for at in range(start, end) if not text[at].isspace()]
        if own:
            scores[own] += contribution / len(own)
    return scores


def _scored(words: Sequence[Word], scores: NDArray[np.float64]) -> tuple[Word, ...]:
    return tuple(replace(w, score=float(scores[w.start : w.end].sum())) for w in words)
