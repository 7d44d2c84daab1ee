"""Puts a whole pool in the order in which it should be labelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.batch import Batch, choose_batch
from xlt.sampling.checks import check
from xlt.sampling.control import Mixed, mixed
from xlt.sampling.order import LanguageTasks, queue
from xlt.sampling.plan import Plan, make_plan, number_languages
from xlt.sampling.pool import Pick, Pool, SamplerOptions, Selection, Slot
from xlt.sampling.quota import interleave, interleave_sides
from xlt.sampling.scene import make_scene, source_nearness
from xlt.sampling.transfer import Transfer

__all__ = ["Pick", "Pool", "SamplerOptions", "Selection", "select"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lane:
    """One language's tasks in order, as rows of the pool; `reasons` by row."""

    main: Mixed
    audit: NDArray[np.intp]
    reasons: dict[int, str]


def select(pool: Pool, options: SamplerOptions, rng: np.random.Generator) -> Selection:
    """Orders the whole pool: first a batch by the full method, then everything else.

    Every language gets its quota of the batch. The texts are chosen for all languages at once, such
    that they speak for as many target-language texts as they can, the more so for those that the
    model is unsure of (`xlt.sampling.herding`); a text of the source languages is worth what it
    says of the targets. A share of the slots goes to audit tasks in random order, which are chosen
    in no other way, and a share of the others to tasks drawn at random (`xlt.sampling.control`), so
    that every task has a known chance. Behind the batch the languages take turns by the same
    shares, each by uncertainty, near-duplicates last, so any beginning of the order is fair.

    Raises:
        SamplingError: If ids repeat, shapes disagree, or numbers are not finite (names the rows).
    """
    check(pool)
    n = len(pool.ids)
    audit = np.zeros(n, bool) if pool.audit is None else np.asarray(pool.audit, bool)
    unsure = None
    if pool.uncertainty is not None and n:
        unsure = np.asarray(pool.uncertainty, dtype=np.float64)
    tongues = number_languages(pool, options)
    held = np.array([id in pool.held_back for id in pool.ids], dtype=bool)
    scene = make_scene(pool, tongues, ~audit & ~held, unsure, options, rng)
    nearness = 1.0
    if scene is not None and options.quota == "adaptive":
        nearness = source_nearness(scene, rng)
    plan = make_plan(pool, tongues, audit, nearness, options, rng)
    batch = Batch.empty(n)
    if scene is not None:
        batch = choose_batch(scene, plan.slots - plan.audits, rng)
    lanes = _lanes(pool, plan, audit, unsure, batch, options, rng)
    near = _neighbours(pool, batch)
    propensity, remaining = _chances(lanes, n)
    picks = tuple(
        Pick(
            id=pool.ids[row],
            lang=pool.langs[row],
            rank=rank,
            slot=slot,
            uncertainty=None if unsure is None else float(unsure[row]),
            reason=_reason(slot, plan, int(plan.number[row]), lanes, row, pool.transfer),
            neighbours=near.get(row, ()),
            propensity=float(propensity[row]),
            remaining=int(remaining[row]),
        )
        for rank, (row, slot) in enumerate(_in_order(plan, lanes, options))
    )
    return Selection(
        picks=picks,
        batch=int(plan.slots.sum()),
        quotas=dict(zip(plan.names, plan.slots.tolist(), strict=True)),
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
    """(N,) with which chance each task was drawn, and (N,) from how many."""
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
    plan: Plan,
    audit: NDArray[np.bool_],
    unsure: NDArray[np.float64] | None,
    batch: Batch,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> list[_Lane]:
    ties = rng.permutation(len(pool.ids))
    random_keys = rng.random(len(pool.ids)) if pool.random_keys is None else pool.random_keys
    chosen = dict(zip(batch.rows, batch.speaks_for, strict=True))
    lanes = []
    for number in range(len(plan.keys)):
        rows = np.flatnonzero(plan.number == number)
        main, drawn = rows[~audit[rows]], rows[audit[rows]]
        found = queue(
            LanguageTasks(
                rows=main,
                ids=pool.ids,
                chosen={row: share for row, share in chosen.items() if plan.number[row] == number},
                twin_of=batch.twin_of,
                uncertainty=unsure,
                measure=pool.measure,
                ties=ties,
                held_back=pool.held_back,
            )
        )
        last = sum(pool.ids[row] in pool.held_back for row in main.tolist())
        order = mixed(found.order, random_keys, options.control_share, rng, last=last)
        reasons = dict(found.reasons)
        reasons |= dict.fromkeys(order.order[order.control].tolist(), _at_random(options))
        lanes.append(_Lane(main=order, audit=drawn[np.argsort(ties[drawn])], reasons=reasons))
    return lanes


def _in_order(
    plan: Plan, lanes: list[_Lane], options: SamplerOptions
) -> Iterator[tuple[int, Slot]]:
    """Rows of the pool in the order of their ranks, with what they stand there for."""
    main = [
        iter(zip(lane.main.order.tolist(), lane.main.control.tolist(), strict=True))
        for lane in lanes
    ]
    audit = [iter(lane.audit.tolist()) for lane in lanes]
    for number, is_audit in plan.turns():
        if is_audit:
            yield next(audit[number]), "audit"
        else:
            row, control = next(main[number])
            yield row, "control" if control else "quota"
    left = []
    for number, lane in enumerate(lanes):
        mains = len(lane.main.order) - int(plan.slots[number] - plan.audits[number])
        audits = len(lane.audit) - int(plan.audits[number])
        share = np.array([1.0 - options.audit_share, options.audit_share])
        kinds = interleave(np.array([mains, audits]), share, np.array([1.0, 0.0]))
        left.append(iter(kinds.tolist()))
    counts = np.array([lang.available for lang in plan.languages], dtype=np.intp) - plan.slots
    for number in interleave_sides(counts, plan.share, plan.ties, plan.source, plan.slots).tolist():
        yield next(audit[number]) if next(left[number]) else next(main[number])[0], "rest"


def _at_random(options: SamplerOptions) -> str:
    if options.control_share > 0.5:
        return "drawn at random: choosing was worse than that here, and is tried in few places only"
    return "drawn at random, as a few are, to know what choosing is worth"


def _reason(
    slot: Slot, plan: Plan, number: int, lanes: list[_Lane], row: int, transfer: Transfer | None
) -> str:
    words = transfer.words if transfer is not None and plan.languages[number].source else ""
    more = f", {words}" if words else ""
    drawn = "drawn at random to judge the model"
    why = lanes[number].reasons.get(row, drawn)
    if slot == "rest":
        return f"after the batch, in turns of the languages{more}: {why}"
    kind = f"audit slot, {drawn}" if slot == "audit" else why
    return f"{plan.names[number]} gets {plan.slots[number]} of {plan.slots.sum()}{more}: {kind}"
