"""Orders a whole pool for labelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.batch import Batch, choose_batch
from xlt.sampling.control import MixedOrder, mix_in_control
from xlt.sampling.geometry import measure_pool, source_nearness
from xlt.sampling.order import LanguageTasks, order_language
from xlt.sampling.pool import Pick, Pool, SamplerOptions, Selection, Slot
from xlt.sampling.quota import interleave
from xlt.sampling.shares import Shares, number_languages, share_out
from xlt.sampling.transfer import Transfer
from xlt.sampling.validation import check_pool

__all__ = ["Pick", "Pool", "SamplerOptions", "Selection", "select"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lane:
    """One language's tasks in order, as rows of the pool; `reasons` by row."""

    main: MixedOrder
    audit: NDArray[np.intp]
    reasons: dict[int, str]


def select(pool: Pool, options: SamplerOptions, rng: np.random.Generator) -> Selection:
    """Orders the whole pool: first a batch by the full method, then all other tasks.

    Every language gets its quota of the batch. The texts are selected for all languages together,
    so that they cover the largest share of the target-language texts; texts that the model is
    unsure of count more (`xlt.sampling.herding`). A text in a source language counts by the target
    texts that it covers. A share of the slots goes to audit tasks in random order, which get no
    other slots. A share of the others goes to tasks drawn at random (`xlt.sampling.control`), so
    that every task has a known chance. After the batch the languages take turns by the same shares,
    each by uncertainty, near-duplicates last, so that any start of the order is shared fairly.

    Raises:
        SamplingError: If ids repeat, shapes disagree, or numbers are not finite (names the rows).
    """
    check_pool(pool)
    n = len(pool.ids)
    audit = np.zeros(n, bool) if pool.audit is None else np.asarray(pool.audit, bool)
    uncertainty = None
    if pool.uncertainty is not None and n:
        uncertainty = np.asarray(pool.uncertainty, dtype=np.float64)
    languages = number_languages(pool, options)
    held = np.array([id in pool.held_back for id in pool.ids], dtype=bool)
    geometry = measure_pool(pool, languages, ~audit & ~held, uncertainty, options, rng)
    nearness = 1.0
    if geometry is not None and options.quota == "adaptive":
        nearness = source_nearness(geometry, rng)
    shares = share_out(pool, languages, audit, nearness, options, rng)
    batch = Batch.empty(n)
    if geometry is not None:
        batch = choose_batch(geometry, shares.slots - shares.audits, rng)
    lanes = _lanes(pool, shares, audit, uncertainty, batch, options, rng)
    near = _neighbours(pool, batch)
    propensity, remaining = _chances(lanes, n)
    picks = tuple(
        Pick(
            id=pool.ids[row],
            lang=pool.langs[row],
            rank=rank,
            slot=slot,
            uncertainty=None if uncertainty is None else float(uncertainty[row]),
            reason=_reason(slot, shares, int(languages.number[row]), lanes, row, pool.transfer),
            neighbours=near.get(row, ()),
            propensity=float(propensity[row]),
            remaining=int(remaining[row]),
        )
        for rank, (row, slot) in enumerate(_in_order(shares, lanes, options))
    )
    return Selection(
        picks=picks,
        batch=int(shares.slots.sum()),
        quotas=dict(zip(languages.names, shares.slots.tolist(), strict=True)),
        phase=_phase(pool, options),
    )


def _neighbours(pool: Pool, batch: Batch) -> dict[int, tuple[str, ...]]:
    if not pool.labelled_ids:
        return {}
    return {
        row: tuple(pool.labelled_ids[number] for number in near)
        for row, near in zip(batch.rows, batch.neighbours, strict=True)
    }


