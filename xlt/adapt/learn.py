"""Trains an encoder on new languages through its body, and holds the source language in place.

With translations, the vector of a text is pulled to the vector that the encoder, before it
changed, gave to the translation, and told from other sentences' vectors; sentences of the source
language are held at their own old vectors. The unadapted encoder is its own teacher (knowledge
distillation as in arXiv 2004.09813), so that a sentence encoder keeps its space, which plain
masked-token training destroys. Masked-token terms on one text (MLM) or on a text and its
translation (TLM, arXiv 1901.07291) can be added.

Without translations only embedding rows that the source does not use are trained, on masked
tokens: the source's vectors cannot change.

The embeddings in use are a table of their own while training, so that a step costs the same
whatever the size of the vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xlt.adapt.folder import head_bias, masked_lm, set_bias, set_table, table_of
from xlt.adapt.lessons import Lessons, window
from xlt.adapt.options import AdaptOptions
from xlt.encoder.encoder import Encoder, longest_input
from xlt.encoder.masked_lm import mask_tokens
from xlt.encoder.pooling import mean_pool
from xlt.encoder.tokens import Tokens, pad, padded_width
from xlt.errors import DivergedError
from xlt.losses import token_mean
from xlt.pretrain.distil import contrast_bank
from xlt.training.averaging import WeightAverage
from xlt.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint

Progress = Callable[[str], None]
_SAY_EVERY_S = 15.0
_NEGATIVES = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learner:
    """The encoder with the embeddings in use as a table of their own.

    Attributes:
        encoder: Its body is trained in place.
        used: (U,) ids in use, those that never move first.
        place: (V,) position of each id in `used`, or -1.
        fixed: (F, H) embeddings that never move.
        free: (U - F, H) embeddings that are trained.
        head: From hidden states to logits over the U tokens; None: no masked tokens.
        dtype: What matrix products run in.
    """

    encoder: Encoder
    used: NDArray[np.int64]
    place: NDArray[np.int64]
    fixed: Tensor
    free: nn.Parameter
    head: MaskedHead | None
    dtype: torch.dtype

    def table(self) -> Tensor:
        """Embeddings of the tokens in use, (U, H)."""
        return torch.cat([self.fixed, self.free])

    def states(self, rows: Sequence[NDArray[np.int64]], table: Tensor) -> tuple[Tensor, Tensor]:
        """Final hidden states (B, T, H) of rows of ids, and their mask (B, T)."""
        longest = padded_width(max(map(len, rows)), longest_input(self.encoder.model))
        batch = pad([self.place[row] for row in rows], 0, width=longest).to(table.device)
        with _low(table, self.dtype):
            states = self.encoder.model(
                inputs_embeds=functional.embedding(batch.input_ids, table),
                attention_mask=batch.attention_mask,
            ).last_hidden_state
        return states, batch.attention_mask

    def vectors(self, rows: Sequence[NDArray[np.int64]], table: Tensor) -> Tensor:
        """Sentence vectors (B, H) in float32."""
        return mean_pool(*self.states(rows, table))


class MaskedHead(nn.Module):
    """Logits over the tokens in use: an encoder's own transform, or a new one, then the table."""

    def __init__(self, transform: nn.Module, bias: Tensor, last: nn.Module | None = None) -> None:
        super().__init__()
        self.transform = transform
        self.bias = nn.Parameter(bias)
        self.last = (last,)  # what stood after the transform; in a tuple: not ours
        self.stub = nn.Identity()  # stands there now

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """Logits (M, U) from states (M, H) and embeddings (U, H)."""
        logits: Tensor = functional.linear(self.transform(states), table, self.bias)
        return logits


