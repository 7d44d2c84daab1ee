"""Heads of the kinds of tasks, as modules of torch; only training and models import this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from xlt.data.examples import Example
from xlt.encoder.padding import PaddedWords
from xlt.encoder.together import combined_width
from xlt.encoder.tokens import Tokens
from xlt.tasks.task import AnyTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Fit of logits to answers.

    Attributes:
        accuracy: Mean credit of the decisions.
        collapsed: True if all predictions are the same, though the answers differ.
    """

    accuracy: float
    collapsed: bool


class Head(nn.Module, ABC):
    """The torch module of a kind of task, as training and prediction use it.

    Attributes:
        apart: True if texts that belong together are read apart; otherwise they are one sequence.
        texts: Number of rows that are read for an example.
    """

    apart: ClassVar[bool] = False
    texts: int = 1

    #: Whether outputs are one row per word of a text, so that the whole text must be read.
    reads_words: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, task: Any, width: int, *, label_smoothing: float = 0.0) -> None:  # noqa: ANN401 - the kind's own task
        super().__init__()

    @abstractmethod
    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns answers as a tensor whose first dimension is B."""

    def row_targets(self, examples: Sequence[Example], rows: Sequence[Tokens]) -> Tensor:
        """Returns the answers of B rows, which are texts of examples or windows of them."""
        return self.targets(examples)

    @abstractmethod
    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Returns logits (B, W) from hidden states (B texts, T, H) and attention mask (B texts, T).

        The rows of an example follow one another. A head that reads words gets the words as well,
        and returns logits (B, U, W).
        """

    #: Returns what is added to the input embeddings of tokens, (B, T, E), for a head that reads
    #: words; None for nothing.
    added: Callable[[PaddedWords], Tensor] | None = None

    def of_vectors(self, vectors: Tensor) -> Tensor:
        """Returns logits (B, W) from the mean vector of each text (B texts, H), read apart."""
        mask = torch.ones(len(vectors), 1, dtype=torch.int64, device=vectors.device)
        logits: Tensor = self(vectors[:, None], mask)
        return logits

    @abstractmethod
    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of each example, (B,)."""

    def control_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of each control, (B, C); C is 1 unless the task has several parts."""
        return self.losses(logits, targets)[:, None]

    def answered(self, targets: Tensor) -> Tensor:
        """Returns which controls each example has an answer to, (B, C)."""
        return torch.ones(len(targets), 1, dtype=torch.bool, device=targets.device)

    @abstractmethod
    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Fits the head alone on frozen sentence vectors (N, D), weighted by (N,).

        All other values that it sets are buffers, which training does not change.
        """

    @abstractmethod
    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the fit of logits to the answers."""


def build_head(
    task: AnyTask,
    width: int,
    *,
    texts: int = 1,
    label_smoothing: float = 0.0,
    embedding_width: int | None = None,
) -> Head:
    """Returns the untrained head for a task.

    Args:
        task: The task.
        width: H, the encoder's.
        texts: Number of texts of an example.
        label_smoothing: Share of the target spread over all labels.
        embedding_width: Width of the encoder's input embeddings; None for H.
    """
    kind: Any = import_module(f"xlt.tasks.{task.kind}.head").HEAD
    rows = texts if kind.apart else 1
    more = {"embedding_width": embedding_width} if kind.reads_words else {}
    head: Head = kind(task, combined_width(width, rows), label_smoothing=label_smoothing, **more)
    head.texts = rows
    return head