def _chances(lanes: list[_Lane], n: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Returns each task's chance of being drawn, (N,), and the number it was drawn from, (N,)."""
    propensity, remaining = np.ones(n), np.ones(n, dtype=np.intp)
    for lane in lanes:
        remaining[lane.main.order] = lane.main.remaining
        remaining[lane.audit] = np.arange(len(lane.audit), 0, -1)
        propensity[lane.main.order] = lane.main.propensity
        propensity[lane.audit] = 1.0 / remaining[lane.audit]
    return propensity, remaining


def _phase(pool: Pool, options: SamplerOptions) -> str:
    if pool.vectors is None:
        return "random" if pool.uncertainty is None else pool.measure
    cold = pool.uncertainty is None or pool.labels < options.cold_labels
    return "typicality" if cold else pool.measure


def _lanes(
    pool: Pool,
    shares: Shares,
    audit: NDArray[np.bool_],
    uncertainty: NDArray[np.float64] | None,
    batch: Batch,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> list[_Lane]:
    ties = rng.permutation(len(pool.ids))
    random_keys = rng.random(len(pool.ids)) if pool.random_keys is None else pool.random_keys
    coverage = dict(zip(batch.rows, batch.coverage, strict=True))
    of_row = shares.languages.number
    lanes = []
    for number in range(len(shares.languages.keys)):
        rows = np.flatnonzero(of_row == number)
        main, drawn = rows[~audit[rows]], rows[audit[rows]]
        ordered = order_language(
            LanguageTasks(
                rows=main,
                ids=pool.ids,
                chosen={row: share for row, share in coverage.items() if of_row[row] == number},
                duplicate_of=batch.duplicate_of,
                uncertainty=uncertainty,
                measure=pool.measure,
                ties=ties,
                held_back=pool.held_back,
            )
        )
        last = sum(pool.ids[row] in pool.held_back for row in main.tolist())
        mixed = mix_in_control(ordered.rows, random_keys, options.control_share, rng, last=last)
        reasons = dict(ordered.reasons)
        reasons |= dict.fromkeys(mixed.order[mixed.control].tolist(), _control_reason(options))
        lanes.append(_Lane(main=mixed, audit=drawn[np.argsort(ties[drawn])], reasons=reasons))
    return lanes


def _in_order(
    shares: Shares, lanes: list[_Lane], options: SamplerOptions
) -> Iterator[tuple[int, Slot]]:
    """Yields rows of the pool by rank, each with its slot."""
    main = [
        iter(zip(lane.main.order.tolist(), lane.main.control.tolist(), strict=True))
        for lane in lanes
    ]
    audit = [iter(lane.audit.tolist()) for lane in lanes]
    for number, is_audit in shares.turns():
        if is_audit:
            yield next(audit[number]), "audit"
        else:
            row, control = next(main[number])
            yield row, "control" if control else "quota"
    left = []
    for number, lane in enumerate(lanes):
        mains = len(lane.main.order) - int(shares.slots[number] - shares.audits[number])
        audits = len(lane.audit) - int(shares.audits[number])
        share = np.array([1.0 - options.audit_share, options.audit_share])
        is_audit_turn = interleave(np.array([mains, audits]), share, np.array([1.0, 0.0]))
        left.append(iter(is_audit_turn.tolist()))
    for number in shares.after_batch().tolist():
        yield next(audit[number]) if next(left[number]) else next(main[number])[0], "rest"


def _control_reason(options: SamplerOptions) -> str:
    if options.control_share > 0.5:
        return "drawn at random: here random labels gave better models than selected ones"
    return "drawn at random, to measure whether selection pays"


def _reason(
    slot: Slot, shares: Shares, number: int, lanes: list[_Lane], row: int, transfer: Transfer | None
) -> str:
    source = transfer is not None and bool(shares.languages.source[number])
    effect = transfer.effect if transfer is not None and source else ""
    more = f", {effect}" if effect else ""
    drawn = "drawn at random to judge the model"
    why = lanes[number].reasons.get(row, drawn)
    if slot == "rest":
        return f"after the batch, languages take turns{more}: {why}"
    place = f"audit slot, {drawn}" if slot == "audit" else why
    name, slots = shares.languages.names[number], shares.slots
    return f"{name} gets {slots[number]} of {slots.sum()}{more}: {place}"
