"""Step 3: trains the student's body towards the teacher's English sentence vectors.

The vector of a text in any language is pulled to the teacher's vector of its English translation
and pushed from those of other sentences; English texts are held at the teacher's vectors. The
teacher never changes. This is knowledge distillation as in arXiv 2004.09813, with negatives from
all of the teacher's vectors, which are computed once. Two kinds of terms can be added: masked
tokens of a text (MLM) or of a text and its translation (TLM), and the alignment of the student's
own vectors of a text and its translation (cosine, L2, or contrastive with in-batch negatives, and
KoLeo against collapse).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from torch import Tensor
from transformers import ElectraForMaskedLM

from xlt.pretrain.distil.batches import BatchQueue, DistilData, DistilState
from xlt.pretrain.distil.lazy_adam import BETAS, LazyAdam
from xlt.pretrain.distil.losses import step_losses
from xlt.pretrain.distil.options import DistilOptions
from xlt.pretrain.distributed import average, of_the_first

Progress = Callable[[str], None]
_MOST_NORM = 1.0  # of the gradient


@dataclass(frozen=True, kw_only=True)
class Optimizers:
    """The optimizers of the body and of the embeddings."""

    body: torch.optim.Optimizer
    rows: LazyAdam


def optimizers_for(
    student: ElectraForMaskedLM, known: NDArray[np.bool_], options: DistilOptions
) -> Optimizers:
    """Returns the optimizers of the student.

    Args:
        student: The student.
        known: True for embeddings of the teacher.  # (V,)
        options: Learning rates.
    """
    table = student.electra.embeddings.word_embeddings.weight
    body = [p for p in student.parameters() if p is not table]
    slow = options.english_row_learning_rate / options.row_learning_rate
    return Optimizers(
        body=torch.optim.AdamW(body, lr=0.0, betas=BETAS, weight_decay=0.0, fused=True),
        rows=LazyAdam(table, torch.from_numpy(np.where(known, slow, 1.0))),
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
        student: The student, without dropout.
        data: See `DistilData`.
        options: See `DistilOptions`.
        optimizers: From `optimizers_for`.
        state: Where to continue.
        rng: Draws batches, negatives and hidden tokens, different ones in every process.
        accelerator: Device, precision and processes.
        checkpoint: Called in every process, now and then and at the end, with the state.
        progress: Called with one line now and then.

    Returns:
        The state at the end.
    """
    rows = optimizers.rows
    body = [p for group in optimizers.body.param_groups for p in group["params"]]
    queue = BatchQueue(data, options, rng, state)
    last_saved = last_reported = time.monotonic()
    while True:
        started = time.monotonic()
        share = of_the_first(_share(state, options), accelerator)
        if share >= 1:
            break
        _set_rates(optimizers, options, share)
        terms = step_losses(student, rows.look_up, data, queue.next(), options, rng, accelerator)
        accelerator.backward(sum(terms.values()))
        grads = [weight.grad for weight in body if weight.grad is not None]
        average(grads, accelerator)
        grads.append(rows.gather(accelerator))
        _clip(grads, _MOST_NORM)
        optimizers.body.step()
        rows.step()
        optimizers.body.zero_grad()
        state.step += 1
        state.seconds += time.monotonic() - started
        if time.monotonic() - last_reported > 15:
            last_reported = time.monotonic()
            progress(_line(state, share, terms))
        if time.monotonic() - last_saved > 60 * options.checkpoint_minutes:
            last_saved = time.monotonic()
            checkpoint(state)
    checkpoint(state)
    return state


def _share(state: DistilState, options: DistilOptions) -> float:
    by_steps = state.step / options.steps if options.steps else 1.0
    return max(by_steps, state.seconds / (60 * options.minutes)) if options.minutes else by_steps


def _set_rates(optimizers: Optimizers, options: DistilOptions, share: float) -> None:
    """Sets rates that rise in the warm-up and fall to 0 as half a cosine."""
    rise = min(1.0, (share + 1e-3) / max(options.warmup_share, 1e-3))
    factor = rise * 0.5 * (1 + float(np.cos(np.pi * share)))
    optimizers.body.param_groups[0]["lr"] = options.body_learning_rate * factor
    optimizers.rows.param_groups[0]["lr"] = options.row_learning_rate * factor


def _clip(grads: Sequence[Tensor], most: float) -> None:
    """Scales gradients, in place, to a total norm of at most `most`."""
    norm = torch.nn.utils.get_total_norm(grads)
    for grad in grads:
        grad.mul_((most / (norm + 1e-6)).clamp(max=1.0))


def _line(state: DistilState, share: float, terms: dict[str, Tensor]) -> str:
    losses = " ".join(f"{name} {value.item():.3f}" for name, value in terms.items())
    return f"distil {100 * share:.0f} % step {state.step} {losses}"