@dataclass(slots=True, kw_only=True)
class Lap:
    """Where a training stands; `history` is what a checkpoint holds of it."""

    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def make_learner(encoder: Encoder, lessons: Lessons, options: AdaptOptions) -> Learner:
    """Takes the rows in use out of the encoder.

    Rows of special tokens and of every token that a source text uses are fixed; without any
    source text, all but the special ones are free.
    """
    table = table_of(encoder).weight.detach()
    special = [id for id in encoder.tokenizer.all_special_ids if id < len(table)]
    fixed = np.unique(_ids(lessons.sources, special))
    free = np.setdiff1d(_ids([*lessons.texts, *lessons.followed], ()), fixed)
    used = np.concatenate([fixed, free])
    place = np.full(len(table), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    at = torch.from_numpy(used)
    wants_head = options.mlm_weight > 0 and encoder.tokenizer.mask_token_id is not None
    return Learner(
        encoder=encoder,
        used=used,
        place=place,
        fixed=table[at[: len(fixed)]].clone(),
        free=nn.Parameter(table[at[len(fixed) :]].clone()),
        head=_head(encoder, at) if wants_head else None,
        dtype=encoder.forward_dtype(table.device, options.precision),
    )


def learn(
    learner: Learner,
    lessons: Lessons,
    options: AdaptOptions,
    *,
    work: Path,
    identity: str,
    progress: Progress,
) -> Lap:
    """Trains in place until the steps or the minutes are used up.

    Args:
        learner: Of `make_learner`.
        lessons: What to learn from.
        options: See `AdaptOptions`.
        work: Folder of the checkpoints; one of the same training is gone on from.
        identity: Names the training.
        progress: Called with one line now and then.

    Returns:
        Where it ended.

    Raises:
        DivergedError: If the loss is not finite.
    """
    parameters = _trainable(learner, lessons)
    start = {name: p.detach().clone() for name, p in parameters.items()} if options.anchor else {}
    optimizer = _optimizer(parameters, options)
    average = WeightAverage(parameters, kind="none", steps=options.steps, wanted=1, decay=0.0)
    state = TrainingState(parameters=parameters, buffers={}, optimizer=optimizer, average=average)
    lap = Lap()
    lap.step = load_checkpoint(work, state, lap.history, identity)
    lap.seconds = lap.history[-1]["seconds"] if lap.history else 0.0
    saved = said = time.monotonic()
    while (share := _share(lap, options)) < 1:
        began = time.monotonic()
        rng = np.random.default_rng((options.seed, lap.step))
        parts = losses(learner, lessons, options, rng)
        if not parts:
            break
        _update(parameters, optimizer, parts, share, options)
        _return(parameters, start, options.anchor)
        lap.step += 1
        lap.seconds += time.monotonic() - began
        if time.monotonic() - said > _SAY_EVERY_S:
            said = time.monotonic()
            words = " ".join(f"{name} {value.item():.3f}" for name, value in parts.items())
            progress(f"training {100 * share:.0f} % step {lap.step} {words}")
        if time.monotonic() - saved > 60 * options.checkpoint_minutes:
            saved = time.monotonic()
            _note(lap, parts)
            save_checkpoint(work, state, lap.history, step=lap.step, identity=identity)
    return lap


def put_back(learner: Learner) -> None:
    """Puts the trained rows, and the head's bias, back into the encoder."""
    encoder, at = learner.encoder, torch.from_numpy(learner.used)
    model = masked_lm(encoder)
    if model is not None and learner.head is not None and learner.head.last[0] is not None:
        _swap(model, learner.head.stub, learner.head.last[0])
    rows = table_of(encoder).weight.detach().clone()
    rows[at.to(rows.device)] = learner.table().detach()
    set_table(encoder, rows)
    bias = head_bias(encoder)
    if bias is not None and learner.head is not None:
        whole = bias.detach().clone()
        whole[at.to(whole.device)] = learner.head.bias.detach()
        set_bias(encoder, whole)


def losses(
    learner: Learner, lessons: Lessons, options: AdaptOptions, rng: np.random.Generator
) -> dict[str, Tensor]:
    """The weighted terms of one step; empty where there is nothing to learn from."""
    table = learner.table()
    parts: dict[str, Tensor] = {}
    if lessons.paired:
        parts |= _alignment(learner, lessons, options, table, rng)
    if learner.head is not None and options.mlm_weight:
        parts["masked"] = options.mlm_weight * _masked(learner, lessons, options, table, rng)
    return parts


def relative_distance(vectors: Tensor, target: Tensor, spread: Tensor) -> Tensor:
    """Mean squared distance (B, H) to (B, H) over the mean squared deviation of all targets.

    1 is what the targets' mean would give for every text; the scale of the encoder's vectors,
    and a direction that all of them share, do not count.
    """
    return (vectors - target).square().sum(dim=-1).mean() / spread


def _alignment(
    learner: Learner,
    lessons: Lessons,
    options: AdaptOptions,
    table: Tensor,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    target = lessons.target.to(table.device)
    centre = target.mean(dim=0)
    spread = (target - centre).square().sum(dim=-1).mean().clamp_min(1e-12)
    lengths = np.array([len(text) for text in lessons.texts])
    words = options.lexicon_share if lessons.words.any() else 0.0
    words = words if lessons.sentences.any() else 1.0
    held_share = options.source_share if options.hold_weight else 0.0
    budget = options.batch_tokens * (1 - held_share)
    parts: dict[str, Tensor] = {}
    groups = [
        window(lessons.sentences, lengths, budget * (1 - words), rng),
        window(lessons.words, lengths, budget * words, rng),
    ]
    groups = [group for group in groups if len(group)]
    vectors = torch.cat(
        [learner.vectors([lessons.texts[row].ids for row in group], table) for group in groups]
    )
    source = torch.from_numpy(lessons.source[np.concatenate(groups)]).to(table.device)
    parts["distance"] = options.distance_weight * relative_distance(vectors, target[source], spread)
    if options.contrast_weight:
        bank = torch.from_numpy(rng.choice(len(target), size=min(_NEGATIVES, len(target))))
        bank = bank.to(table.device)
        parts["contrast"] = options.contrast_weight * contrast_bank(
            functional.normalize(vectors - centre, dim=-1),
            functional.normalize(target[source] - centre, dim=-1),
            functional.normalize(target[bank] - centre, dim=-1),
            source[:, None] == bank[None, :],
            source[:, None] == source[None, :],
            temperature=options.temperature,
        )
    if held_share and len(lessons.held):
        even = np.zeros(len(lessons.sources))
        even[lessons.held] = 1.0
        own = np.array([len(text) for text in lessons.sources])
        rows = window(even, own, options.batch_tokens * held_share, rng)
        ours = learner.vectors([lessons.sources[row].ids for row in rows], table)
        old = target[torch.from_numpy(rows).to(table.device)]
        parts["hold"] = options.hold_weight * relative_distance(ours, old, spread)
    return parts


def _masked(
    learner: Learner,
    lessons: Lessons,
    options: AdaptOptions,
    table: Tensor,
    rng: np.random.Generator,
) -> Tensor:
    """Cross-entropy of hidden tokens, mean per token."""
    assert learner.head is not None
    chance = lessons.masked / lessons.masked.sum()
    rows = rng.choice(len(chance), size=options.masked_texts, p=chance)
    paired = (rng.random(len(rows)) < options.tlm_share) & (lessons.source[rows] >= 0)
    texts: list[Tokens] = [
        lessons.followed[row] if both else lessons.texts[row]
        for row, both in zip(rows, paired, strict=True)
    ]
    texts = [text for text in texts if not text.special.all()]
    ids, targets, spots = [], [], []
    for text in texts:
        seen, hidden = mask_tokens(
            text,
            probability=options.masked_share,
            mask_id=learner.encoder.mask_id,
            n_tokens=len(learner.used),
            rng=rng,
        )
        swapped = (seen != text.ids) & (seen != learner.encoder.mask_id)
        seen[swapped] = learner.used[seen[swapped]]  # any token in use
        ids.append(seen)
        spots.append(hidden)
        targets.append(learner.place[text.ids[hidden]])
    states, _ = learner.states(ids, table)
    line = np.concatenate([np.full(len(spot), row) for row, spot in enumerate(spots)])
    chosen = states[torch.from_numpy(line), torch.from_numpy(np.concatenate(spots))]
    with _low(table, learner.dtype):
        logits = learner.head(chosen, table)
    return token_mean(logits, torch.from_numpy(np.concatenate(targets)).to(table.device))


def _low(table: Tensor, dtype: torch.dtype) -> torch.autocast:
    """Matrix products in `dtype`, where that is bfloat16."""
    return torch.autocast(table.device.type, torch.bfloat16, dtype == torch.bfloat16)


def _head(encoder: Encoder, at: Tensor) -> MaskedHead:
    """The encoder's trained head cut to the ids `at`, or a new one."""
    model, bias = masked_lm(encoder), head_bias(encoder)
    table = table_of(encoder)
    if model is not None and bias is not None:
        last = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        head = MaskedHead(encoder.mlm or model, bias.detach()[at].clone(), last)
        _swap(model, last, head.stub)
        return head
    width = table.embedding_dim
    transform = nn.Sequential(nn.Linear(encoder.width, width), nn.GELU(), nn.LayerNorm(width))
    return MaskedHead(transform, torch.zeros(len(at))).to(table.weight.device)


def _swap(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Puts a module where another stands; Hugging Face's own setters ask for a layer with bias."""
    for name, module in list(model.named_modules()):
        if module is old:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, new)


def _ids(texts: Sequence[Tokens], more: Sequence[int]) -> NDArray[np.int64]:
    parts = [np.asarray(more, dtype=np.int64), *(text.ids for text in texts)]
    return np.unique(np.concatenate(parts))


def _trainable(learner: Learner, lessons: Lessons) -> dict[str, nn.Parameter]:
    """What is trained, by name: the free rows, the head, and with pairs the body."""
    named = {"rows": learner.free}
    if learner.head is not None:
        named |= {f"head.{name}": p for name, p in learner.head.named_parameters()}
    table = table_of(learner.encoder).weight
    body = {f"body.{n}": p for n, p in learner.encoder.model.named_parameters() if p is not table}
    for parameter in [*body.values(), table]:
        parameter.requires_grad_(lessons.paired and parameter is not table)
    return named | (body if lessons.paired else {})


def _optimizer(parameters: dict[str, nn.Parameter], options: AdaptOptions) -> torch.optim.Optimizer:
    rates = {"rows": options.row_learning_rate, "head": options.row_learning_rate}
    groups = [
        {"params": [p], "base": rates.get(name.partition(".")[0], options.body_learning_rate)}
        for name, p in parameters.items()
    ]
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.98), weight_decay=0.0)


