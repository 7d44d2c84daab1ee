"""Head of spans: tags of words, a product of places and labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt.data.examples import Example
from xlt.encoder.padding import PaddedWords
from xlt.encoder.shapes import CONTEXT, context, flags, has_case, without_case
from xlt.encoder.tokens import Tokens
from xlt.encoder.words import SHAPES
from xlt.errors import DataError
from xlt.tasks.heads import Fit, Head
from xlt.tasks.logistic import fit
from xlt.tasks.outputs import Outputs
from xlt.tasks.spans.judging import credit, decode
from xlt.tasks.spans.task import Spans
from xlt.tasks.tagging import LAYERS, OUTSIDE, Answer, count_tags, layered, tags_of

_log = logging.getLogger(__name__)

#: Weight of the states where words begin and end, beside that of the shapes: what a model learns
#: of words in one language misleads it in others, but shapes are alike. More without case.
_STATES, _STATES_WITHOUT_CASE = 0.03, 0.2
#: Penalties of the warm start: of where spans are, and of their labels.
_PLACES_L2, _LABELS_L2 = 4.0, 33.0
#: Logit of "outside" in the second layer before training: few texts have overlapping spans.
_OUTSIDE_SECOND = 8.0
#: Target of a place without a word.
_NOTHING = -1
#: Mean credit from which on one answer for all texts is accepted: it is nearly always right.
_ONE_ANSWER_CREDIT = 0.8


class SpansHead(Head):
    """Places of spans, from the shapes of words; their labels, from hidden states.

    The tag of a word is a product: whether a span begins, goes on or is not there, and its label.
    Texts without case have a layer of their own for the first. The shapes of letters also reach the
    encoder's input embeddings: tokenizers that lower-case a text drop what tells names from other
    words. These weights start at zero.

    Labels are not smoothed: most words are in no span, and a share of each other tag at every word
    would be more spans than there are.
    """

    reads_words: ClassVar[bool] = True

    center: Tensor
    scale: Tensor

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
        self.shape_embedding = nn.Linear(len(SHAPES), embedding_width or width, bias=False)
        self.places = nn.Linear(CONTEXT + width, 3)
        self.places_without_case = nn.Linear(CONTEXT + width, 3)
        self.kinds = nn.Linear(width, len(task.labels))
        self.inner = nn.Linear(CONTEXT + width, self.tags)
        for layer in self.children():
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)
        nn.init.constant_(self.inner.bias[OUTSIDE], _OUTSIDE_SECOND)
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(()))

    def added(self, words: PaddedWords) -> Tensor:
        """Returns what the input embeddings of tokens get, (B, T, E): their word's shape."""
        each = self.shape_embedding(flags(words.shapes))  # (B, U, E)
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
            means = (word_means(states, words) - self.center) / self.scale
            return self.tag_logits(means, words.shapes)

    def means(self, states: Tensor, words: PaddedWords) -> Tensor:
        """Returns the mean state (B, U, H) of each word's tokens, from states (B, T, H)."""
        return word_means(states, words)

    def tag_logits(self, means: Tensor, shapes: Tensor) -> Tensor:
        """Returns logits (B, U, LAYERS * T) from scaled means (B, U, H) and shapes (B, U)."""
        around = context(shapes)
        rows = torch.cat([around, _STATES * means], dim=-1)
        places, cased = self.places(rows), has_case(shapes)
        if not cased.all():
            around = context(without_case(shapes))
            other = torch.cat([around, _STATES_WITHOUT_CASE * means], dim=-1)
            places = torch.where(cased[:, None, None], places, self.places_without_case(other))
        places = places.log_softmax(dim=-1)  # (B, U, 3): outside, begins, goes on
        kinds = self.kinds(means * means.shape[-1] ** -0.5 * 10.0).log_softmax(dim=-1)
        inside = places[..., 1:, None] + kinds[..., None, :]  # (B, U, 2, K)
        first = torch.cat([places[..., :1], inside.transpose(-1, -2).flatten(-2)], dim=-1)
        return torch.cat([first, self.inner(rows)], dim=-1)

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

    def fit_words(self, means: Tensor, shapes: Tensor, targets: Tensor, weights: Tensor) -> None:
        """Fits the first layer on frozen states, by logistic regressions (L-BFGS).

        Args:
            means: (N, U, H) mean states of the words of N rows; anything for padding.
            shapes: (N, U) their shapes; -1 for padding.
            targets: (N, U, LAYERS) their tags.
            weights: (N,) trust in the rows.
        """
        tags = targets[:, : shapes.shape[1], 0]
        own = (shapes >= 0) & (tags != _NOTHING)
        self.center.copy_(means[own].mean(dim=0))
        self.scale.copy_((means[own] - self.center).std().clamp(min=1e-6))
        means = (means - self.center) / self.scale
        chosen = own.flatten().nonzero()[:, 0]
        flat = tags.flatten()[chosen]
        each = weights[:, None].expand_as(own).flatten()[chosen]
        place = torch.where(flat == OUTSIDE, 0, 2 - flat % 2)
        for layer, share, seen in (
            (self.places, _STATES, shapes),
            (self.places_without_case, _STATES_WITHOUT_CASE, without_case(shapes)),
        ):
            around = context(seen).flatten(0, 1)[chosen]
            rows = torch.cat([around, share * means.flatten(0, 1)[chosen]], dim=-1)
            _fit(layer, rows, functional.one_hot(place, 3), each, _PLACES_L2)
        rows, kinds, each = _labelled(means, tags, weights)
        if len(kinds):
            target = functional.one_hot(kinds, len(self.labels))
            _fit(self.kinds, rows * rows.shape[-1] ** -0.5 * 10.0, target, each, _LABELS_L2)

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


def word_means(states: Tensor, words: PaddedWords) -> Tensor:
    """Returns the mean state (B, U, H) of each word's tokens, from states (B, T, H)."""
    numbers = torch.arange(words.shapes.shape[1], device=states.device)
    member = (words.of_token[:, None, :] == numbers[None, :, None]).float()  # (B, U, T)
    return member @ states.float() / member.sum(dim=-1, keepdim=True).clamp(min=1.0)


def _labelled(means: Tensor, tags: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the mean (S, H) of each span's words, its label (S,) and its weight (S,)."""
    rows, words = (tags > OUTSIDE).nonzero(as_tuple=True)
    own = tags[rows, words]
    number = (own % 2 == 1).long().cumsum(dim=0) - 1  # a span begins with an odd tag
    count = int(number.max()) + 1 if len(number) else 0
    sums = torch.zeros(count, means.shape[-1]).index_add_(0, number, means[rows, words])
    sizes = torch.bincount(number, minlength=count).clamp(min=1)
    begins = own % 2 == 1
    return sums / sizes[:, None], (own[begins] - 1) // 2, weights[rows[begins]]


def _fit(layer: nn.Linear, rows: Tensor, targets: Tensor, weights: Tensor, l2: float) -> None:
    fitted = fit(rows.numpy(), targets.numpy(), "softmax", l2=l2, weights=weights.numpy())
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(fitted.weights))
        layer.bias.copy_(torch.from_numpy(fitted.biases))


HEAD = SpansHead
