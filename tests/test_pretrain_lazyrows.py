"""The lazy Adam of the embeddings against torch's Adam, which moves every row at every step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from xlt.pretrain.lazyrows import LazyRows

N_ROWS, WIDTH, RATE = 9, 4, 1e-3


@pytest.fixture
def table(rng):
    """Embeddings."""
    return torch.nn.Parameter(torch.from_numpy(rng.standard_normal((N_ROWS, WIDTH))).float())


def lazy(table, rate=None):
    """An optimizer that has seen a hundred steps, so that no warm-up is left."""
    rows = LazyRows(table, torch.ones(N_ROWS) if rate is None else rate)
    rows.param_groups[0]["lr"] = RATE
    return rows


def stepped(rows, ids, weights):
    """One step down the sum of `weights` times the rows looked up; returns the gradient."""
    (rows.look_up(ids) * weights).sum().backward()
    found = rows.gather(Accelerator(cpu=True))
    rows.step()
    return found


def test_gradient_is_that_of_autograd(table, rng):
    """Rows looked up twice, in one call or two, count twice."""
    ids = [torch.tensor([1, 3, 3, 8]), torch.tensor([3, 0])]
    weights = [torch.from_numpy(rng.standard_normal((len(part), WIDTH))).float() for part in ids]
    (right,) = torch.autograd.grad(
        sum((table[i].tanh() * w).sum() for i, w in zip(ids, weights, strict=True)), table
    )
    rows = lazy(table)
    sum((rows.look_up(i).tanh() * w).sum() for i, w in zip(ids, weights, strict=True)).backward()
    torch.testing.assert_close(rows.gather(Accelerator(cpu=True)), right[[0, 1, 3, 8]])


def test_a_row_is_moved_as_far_as_adam_moves_it_in_the_end(table, rng):
    """Looked up once and never again, after a hundred steps of other rows."""
    one, other = torch.tensor([4]), torch.tensor([0])
    weights = torch.from_numpy(rng.standard_normal((1, WIDTH))).float()
    start = table.detach().clone()
    theirs = torch.nn.Parameter(start.clone())
    adam = torch.optim.Adam([theirs], lr=RATE, betas=(0.9, 0.98))
    rows = lazy(table)
    for step in range(300):
        here = one if step == 100 else other
        stepped(rows, here, weights)
        adam.zero_grad(set_to_none=False)
        (theirs[here] * weights).sum().backward()
        adam.step()
    ours_moved, theirs_moved = (table - start)[4], (theirs - start)[4]
    torch.testing.assert_close(ours_moved, theirs_moved, rtol=0.06, atol=0)  # bias correction
    assert theirs_moved.abs().min() > 7 * RATE


def test_a_row_looked_up_always_is_moved_as_by_adam(table, rng):
    """The sum over many steps is the same, but for the momentum that is still to come."""
    ids = torch.tensor([2])
    start = table.detach().clone()
    theirs = torch.nn.Parameter(start.clone())
    adam = torch.optim.Adam([theirs], lr=RATE, betas=(0.9, 0.98))
    rows = lazy(table)
    for _ in range(500):
        weights = torch.from_numpy(rng.normal(0.3, 1.0, (1, WIDTH))).float()
        stepped(rows, ids, weights)
        adam.zero_grad()
        (theirs[ids] * weights).sum().backward()
        adam.step()
    torch.testing.assert_close((table - start)[2], (theirs - start)[2], rtol=0.15, atol=0)
    torch.testing.assert_close(table[3], start[3], rtol=0, atol=0)


def test_rates_of_rows(table):
    """A row of rate 0 stays, one of a half moves half as far."""
    start = table.detach().clone()
    rate = torch.ones(N_ROWS)
    rate[1], rate[2] = 0.0, 0.5
    stepped(lazy(table, rate), torch.tensor([1, 2, 3]), torch.ones(3, WIDTH))
    moved = (table - start).detach()
    assert not moved[1].any()
    torch.testing.assert_close(2 * moved[2], moved[3])


def test_a_gradient_of_the_whole_table_moves_all_of_it(table):
    """A masked-token term reaches every row through the tied decoder."""
    start = table.detach().clone()
    rows = lazy(table)
    (rows.look_up(torch.tensor([5])).sum() + (2 * table).sum()).backward()
    grad = rows.gather(Accelerator(cpu=True))
    rows.step()
    expected = np.full((N_ROWS, WIDTH), 2.0)
    expected[5] += 1
    np.testing.assert_allclose(grad, expected)
    assert (table < start).all()
    assert table.grad is None