def _update(
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    parts: dict[str, Tensor],
    share: float,
    options: AdaptOptions,
) -> None:
    total = torch.stack(list(parts.values())).sum()
    if not torch.isfinite(total):
        raise DivergedError(
            f"the loss is not finite: { ({k: v.item() for k, v in parts.items()}) }"
        )
    factor = min(1.0, (share + 1e-3) / max(options.warmup_share, 1e-3))
    for group in optimizer.param_groups:
        group["lr"] = group["base"] * factor * 0.5 * (1 + float(np.cos(np.pi * share)))
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total)
    nn.utils.clip_grad_norm_(parameters.values(), 1.0)
    optimizer.step()


@torch.no_grad()
def _return(parameters: dict[str, nn.Parameter], start: dict[str, Tensor], anchor: float) -> None:
    """Goes a share of the way back to the old weights: an L2 penalty apart from the gradient."""
    for name, old in start.items():
        parameters[name].lerp_(old, anchor)


def _share(lap: Lap, options: AdaptOptions) -> float:
    by_steps = lap.step / max(1, options.steps) if options.steps else 1.0
    return max(by_steps, lap.seconds / (60 * options.minutes)) if options.minutes else by_steps


def _note(lap: Lap, parts: dict[str, Tensor]) -> None:
    values = {name: value.item() for name, value in parts.items()}
    lap.history.append({"step": float(lap.step), "seconds": lap.seconds} | values)
