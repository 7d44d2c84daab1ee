"""Heads of the kinds of tasks, as modules of torch; only training and models import this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from torch import Tensor, nn

from xlt.data.examples import Example
from xlt.encoder.tokens import PaddedWords, Tokens
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
    """The torch module of a kind of task, as training and prediction use it."""

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
        """Returns logits (B, W) from final hidden states (B, T, H) and attention mask (B, T).

        A head that reads words gets the words as well, and returns logits (B, U, W).
        """

    #: Returns what is added to the input embeddings of tokens, (B, T, E), for a head that reads
    #: words; None for nothing.
    added: Callable[[PaddedWords], Tensor] | None = None

    @abstractmethod
    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of each example, (B,)."""

    @abstractmethod
    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Fits the head alone on frozen sentence vectors (N, H), weighted by (N,).

        All other values that it sets are buffers, which training does not change.
        """

    @abstractmethod
    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the fit of logits to the answers."""


def build_head(
    task: AnyTask, width: int, *, label_smoothing: float = 0.0, embedding_width: int | None = None
) -> Head:
    """Returns the untrained head for a task, for an encoder of width H.

    Args:
        task: The task.
        width: Width H of the encoder's hidden states.
        label_smoothing: In [0, 1).
        embedding_width: Width of the encoder's input embeddings; None for H.
    """
    head: Any = import_module(f"xlt.tasks.{task.kind}.head").HEAD
    more = {"embedding_width": embedding_width} if head.reads_words else {}
    built: Head = head(task, width, label_smoothing=label_smoothing, **more)
    return built
