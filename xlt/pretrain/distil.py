"""Step 3: trains the student through its body towards the teacher's English sentence vectors.

The vector of a text in any language is pulled to the teacher's vector of its English translation
and pushed from those of other sentences, and the student's own English is held at the teacher's,
which never changes: knowledge distillation as in arXiv 2004.09813, with the negatives taken from
all of the teacher's vectors, which cost nothing once they are computed. Masked-token terms on one
text (MLM) or on a text and its translation (TLM) can be added, and the alignment of the student's
own vectors of a text and its translation (cosine, L2 or contrastive with in-batch negatives, with
KoLeo against collapse).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import ElectraForMaskedLM

from xlt.losses import alignment
from xlt.pretrain.lazyrows import BETAS, LazyRows
from xlt.pretrain.masking import masked_loss
from xlt.pretrain.processes import average, of_the_first
from xlt.pretrain.ragged import Ragged
from xlt.pretrain.student import mean_pool

Progress = Callable[[str], None]
_BATCHES_SORTED = 12  # drawn together and cut by length, so that little is padding
# Processors prepare a matrix product anew for every shape, which takes a third of its time and
# keeps some MB for each: batches have few shapes.
_WIDTHS, _ENGLISH_WIDTHS, _ENGLISH_TOKENS = 4, 16, 32
_MOST_ROWS = 384
_MOST_NORM = 1.0  # of the gradient


@dataclass(frozen=True, kw_only=True)
class DistilOptions:
    """How step 3 runs."""

    minutes: float = 30.0  # 0: `steps` alone decides
    steps: int = 100_000
    batch_tokens: int = 4096
    max_tokens: int = 64
    lexicon_share: float = 0.3  # of the rows of a batch
    english_share: float = 0.2  # of the tokens of a step
    language_exponent: float = 0.35
    few_texts: int = 1000  # languages with fewer are drawn in proportion to them
    body_learning_rate: float = 1e-4
    row_learning_rate: float = 5e-4
    english_row_learning_rate: float = 5e-5
    warmup_share: float = 0.03
    distance_weight: float = 1.0
    contrast_weight: float = 0.2
    english_weight: float = 1.0
    temperature: float = 0.05
    negatives: int = 1024
    masked_weight: float = 0.0
    masked_share: float = 0.15  # of the tokens of a text
    masked_rows: int = 16  # texts in a step
    paired_share: float = 0.3  # of those, how many are followed by their translation (TLM)
    align_weight: float = 0.0
    align_loss: str = "contrastive"  # or cosine, l2
    align_rows: int = 32  # texts in a step that are compared with the student's own English
    koleo_weight: float = 0.0  # within the alignment
    checkpoint_minutes: float = 5.0
    precision: str = "bf16"  # or no; fp16 would need its gradients scaled


@dataclass(frozen=True, kw_only=True)
class DistilData:
    """What step 3 reads; N texts, S English sentences."""

    texts: Ragged
    sources: Ragged
    source: NDArray[np.int32]  # (N,)
    lexicon: NDArray[np.float64]  # (N,) chance of each text in the lexicon part
    sentences: NDArray[np.float64]  # (N,) chance in the other part
    target: Tensor  # (S, H) the teacher's unit vectors
    english: NDArray[np.int32]  # rows of `sources` that are sentences
    special: tuple[int, ...]  # ids of [PAD], [UNK], [CLS], [SEP], [MASK]


@dataclass(kw_only=True)
class DistilState:
    """What a checkpoint holds besides the tensors."""

    step: int = 0
    seconds: float = 0.0
    batches: list[NDArray[np.int64]] | None = None  # drawn and not yet used


@dataclass(frozen=True, kw_only=True)
class Optimizers:
    """What moves the body, and what moves the embeddings."""

    body: torch.optim.Optimizer
    rows: LazyRows


def optimizers_for(
    student: ElectraForMaskedLM, known: NDArray[np.bool_], options: DistilOptions
) -> Optimizers:
    """Returns the optimizers of the student.

    Args:
        student: What to train.
        known: Rows of the embeddings that came from the teacher.  # (V,)
        options: Their rates.
    """
    table = student.electra.embeddings.word_embeddings.weight
    body = [p for p in student.parameters() if p is not table]
    slow = options.english_row_learning_rate / options.row_learning_rate
    return Optimizers(
        body=torch.optim.AdamW(body, lr=0.0, betas=BETAS, weight_decay=0.0, fused=True),
        rows=LazyRows(table, torch.from_numpy(np.where(known, slow, 1.0))),
    )


def distil(
    student: ElectraForMaskedLM,
    data: DistilData,
    *,
    options: DistilOptions,
    optimizers: Optimizers,
    state: DistilState,
    rng: np.random.Generator,
    accelerator: Accelerator,
    checkpoint: Callable[[DistilState], None],
    progress: Progress,
) -> DistilState:
    """Trains `student` in place until the steps or the minutes are used up.

    Args:
        student: What to train, dropout off.
        data: See `DistilData`.
        options: See `DistilOptions`.
        optimizers: From `optimizers_for`.
        state: Where to go on.
        rng: Draws batches, negatives and masks, others in every process.
        accelerator: Device, precision and processes.
        checkpoint: Called in every process, now and then and at the end, with the state to keep.
        progress: Called with one line now and then.
    """
    rows = optimizers.rows
    body = [p for group in optimizers.body.param_groups for p in group["params"]]
    draws = _Draws(data, options, rng, state)
    last_saved = last_said = time.monotonic()
    while True:
        began = time.monotonic()
        share = of_the_first(_share(state, options), accelerator)
        if share >= 1:
            break
        _set_rates(optimizers, options, share)
        parts = _losses(student, rows.look_up, data, draws.next(), options, rng, accelerator)
        accelerator.backward(sum(parts.values()))
        grads = [weight.grad for weight in body if weight.grad is not None]
        average(grads, accelerator)
        grads.append(rows.gather(accelerator))
        _clip(grads, _MOST_NORM)
        optimizers.body.step()
        rows.step()
        optimizers.body.zero_grad()
        state.step += 1
        state.seconds += time.monotonic() - began
        if time.monotonic() - last_said > 15:
            last_said = time.monotonic()
            progress(_line(state, share, parts))
        if time.monotonic() - last_saved > 60 * options.checkpoint_minutes:
            last_saved = time.monotonic()
            checkpoint(state)
    checkpoint(state)
    return state


def _losses(
    student: ElectraForMaskedLM,
    look_up: Callable[[Tensor], Tensor],
    data: DistilData,
    rows: NDArray[np.int64],
    options: DistilOptions,
    rng: np.random.Generator,
    accelerator: Accelerator,
) -> dict[str, Tensor]:
    """Returns the weighted terms of one step."""
    pad, _, first, last, _ = data.special
    limits = {"max_tokens": options.max_tokens, "pad": pad, "first": first, "last": last}
    n_english = max(1, round(options.batch_tokens * options.english_share / _ENGLISH_TOKENS))
    english = rng.choice(data.english, size=n_english)
    source = data.source[rows].astype(np.int64)
    batches = [
        data.texts.padded(rows, **limits, multiple_of=_WIDTHS),
        data.sources.padded(english, **limits, multiple_of=_ENGLISH_WIDTHS),
    ]
    if options.align_weight:
        few = source[: options.align_rows]
        batches.append(data.sources.padded(few, **limits, multiple_of=_ENGLISH_WIDTHS))
    vectors, ours, *translations = _vectors(student, look_up, batches, accelerator)
    target = data.target[torch.from_numpy(source)].to(vectors.device)
    anchor = data.target[torch.from_numpy(english.astype(np.int64))].to(vectors.device)
    negative = np.concatenate(
        [  # lexicons fill the English texts with words, which no sentence is mistaken for
            rng.choice(data.english, size=options.negatives // 2),
            rng.choice(len(data.target), size=options.negatives - options.negatives // 2),
        ]
    )
    parts = {
        "distance": options.distance_weight * _distance(vectors, target),
        "english": options.english_weight * _distance(ours, anchor),
        "contrast": options.contrast_weight
        * contrast_bank(
            vectors,
            target,
            data.target[torch.from_numpy(negative)].to(vectors.device),
            torch.from_numpy(source[:, None] == negative[None, :]).to(vectors.device),
            torch.from_numpy(source[:, None] == source[None, :]).to(vectors.device),
            temperature=options.temperature,
        ),
    }
    if options.align_weight:
        parts["align"] = options.align_weight * alignment(
            vectors[: len(translations[0])], translations[0], kind=options.align_loss,
            temperature=options.temperature, koleo_weight=options.koleo_weight,
        )  # fmt: skip
    if options.masked_weight:
        parts["masked"] = options.masked_weight * masked_loss(
            student, data.texts, data.sources, data.source, rows[: options.masked_rows],
            special=data.special, masked_share=options.masked_share,
            paired_share=options.paired_share, max_tokens=options.max_tokens, rng=rng,
            accelerator=accelerator,
        )  # fmt: skip
    return parts


def contrast_bank(
    vectors: Tensor,
    target: Tensor,
    bank: Tensor,
    same_bank: Tensor,
    same_batch: Tensor,
    *,
    temperature: float,
) -> Tensor:
    """Returns InfoNCE of unit vectors against the batch's targets and a bank of others.

    Args:
        vectors: The student's.  # (B, H)
        target: The teacher's, of the translation of each.  # (B, H)
        bank: The teacher's, of any sentences.  # (M, H)
        same_bank: Where a sentence of the bank is the right one.  # (B, M)
        same_batch: Where two rows translate the same sentence.  # (B, B)
        temperature: Divides the cosines.
    """
    own = (vectors * target).sum(dim=-1, keepdim=True)
    batch = (vectors @ target.T).masked_fill(same_batch, float("-inf"))
    others = (vectors @ bank.T).masked_fill(same_bank, float("-inf"))
    scores = torch.cat([own, batch, others], dim=1) / temperature
    right = torch.zeros(len(vectors), dtype=torch.long, device=vectors.device)
    return F.cross_entropy(scores, right)


def _distance(vectors: Tensor, target: Tensor) -> Tensor:
    """Returns the mean squared distance of unit vectors, 0 to 4."""
    return (vectors - target).pow(2).sum(dim=-1).mean()


def _vectors(
    student: ElectraForMaskedLM,
    look_up: Callable[[Tensor], Tensor],
    batches: Sequence[tuple[Tensor, Tensor]],
    accelerator: Accelerator,
) -> list[Tensor]:
    """Returns the unit vectors of each batch of ids and masks: (B, H) each."""
    placed = [(i.to(accelerator.device), mask.to(accelerator.device)) for i, mask in batches]
    found = []
    with accelerator.autocast():
        for ids, mask in placed:
            rows = look_up(ids.flatten()).view(*ids.shape, -1)
            hidden = student.electra(inputs_embeds=rows, attention_mask=mask).last_hidden_state
            found.append(F.normalize(mean_pool(hidden.float(), mask), dim=-1))
    return found


class _Draws:
    """Batches of text rows of like length, each of about `batch_tokens` tokens."""

    def __init__(
        self, data: DistilData, options: DistilOptions, rng: np.random.Generator, state: DistilState
    ) -> None:
        self._data, self._options, self._rng, self._state = data, options, rng, state
        self._lengths = np.minimum(data.texts.lengths() + 2, options.max_tokens)
        self._cumulative = [np.cumsum(chance) for chance in (data.lexicon, data.sentences)]

    def next(self) -> NDArray[np.int64]:
        """Returns the rows of the next batch: (B,)."""
        if not self._state.batches:
            self._state.batches = list(self._refill())
        rows: NDArray[np.int64] = self._state.batches.pop()
        return rows

    def _refill(self) -> Iterator[NDArray[np.int64]]:
        options = self._options
        total = _BATCHES_SORTED * options.batch_tokens
        n_rows = int(total / max(4.0, self._mean_length()))
        n_words = round(n_rows * options.lexicon_share)
        drawn = np.concatenate([self._draw(0, n_words), self._draw(1, n_rows - n_words)])
        drawn = drawn[np.argsort(-self._lengths[drawn], kind="stable")]
        batches: list[NDArray[np.int64]] = []
        while len(drawn):
            width = -(-int(self._lengths[drawn[0]]) // _WIDTHS) * _WIDTHS
            size = min(_MOST_ROWS, max(1, options.batch_tokens // width))
            if size <= len(drawn) or not batches:  # what is left over is drawn another time
                batches.append(drawn[:size])
            drawn = drawn[size:]
        for row in self._rng.permutation(len(batches)):
            yield batches[row]

    def _draw(self, part: int, size: int) -> NDArray[np.int64]:
        cumulative = self._cumulative[part]
        if not size or not cumulative[-1]:
            return np.zeros(0, dtype=np.int64)
        spots = self._rng.random(size) * cumulative[-1]
        rows: NDArray[np.int64] = np.searchsorted(cumulative, spots, side="right")
        return rows

    def _mean_length(self) -> float:
        words = self._options.lexicon_share
        sentences = float(self._lengths @ self._data.sentences) / max(
            float(self._data.sentences.sum()), 1e-9
        )
        return words * 5.0 + (1 - words) * sentences


def _share(state: DistilState, options: DistilOptions) -> float:
    by_steps = state.step / options.steps if options.steps else 1.0
    return max(by_steps, state.seconds / (60 * options.minutes)) if options.minutes else by_steps


def _set_rates(optimizers: Optimizers, options: DistilOptions, share: float) -> None:
    """Sets rates that rise over the warm-up and fall to 0 as half a cosine."""
    rise = min(1.0, (share + 1e-3) / max(options.warmup_share, 1e-3))
    factor = rise * 0.5 * (1 + float(np.cos(np.pi * share)))
    optimizers.body.param_groups[0]["lr"] = options.body_learning_rate * factor
    optimizers.rows.param_groups[0]["lr"] = options.row_learning_rate * factor


def _clip(grads: Sequence[Tensor], most: float) -> None:
    """Shortens gradients, in place, to `most` in all."""
    norm = torch.nn.utils.get_total_norm(grads)
    for grad in grads:
        grad.mul_((most / (norm + 1e-6)).clamp(max=1.0))


def _line(state: DistilState, share: float, parts: dict[str, Tensor]) -> str:
    losses = " ".join(f"{name} {value.item():.3f}" for name, value in parts.items())
    return f"distil {100 * share:.0f} % step {state.step} {losses}"
