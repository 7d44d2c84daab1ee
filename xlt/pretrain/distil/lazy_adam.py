"""Lazy Adam, for a large table of embeddings of which a step looks up a few thousand rows.

Autograd and Adam process the whole table at each step, 320,000 rows for 2,000 tokens, which takes
longer than the body. Here only the rows that were looked up are updated, by the amount by which
Adam (arXiv 1412.6980) would move them in this step and in all later steps until the next look-up.
"""

from __future__ import annotations

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from torch import Tensor

BETAS = (0.9, 0.98)
_EPSILON = 1e-8


class LazyAdam(torch.optim.Optimizer):
    """Looks up rows of a table and updates those rows alone.

    Let b1 and b2 be the decays, g a row's gradient, and v its mean square including g. If all later
    gradients are 0, Adam moves the row after k steps by (1 - b1) b1^k g / sqrt(b2^k v); the sum
    over k is (1 - b1) / (1 - b1 / sqrt(b2)) g / sqrt(v). The mean square also decays in steps that
    do not look the row up, which is applied at the next look-up. A row that is looked up at every
    step moves a tenth further than with Adam, and without momentum.

    Args:
        table: The embeddings.  # (V, r)
        rate: Factor of each row's learning rate.  # (V,)
    """

    def __init__(self, table: Tensor, rate: Tensor) -> None:
        super().__init__([table], {"lr": 0.0})
        self._table, self._rate = table, rate.to(table.device, table.dtype)
        self._looked_up: list[tuple[Tensor, Tensor]] = []
        self._gathered: tuple[Tensor | None, Tensor] | None = None
        self.state[table] = {
            "square": torch.zeros_like(table),
            "last": torch.zeros(
                len(table), device=table.device
            ),  # step of the last look-up; loading makes it float
            "step": torch.zeros((), dtype=torch.int64),
        }

    def look_up(self, ids: Tensor) -> Tensor:
        """Returns the rows (T, r) of ids (T,) as a leaf that receives their gradient."""
        rows = self._table.detach()[ids].requires_grad_()
        self._looked_up.append((ids, rows))
        return rows

    def gather(self, accelerator: Accelerator) -> Tensor:
        """Returns the gradient for `step`, the mean over processes, to be clipped in place.

        It is that of the U rows looked up, (U, r), or of the whole table, (V, r), if another part
        of the model has a gradient for the table.
        """
        ids = torch.cat([ids for ids, _ in self._looked_up])
        grads = torch.cat(
            [
                torch.zeros_like(rows) if rows.grad is None else rows.grad
                for _, rows in self._looked_up
            ]
        )
        rows: Tensor | None = None
        if self._table.grad is not None:
            grad = self._table.grad.index_add_(0, ids, grads)
        else:
            rows = _of_all(ids, accelerator)
            grad = torch.zeros(len(rows), grads.shape[1], device=ids.device)
            grad.index_add_(0, torch.searchsorted(rows, ids), grads)
        if accelerator.num_processes > 1:  # the same bits in all, whatever the order of addition
            grad = accelerator.reduce(grad, "mean")
        self._looked_up, self._gathered, self._table.grad = [], (rows, grad), None
        return grad

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure
        """Updates the rows that `gather` returned the gradient of."""
        assert self._gathered is not None, "call gather before step"
        rows, grad = self._gathered
        state, (_, b2) = self.state[self._table], BETAS
        state["step"] += 1
        now = int(state["step"])
        if rows is None:
            self._step_whole(grad, now)
        else:
            faded = b2 ** (now - state["last"][rows])
            square = state["square"][rows] * faded[:, None] + (1 - b2) * grad.square()
            state["square"][rows], state["last"][rows] = square, now
            scale = (square / (1 - b2**now)).sqrt() + _EPSILON
            far = (1 - BETAS[0]) / (1 - BETAS[0] / b2**0.5)
            self._table[rows] -= self._lr * far * self._rate[rows, None] * grad / scale
        self._gathered = None

    def _step_whole(self, grad: Tensor, now: int) -> None:
        """Takes a step of plain Adam, with its first moment."""
        state, (b1, b2) = self.state[self._table], BETAS
        mean = state.setdefault("mean", torch.zeros_like(self._table))
        mean.lerp_(grad, 1 - b1)
        state["square"].mul_(b2).addcmul_(grad, grad, value=1 - b2)
        state["last"].fill_(now)
        scale = (state["square"] / (1 - b2**now)).sqrt_().add_(_EPSILON)
        self._table -= self._rate[:, None] * mean / scale * (self._lr / (1 - b1**now))

    @property
    def _lr(self) -> float:
        return float(self.param_groups[0]["lr"])


def _of_all(ids: Tensor, accelerator: Accelerator) -> Tensor:
    """Returns the distinct ids (U,) of all processes, sorted."""
    if accelerator.num_processes > 1:
        pad = int(ids[0])  # any id of the batch
        ids = accelerator.gather(accelerator.pad_across_processes(ids, pad_index=pad))
    distinct: Tensor = torch.unique(ids)
    return distinct
