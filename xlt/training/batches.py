"""The mixed batches of a training: labelled, unlabelled and parallel rows of each step.

A step's rows depend on (seed, step) alone, so a resumed training sees the same rows as an
uninterrupted one, and every process plans the same global batch and takes its share of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlt.config import TrainConfig
from xlt.encoder.masked_lm import mask_tokens
from xlt.encoder.padding import Padded, pad, pad_words
from xlt.encoder.tokens import TokenIds, Tokens, padded_width

_EPOCH, _MASK = 1, 2  # first number of a random stream's seed: keeps streams apart

#: Texts of the pool are never cut shorter than this, in tokens.
_LEAST_CROP = 32

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedBatch:
    """One process's share of a step: labelled, masked, masked pairs, sources, targets, in order.

    Attributes:
        tokens: All rows, padded together.
        n_labelled: Number of rows of the B labelled examples; they come first.
        task_targets: (B, ...) from the task's head.
        answered: (B, C) controls that each labelled example has an answer to.
        languages: (B,) language of each labelled example.
        weights: (B,) trust in each label; 0 for an example that only fills an empty share.
        language_totals: (L, C) sum of weights by language and control over all processes.
        mlm_positions: (M,) masked positions in the flattened (rows * T) batch.
        mlm_targets: (M,) original tokens.
        mlm_total: Number of masked tokens over all processes.
        tlm_positions: As for MLM, in rows that hold a pair.
        tlm_targets: As for MLM.
        tlm_total: As for MLM.
        n_pairs: P; the last 2 P rows are P sources, then their P translations.
        pairs_total: Number of pairs over all processes.
    """

    tokens: Padded
    n_labelled: int
    task_targets: Tensor
    answered: Tensor
    languages: Tensor
    weights: Tensor
    language_totals: Tensor
    mlm_positions: Tensor
    mlm_targets: Tensor
    mlm_total: int
    tlm_positions: Tensor
    tlm_targets: Tensor
    tlm_total: int
    n_pairs: int
    pairs_total: int

    def to(self, device: torch.device) -> MixedBatch:
        """Returns the batch on another device."""
        moved = {
            name: value.to(device)
            for name in self.__slots__
            if isinstance(value := getattr(self, name), (Tensor, Padded))
        }
        return replace(self, **moved)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """The tokenised data of a training.

    Attributes:
        labelled: N examples, each the tokenised texts that are read for it; or N windows of texts.
        task_targets: (N, ...) their answers.
        answered: (N, C) controls that they have an answer to.
        languages: (N,) their languages as numbers from 0.
        weights: (N,) trust in their answers.
        unlabelled: Tokenised pool.
        unlabelled_languages: Language of each text of the pool.
        pairs: Tokenised pairs, both texts in one sequence; empty without TLM.
        sources: First texts of the pairs; empty without alignment.
        targets: Their translations.
    """

    labelled: Sequence[Sequence[Tokens]]
    task_targets: Tensor
    answered: Tensor
    languages: Tensor
    weights: Tensor
    unlabelled: Sequence[Tokens] = ()
    unlabelled_languages: Sequence[str] = ()
    pairs: Sequence[Tokens] = ()
    sources: Sequence[Tokens] = ()
    targets: Sequence[Tokens] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Special ids of a tokenizer, its size, and the longest input of its encoder."""

    pad_id: int
    mask_id: int
    n_tokens: int
    max_length: int


def balanced_probabilities(languages: Sequence[str], alpha: float) -> NDArray[np.float64]:
    """Returns probabilities of texts that draw each language with p ~ n ** alpha.

    Args:
        languages: Language of each of N > 0 texts.
        alpha: 1 for the distribution of the texts, 0 for the same probability of every language;
            XLM-R uses 0.3 (arXiv 1911.02116).

    Returns:
        (N,) summing to 1.
    """
    counts = Counter(languages)
    weights = np.array([counts[lang] ** (alpha - 1.0) for lang in languages])
    return weights / weights.sum()  # type: ignore[no-any-return]


def crop(tokens: Tokens, length: int, rng: np.random.Generator) -> Tokens:
    """Cuts a text to a random window of at most `length` tokens, special tokens included.

    So that texts of the pool do not make a batch longer than its labelled rows.
    """
    if len(tokens) <= length:
        return tokens
    inner = np.flatnonzero(~tokens.special)
    n_inner = max(length - (len(tokens) - len(inner)), 1)
    first = int(rng.integers(0, len(inner) - n_inner + 1))
    window = inner[first : first + n_inner]
    places = np.sort(np.concatenate([np.flatnonzero(tokens.special), window]))
    return Tokens(
        ids=tokens.ids[places], special=tokens.special[places], types=tokens.types[places]
    )


