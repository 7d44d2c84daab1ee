"""The lazy Adam of the embeddings against torch's Adam, which moves every row at every step."""

from __future__ import annotations

import pytest
import torch
from accelerate import Accelerator

from xlt.pretrain.distil.lazy_adam import BETAS, LazyAdam

N_ROWS, WIDTH, RATE = 9, 4, 1e-3


@pytest.fixture
def table(rng):
    """Embeddings."""
    return torch.nn.Parameter(torch.from_numpy(rng.standard_normal((N_ROWS, WIDTH))).float())


def lazy(table, rate=None):
    """The optimizer at a rate that does not change."""
    rows = LazyAdam(table, torch.ones(N_ROWS) if rate is None else rate)
    rows.param_groups[0]["lr"] = RATE
    return rows


def beside(table):
    """A copy of the table, and torch's Adam to move it."""
    theirs = torch.nn.Parameter(table.detach().clone())
    return theirs, torch.optim.Adam([theirs], lr=RATE, betas=BETAS)


def adam_step(adam, theirs, ids, weights):
    """One step of Adam; rows that are not looked up have the gradient 0."""
    adam.zero_grad(set_to_none=False)
    (theirs[ids] * weights).sum().backward()
    adam.step()


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
    """Looked up once and never again, after two hundred steps of other rows."""
    one, other = torch.tensor([4]), torch.tensor([0])
    weights = torch.from_numpy(rng.standard_normal((1, WIDTH))).float()
    start = table.detach().clone()
    theirs, adam = beside(table)
    rows = lazy(table)
    for step in range(400):
        here = one if step == 200 else other
        stepped(rows, here, weights)
        adam_step(adam, theirs, here, weights)
    ours_moved, theirs_moved = (table - start)[4], (theirs - start)[4]
    torch.testing.assert_close(ours_moved, theirs_moved, rtol=0.01, atol=0)
    assert theirs_moved.abs().min() > 7 * RATE


def test_mean_square_is_adams_after_any_pause(table, rng):
    """It decays in the steps that do not look the row up as well."""
    theirs, adam = beside(table)
    rows = lazy(table)
    for step in range(101):
        here = torch.tensor([4 if step in (0, 30, 100) else 0])
        weights = torch.from_numpy(rng.standard_normal((1, WIDTH))).float()
        stepped(rows, here, weights)
        adam_step(adam, theirs, here, weights)
    ours, right = rows.state[table]["square"][4], adam.state[theirs]["exp_avg_sq"][4]
    torch.testing.assert_close(ours, right, rtol=1e-4, atol=0)


def test_a_row_looked_up_always_is_moved_a_tenth_further(table):
    """Every step moves it by what later steps, which never come to pass, would have added."""
    ids, weights = torch.tensor([2]), torch.tensor([[1.0, -0.3, 0.5, 2.0]])
    start = table.detach().clone()
    theirs, adam = beside(table)
    rows = lazy(table)
    for _ in range(500):
        stepped(rows, ids, weights)
        adam_step(adam, theirs, ids, weights)
    ours_moved, theirs_moved = (table - start)[2], (theirs - start)[2]
    factor = (1 - BETAS[0]) / (1 - BETAS[0] / BETAS[1] ** 0.5)
    torch.testing.assert_close(ours_moved, factor * theirs_moved, rtol=0.02, atol=0)
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


def test_a_gradient_of_the_whole_table_is_followed_by_adam(table, rng):
    """A masked-token term reaches every row through the tied decoder."""
    theirs, adam = beside(table)
    rows = lazy(table)
    for _ in range(20):
        whole = torch.from_numpy(rng.standard_normal((N_ROWS, WIDTH))).float()
        (rows.look_up(torch.tensor([5, 5])).sum() + (whole * table).sum()).backward()
        rows.gather(Accelerator(cpu=True))
        rows.step()
        assert table.grad is None
        adam.zero_grad()
        (2 * theirs[5].sum() + (whole * theirs).sum()).backward()
        adam.step()
    torch.testing.assert_close(table, theirs)
