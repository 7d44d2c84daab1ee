"""Validation of pools: refuses those that cannot be ordered, and names the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlt.errors import SamplingError
from xlt.sampling.pool import Pool

_NAMED_ROWS = 5


def refuse_rows(bad: NDArray[np.bool_], expected: str) -> None:
    """Raises an error if a row is bad.

    Raises:
        SamplingError: Names the first rows that are True in `bad` (N,).
    """
    rows = np.flatnonzero(bad)
    if len(rows):
        named = ", ".join(map(str, rows[:_NAMED_ROWS]))
        more = f" and {len(rows) - _NAMED_ROWS} more" if len(rows) > _NAMED_ROWS else ""
        raise SamplingError(f"{expected}; see row(s) {named}{more}")


def check_pool(pool: Pool) -> None:
    """Checks ids, lengths, widths and numbers of a pool.

    Raises:
        SamplingError: If ids repeat, if lengths or widths disagree, or a vector is not finite.
    """
    n = len(pool.ids)
    random_keys = n if pool.random_keys is None else len(pool.random_keys)
    for name, length in (
        ("langs", len(pool.langs)),
        ("audit", _rows(pool.audit, n)),
        ("random_keys", random_keys),
    ):
        if length != n:
            raise SamplingError(f"expected {n} {name}, one per id, got {length}")
    _check_unique(list(pool.ids))
    if len(pool.labelled_ids) not in (0, len(pool.labelled_langs)):
        raise SamplingError(
            f"expected {len(pool.labelled_langs)} labelled_ids, one per language code, got "
            f"{len(pool.labelled_ids)}"
        )
    if pool.uncertainty is not None:
        _check_uncertainty(pool.uncertainty, n)
    if pool.vectors is not None:
        _check_table("vectors", pool.vectors, n)
    if pool.labelled_vectors is not None:
        _check_table("labelled_vectors", pool.labelled_vectors, len(pool.labelled_langs))
        if pool.vectors is not None and pool.vectors.shape[1] != pool.labelled_vectors.shape[1]:
            raise SamplingError(
                "vectors and labelled_vectors must have the same width, got "
                f"{pool.vectors.shape[1]} and {pool.labelled_vectors.shape[1]}"
            )


def _check_uncertainty(uncertainty: NDArray[np.floating], n: int) -> None:
    if uncertainty.shape != (n,):
        raise SamplingError(f"uncertainty must have shape ({n},), got {uncertainty.shape}")
    inside = (uncertainty >= 0) & (uncertainty <= 1)
    refuse_rows(np.asarray(~inside, dtype=bool), "uncertainty must be in [0, 1]")


def _check_unique(ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        seen: set[str] = set()
        twice = next(id for id in ids if id in seen or seen.add(id))  # type: ignore[func-returns-value]
        raise SamplingError(f"ids must be distinct, got {twice!r} twice")


def _check_table(name: str, table: NDArray[np.floating], n: int) -> None:
    if table.ndim != 2 or len(table) != n:
        raise SamplingError(f"{name} must have shape ({n}, ...), got {table.shape}")
    refuse_rows(~np.isfinite(table).all(axis=1), f"{name} must be finite")


def _rows(table: NDArray[np.bool_] | None, n: int) -> int:
    return n if table is None else len(table)
