"""Adam for a large table of embeddings of which a step looks up a few thousand rows.

Autograd and Adam go through the whole table at each step, 320,000 rows for 2,000 tokens, which
takes longer than the body does. Here the rows looked up are a leaf of their own, and they alone
are moved, by what Adam (arXiv 1412.6980) would move them by in this and all later steps in which
they are not looked up again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from torch import Tensor

_BETAS = (0.9, 0.98)
_EPSILON = 1e-8


class LazyRows(torch.optim.Optimizer):
    """Looks up rows of `table` and moves those that were.

    With b1 and b2 the decays, a row whose gradient is g now and 0 for long afterwards is moved in k
    steps by (1 - b1) b1^k g / sqrt(b2^k v), where v is the mean square with g in it; the sum over k
    is (1 - b1) / (1 - b1 / sqrt(b2)) g / sqrt(v). The mean square decays in steps that do not
    look the row up as well, which is caught up with when it is looked up next.

    Args:
        table: The embeddings.  # (V, r)
        rate: What the learning rate of each row is multiplied by.  # (V,)
    """

    def __init__(self, table: Tensor, rate: Tensor) -> None:
        super().__init__([table], {"lr": 0.0})
        self._table, self._rate = table, rate.to(table.device, table.dtype)
        self._taken: list[tuple[Tensor, Tensor]] = []
        self._found: tuple[Tensor, Tensor] | None = None
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

        That of the rows looked up, (U, r), or of the whole table where others gave it one.
        """
        ids = torch.cat([ids for ids, _ in self._taken])
        grads = torch.cat(
            [torch.zeros_like(rows) if rows.grad is None else rows.grad for _, rows in self._taken]
        )
        if accelerator.num_processes > 1:  # padding adds nothing to row 0
            ids, grads = accelerator.gather(accelerator.pad_across_processes((ids, grads)))
            grads = grads / accelerator.num_processes
        if self._table.grad is None:
            unique, place = torch.unique(ids, return_inverse=True)
            found = torch.zeros(len(unique), grads.shape[1], device=ids.device)
            found.index_add_(0, place, grads)
        else:
            unique = torch.arange(len(self._table), device=ids.device)
            found = accelerator.reduce(self._table.grad, "mean").index_add_(0, ids, grads)
        self._taken, self._found, self._table.grad = [], (unique, found), None
        return found

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Moves the rows that `gather` found."""
        assert self._found is not None, "gather comes before step"
        rows, grad = self._found
        state, (b1, b2) = self.state[self._table], _BETAS
        state["step"] += 1
        now = int(state["step"])
        faded = b2 ** (now - state["last"][rows])
        square = state["square"][rows] * faded[:, None] + (1 - b2) * grad.square()
        state["square"][rows], state["last"][rows] = square, now
        size = self.param_groups[0]["lr"] * (1 - b1) / (1 - b1 / b2**0.5)
        scale = (square / (1 - b2**now)).sqrt() + _EPSILON
        self._table[rows] -= size * self._rate[rows, None] * grad / scale
        self._found = None
        return None
