"""Head: tags of words, from their mean hidden states and letter shapes and those of neighbours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt.data.examples import Example
from xlt.encoder.tokens import PaddedWords, Tokens
from xlt.encoder.words import SHAPES
from xlt.errors import DataError
from xlt.tasks.heads import Fit, Head
from xlt.tasks.outputs import Outputs
from xlt.tasks.spans.judging import credit, decode
from xlt.tasks.spans.task import Spans
from xlt.tasks.tagging import LAYERS, OUTSIDE, Answer, count_tags, layered, tags_of

_log = logging.getLogger(__name__)

#: Width of the hidden layer.
_HIDDEN = 192
#: Words to the left and to the right that a decision sees, beside what the encoder has read.
_NEIGHBOURS = 1
#: A shape's number where it is set: its weights then grow as fast as those of the states.
_SHAPE = 5.0
#: Logit of "outside" in the second layer before training: few texts have overlapping spans.
_OUTSIDE_SECOND = 8.0
#: Target of a place without a word.
_NOTHING = -1
#: Mean credit from which on one answer for all texts is accepted: it is nearly always right.
_ONE_ANSWER_CREDIT = 0.8


class SpansHead(Head):
    """One hidden layer over a word and its neighbours, then the tags of each layer.

    Tokenizers that lower-case a text drop what tells names from other words, so the shapes of the
    letters reach the encoder's input embeddings and the hidden layer. They start at zero.

    Labels are not smoothed: most words are in no span, and a share of each other tag at every word
    would be more spans than there are.
    """

    reads_words: ClassVar[bool] = True

    def __init__(
        self,
        task: Spans,
        width: int,
        *,
        label_smoothing: float = 0.0,
        embedding_width: int | None = None,
    ) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.labels = task.labels
        self.tags = count_tags(task.labels)
        seen = 2 * _NEIGHBOURS + 1
        self.shape_embedding = nn.Linear(len(SHAPES), embedding_width or width, bias=False)
        self.states = nn.Linear(seen * width, _HIDDEN)
        self.shapes = nn.Linear(seen * len(SHAPES), _HIDDEN, bias=False)
        self.linear = nn.Linear(_HIDDEN, task.width)
        for layer in (self.shape_embedding, self.shapes, self.linear):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.linear.bias)
        with torch.no_grad():
            self.linear.bias[self.tags + OUTSIDE :: self.tags] = _OUTSIDE_SECOND

    def added(self, words: PaddedWords) -> Tensor:
        """Returns what the input embeddings of tokens get, (B, T, E): their word's shape."""
        each = self.shape_embedding(_flags(words.shapes))  # (B, U, E)
        rows = torch.cat([torch.zeros_like(each[:, :1]), each], dim=1)
        index = (words.of_token + 1)[..., None].expand(-1, -1, rows.shape[-1])
        return rows.gather(1, index)

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns targets of texts without words; see `row_targets`."""
        self._answers(examples)
        return torch.full((len(examples), 1, LAYERS), _NOTHING)

    def row_targets(self, examples: Sequence[Example], rows: Sequence[Tokens]) -> Tensor:
        """Returns the tags of the words of each row, (B, U, LAYERS) int64; -1 for no word.

        Raises:
            DataError: If an example has no answer, or a label that is not of the task.
        """
        words = [row.words for row in rows if row.words is not None]
        tags = [
            tags_of(answer, own.where, self.labels)
            for answer, own in zip(self._answers(examples), words, strict=True)
        ]
        most = max([1, *map(len, tags)])
        targets = np.full((len(tags), most, LAYERS), _NOTHING, dtype=np.int64)
        for place, row in enumerate(tags):
            targets[place, : len(row)] = row
        return torch.from_numpy(targets)

    def _answers(self, examples: Sequence[Example]) -> list[Answer]:
        answers: list[Answer] = []
        for example in examples:
            if not isinstance(example.answer, tuple):
                raise DataError(f"example {example.id!r} has no label")
            unknown = [span.label for span in example.answer if span.label not in self.labels]
            if unknown:
                raise DataError(f"unknown label {unknown[0]!r}; labels: {list(self.labels)}")
            answers.append(example.answer)
        unlearned = sum(layered(answer)[1] for answer in set(answers))
        if unlearned:
            _log.warning("%d spans that lie in spans that lie in others are not learned", unlearned)
        return answers

    def forward(self, states: Tensor, mask: Tensor, words: PaddedWords | None = None) -> Tensor:
        """Returns logits (B, U, LAYERS * T) in float32 of the words of each row."""
        assert words is not None
        with torch.autocast(states.device.type, enabled=False):
            count = words.shapes.shape[1]
            numbers = torch.arange(count, device=states.device)
            member = (words.of_token[:, None, :] == numbers[None, :, None]).float()  # (B, U, T)
            means = member @ states.float() / member.sum(dim=-1, keepdim=True).clamp(min=1.0)
            means = functional.layer_norm(means, means.shape[-1:])
            hidden = self.states(_with_neighbours(means))
            hidden = hidden + self.shapes(_with_neighbours(_flags(words.shapes)))
            return self.linear(functional.gelu(hidden))  # type: ignore[no-any-return]

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the cross-entropies of each row's words, (B,).

        They are scaled so that their mean over rows is the mean over words: a long text counts
        more than a short one.
        """
        targets = targets[:, : logits.shape[1]]
        each = functional.cross_entropy(
            logits.float().reshape(-1, self.tags),
            targets.reshape(-1),
            reduction="none",
            ignore_index=_NOTHING,
        ).reshape(len(targets), -1)
        words = (targets[..., 0] != _NOTHING).sum()
        return each.sum(dim=1) * len(targets) / words.clamp(min=1)

    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Does nothing: sentence vectors do not tell where spans are."""

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the mean credit of words' spans; collapsed as `_ONE_ANSWER_CREDIT` defines.

        A model that marks nothing has not collapsed: with few labels, that earns most.
        """
        targets = targets[:, : logits.shape[1]]
        lengths = (targets[..., 0] != _NOTHING).sum(dim=1)
        own = targets[..., 0] != _NOTHING
        starts = np.concatenate([[0], lengths.cumsum(0).numpy()]).astype(np.int64)
        places = np.concatenate([np.arange(n) for n in lengths.tolist()] + [np.zeros(0)])
        where = np.stack([places, places + 1], axis=1).astype(np.int64)

        def answers(p: Tensor) -> list[object]:
            flat = p.reshape(len(p), -1).double().numpy()
            return [s.answer for s in decode(Outputs(flat, starts, where), self.labels)]

        layers = logits.reshape(*logits.shape[:2], LAYERS, self.tags)[:, : targets.shape[1]]
        predicted = answers(torch.softmax(layers[own].double(), dim=-1))
        truth = answers(functional.one_hot(targets[own], self.tags))
        mean = float(credit(truth, predicted).mean())  # type: ignore[arg-type]
        same = len(set(predicted)) == 1 and predicted[0] != ()
        return Fit(accuracy=mean, collapsed=same and mean < _ONE_ANSWER_CREDIT)


def _flags(shapes: Tensor) -> Tensor:
    """Returns the bits of shapes (B, U) as numbers (B, U, F), 0 or `_SHAPE`; 0 for padding."""
    bits = torch.arange(len(SHAPES), device=shapes.device)
    return _SHAPE * ((shapes.clamp(min=0)[..., None] >> bits) & 1).float()


def _with_neighbours(rows: Tensor) -> Tensor:
    """Returns each word's numbers (B, U, D) with those of its neighbours, (B, U, seen * D)."""
    padded = functional.pad(rows, (0, 0, _NEIGHBOURS, _NEIGHBOURS))
    count = rows.shape[1]
    shifted = [padded[:, shift : shift + count] for shift in range(2 * _NEIGHBOURS + 1)]
    return torch.cat(shifted, dim=-1)


HEAD = SpansHead
