"""Intervals of paired differences by hand, and their coverage by enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from xlt.tasks.intervals import paired_difference


def credits(n: int, won: int, lost: int) -> tuple[np.ndarray, np.ndarray]:
    """Credit of two models on n answers: `won` right for the first alone, `lost` for the other."""
    place = np.arange(n)
    first, second = place < won, (place >= won) & (place < won + lost)
    both = place >= n - (n - won - lost) // 2
    return (first | both).astype(float), (second | both).astype(float)


def test_bonett_and_price_by_hand():
    """N = 10, 3 won, 1 lost: (4/12 - 2/12) +- 1.96 sqrt((6/12 - (2/12)^2) / 12)."""
    found = paired_difference(*credits(10, 3, 1))
    half = 1.959964 * np.sqrt((6 / 12 - (2 / 12) ** 2) / 12)
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.2, 2 / 12 - half, 2 / 12 + half), abs=1e-5
    )


@pytest.mark.parametrize(("n", "won", "lost"), [(20, 0.02, 0.02), (30, 0.2, 0.1), (60, 0.05, 0.0)])
def test_paired_differences_are_covered(n, won, lost):
    """Coverage by enumeration of all tables is at least 94 %."""
    from scipy.stats import multinomial

    held = 0.0
    for a in range(n + 1):
        b = np.arange(n + 1 - a)
        table = np.stack([np.full_like(b, a), b, n - a - b], axis=1)
        chance = multinomial.pmf(table, n, [won, lost, 1 - won - lost])
        found = [paired_difference(*credits(n, a, int(k))) for k in b]
        held += chance[[f.low <= won - lost <= f.high for f in found]].sum()
    assert held >= 0.94


def test_graded_credit_by_hand():
    """Differences 0.5, -0.25 and 0: 0.25 / 5 +- 1.96 sqrt((2.3125 / 5 - 0.05^2) / 5)."""
    found = paired_difference(np.array([1.0, 0.25, 0.5]), np.array([0.5, 0.5, 0.5]))
    half = 1.959964 * np.sqrt((2.3125 / 5 - 0.05**2) / 5)
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.25 / 3, 0.05 - half, 0.05 + half), abs=1e-5
    )


@pytest.mark.parametrize(("n", "gain"), [(20, 0.0), (40, 0.1), (80, 0.3)])
def test_differences_of_graded_credit_are_covered(n, gain, rng):
    """Coverage over two thousand draws is at least 94 %; an exchange turns the interval round."""
    held = 0
    for _ in range(2000):
        hard = rng.random(n)
        first, second = rng.beta(2, 2, n), rng.beta(2, 2, n)
        first = np.clip(0.5 * first + 0.3 * hard + gain * 0.2, 0, 1)
        second = 0.5 * second + 0.3 * hard
        found = paired_difference(first, second)
        held += found.low <= gain * 0.2 <= found.high
        back = paired_difference(second, first)
        assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert held / 2000 >= 0.94