class Stream:
    """Plans and builds the batch of any step."""

    def __init__(
        self,
        material: Material,
        vocabulary: Vocabulary,
        config: TrainConfig,
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.material = material
        self.vocabulary = vocabulary
        self.config = config
        self.rank, self.world = rank, world
        self.steps_per_epoch = -(-len(material.labelled) // config.labelled_rows)
        self._n_unlabelled = config.unlabelled_rows if material.unlabelled else 0
        self._n_pairs = config.pair_rows if material.pairs or material.sources else 0
        self._draw = (
            balanced_probabilities(material.unlabelled_languages, config.language_alpha)
            if material.unlabelled
            else None
        )
        self._epoch: tuple[int, list[tuple[Rows, Rows, Rows]]] | None = None

    def batch(self, step: int) -> MixedBatch:
        """Returns this process's share of a step's batch."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self._plan(epoch))
        return self._build(step, *self._epoch[1][position])

    def _plan(self, epoch: int) -> list[tuple[Rows, Rows, Rows]]:
        """Plans labelled, unlabelled and pair rows of similar length for each step of an epoch.

        Every labelled row occurs exactly once. Rows are sorted by length with a little noise, so
        that batches differ from epoch to epoch and hold little padding.
        """
        rng = np.random.default_rng([_EPOCH, self.config.seed, epoch])
        n, material = self.steps_per_epoch, self.material
        everything = np.arange(len(material.labelled))
        labelled = _chunks(
            everything, [sum(map(len, texts)) for texts in material.labelled], n, rng
        )
        drawn: Rows = np.zeros(0, dtype=np.int64)
        if self._n_unlabelled:
            drawn = rng.choice(len(material.unlabelled), size=n * self._n_unlabelled, p=self._draw)
        unlabelled = _chunks(drawn, list(map(len, material.unlabelled)), n, rng)
        both = material.pairs or material.sources
        paired = rng.integers(0, max(len(both), 1), size=n * self._n_pairs)
        pairs = _chunks(paired, list(map(len, both)), n, rng)
        return [(labelled[i], unlabelled[i], pairs[i]) for i in rng.permutation(n)]

    def _build(self, step: int, labelled: Rows, unlabelled: Rows, pairs: Rows) -> MixedBatch:
        material = self.material
        rng = np.random.default_rng([_MASK, self.config.seed, step])
        longest = (len(text) for row in labelled for text in material.labelled[row])
        width = max(_LEAST_CROP, *longest)
        masked = [self._mask(crop(material.unlabelled[row], width, rng), rng) for row in unlabelled]
        masked_pairs = [self._mask(material.pairs[row], rng) for row in pairs if material.pairs]
        aligned = pairs if material.sources else pairs[:0]
        share = slice(self.rank, None, self.world)
        own = labelled[share] if len(labelled[share]) else labelled[:1]
        weights = material.weights[own] if len(labelled[share]) else torch.zeros(1)
        answered = material.answered[labelled] * material.weights[labelled][:, None]
        totals = torch.zeros(int(material.languages.max()) + 1, answered.shape[1]).index_add_(
            0, material.languages[labelled], answered
        )
        mlm, tlm = masked[share], masked_pairs[share]
        rows = [text for row in own for text in material.labelled[row]]
        n_labelled = len(rows)
        rows += [m[0] for m in (*mlm, *tlm)]
        rows += [material.sources[row] for row in aligned[share]]
        rows += [material.targets[row] for row in aligned[share]]
        types = [row.types for row in rows] if tlm else []
        width = padded_width(max(map(len, rows)), self.vocabulary.max_length)
        tokens = pad([row.ids for row in rows], self.vocabulary.pad_id, types=types, width=width)
        tokens = replace(tokens, words=pad_words(rows[:n_labelled], tokens.input_ids.shape[1]))
        mlm_positions, mlm_targets = _flat(mlm, n_labelled, width)
        tlm_positions, tlm_targets = _flat(tlm, n_labelled + len(mlm), width)
        return MixedBatch(
            tokens=tokens,
            n_labelled=n_labelled,
            task_targets=material.task_targets[own],
            answered=material.answered[own],
            languages=material.languages[own],
            weights=weights,
            language_totals=totals,
            mlm_positions=mlm_positions,
            mlm_targets=mlm_targets,
            mlm_total=sum(len(m[1]) for m in masked),
            tlm_positions=tlm_positions,
            tlm_targets=tlm_targets,
            tlm_total=sum(len(m[1]) for m in masked_pairs),
            n_pairs=len(aligned[share]),
            pairs_total=len(aligned),
        )

    def _mask(self, tokens: Tokens, rng: np.random.Generator) -> _Masked:
        ids, hidden = mask_tokens(
            tokens,
            probability=self.config.mlm_probability,
            mask_id=self.vocabulary.mask_id,
            n_tokens=self.vocabulary.n_tokens,
            rng=rng,
        )
        return replace(tokens, ids=ids), hidden, tokens.ids[hidden]


#: A text with hidden tokens, their positions, and the original tokens.
_Masked = tuple[Tokens, NDArray[np.int64], TokenIds]


def _chunks(rows: Rows, sizes: Sequence[int], n: int, rng: np.random.Generator) -> list[Rows]:
    """Cuts rows into n parts of nearly equal size, short texts first, with noise."""
    lengths = np.array([sizes[row] for row in rows], dtype=np.float64)
    order = np.argsort(lengths * rng.uniform(0.9, 1.1, size=len(rows)), kind="stable")
    return np.array_split(rows[order], n)


def _flat(masked: Sequence[_Masked], first_row: int, width: int) -> tuple[Tensor, Tensor]:
    """Returns masked positions in the flattened batch, and their targets."""
    positions = [hidden + (first_row + i) * width for i, (_, hidden, _) in enumerate(masked)]
    empty = [np.zeros(0, dtype=np.int64)]
    return (
        torch.from_numpy(np.concatenate(positions + empty)),
        torch.from_numpy(np.concatenate([targets for _, _, targets in masked] + empty)),
    )
