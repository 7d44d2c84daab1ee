"""Adam for a large table of embeddings of which a step looks up a few thousand rows.

Autograd and Adam go through the whole table at each step, 320,000 rows for 2,000 tokens, which
takes longer than the body does. Here the rows looked up are a leaf of their own, and they alone
are moved, by what Adam (arXiv 1412.6980) would move them by in this and all later steps in which
they are not looked up again.
"""

from __future__ import annotations

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from torch import Tensor

BETAS = (0.9, 0.98)
_EPSILON = 1e-8


class LazyRows(torch.optim.Optimizer):
    """Looks up rows of `table` and moves those that were.

    With b1 and b2 the decays, a row whose gradient is g now and 0 for long afterwards is moved in k
    steps by (1 - b1) b1^k g / sqrt(b2^k v), where v is the mean square with g in it; the sum over k
    is (1 - b1) / (1 - b1 / sqrt(b2)) g / sqrt(v). The mean square decays in steps that do not
    look the row up as well, which is caught up with when it is looked up next. A row that is looked
    up at every step is moved a tenth further than by Adam, without its momentum.

    Args:
        table: The embeddings.  # (V, r)
        rate: What the learning rate of each row is multiplied by.  # (V,)
    """

    def __init__(self, table: Tensor, rate: Tensor) -> None:
        super().__init__([table], {"lr": 0.0})
        self._table, self._rate = table, rate.to(table.device, table.dtype)
        self._taken: list[tuple[Tensor, Tensor]] = []
        self._found: tuple[Tensor | None, Tensor] | None = None
        self.state[table] = {
            "square": torch.zeros_like(table),
            "last": torch.zeros(len(table), device=table.device),  # a step; loading makes it float
            "step": torch.zeros((), dtype=torch.int64),
        }

    def look_up(self, ids: Tensor) -> Tensor:
        """Returns the rows of `ids`, a leaf that takes their gradient: (T,) -> (T, r)."""
        rows = self._table.detach()[ids].requires_grad_()
        self._taken.append((ids, rows))
        return rows

    def gather(self, accelerator: Accelerator) -> Tensor:
        """Returns the gradient that `step` will follow, the mean of all processes', to be clipped.

        That of the rows looked up, (U, r), or of the whole table where others gave it one, (V, r).
        """
        ids = torch.cat([ids for ids, _ in self._taken])
        grads = torch.cat(
            [torch.zeros_like(rows) if rows.grad is None else rows.grad for _, rows in self._taken]
        )
        rows: Tensor | None = None
        if self._table.grad is not None:
            found = self._table.grad.index_add_(0, ids, grads)
        else:
            rows = _of_all(ids, accelerator)
            found = torch.zeros(len(rows), grads.shape[1], device=ids.device)
            found.index_add_(0, torch.searchsorted(rows, ids), grads)
        if accelerator.num_processes > 1:  # all get the same bits, whatever order each added in
            found = accelerator.reduce(found, "mean")
        self._taken, self._found, self._table.grad = [], (rows, found), None
        return found

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure
        """Moves the rows that `gather` found."""
        assert self._found is not None, "gather comes before step"
        rows, grad = self._found
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
        self._found = None

    def _step_whole(self, grad: Tensor, now: int) -> None:
        """Adam as it is, with a first moment."""
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
    """Returns the ids of all processes in order, each once: (T,) -> (U,)."""
    if accelerator.num_processes > 1:
        pad = int(ids[0])  # an id that is there anyway
        ids = accelerator.gather(accelerator.pad_across_processes(ids, pad_index=pad))
    found: Tensor = torch.unique(ids)
    return found
