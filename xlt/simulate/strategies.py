"""Strategies of selection by name: the default sampler, random selection, single measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.payoff.transfer import FOLDS, measure_transfer
from xlt.sampling.pool import SamplerOptions
from xlt.sampling.quota import deal
from xlt.sampling.select import Pool, select
from xlt.sampling.transfer import Transfer
from xlt.simulate.acquisition import ACQUISITIONS, Acquisition
from xlt.simulate.state import State
from xlt.tasks.kinds import check_measure
from xlt.tasks.task import AnyTask

#: Short names of the baselines.
ALIASES = {
    "stratified": "random@equal",
    "in-target": "random@target",
    "zero-shot": "random@source",
}
PLACES = ("equal", "proportional", "target", "source")
DEFAULT = "default"


#: Selects `count` distinct rows without a label.
Strategy = Callable[[State, int, np.random.Generator], NDArray[np.intp]]


def strategy(name: str) -> Strategy:
    """Returns a strategy by name.

    `default` is the sampler as the service uses it; `default:quota=equal+batch=20` changes its
    options. Other names are `measure@place`: a measure's best rows of all languages, with `equal`
    or `proportional` quotas, or of the `target` or `source` languages alone. `stratified`,
    `in-target` and `zero-shot` are `random` at `equal`, `target` and `source`.

    Raises:
        ConfigError: If the name is unknown.
    """
    if name == DEFAULT or name.startswith(f"{DEFAULT}:"):
        return _default(name.partition(":")[2])
    measure, _, place = ALIASES.get(name, name).partition("@")
    if measure not in ACQUISITIONS or (place and place not in PLACES):
        raise ConfigError(
            f"unknown strategy {name!r}: expected {DEFAULT}, {', '.join(ALIASES)}, or one of "
            f"{', '.join(ACQUISITIONS)}, alone or with @{', @'.join(PLACES)}"
        )
    return _placed(ACQUISITIONS[measure], place)


def place_of(name: str) -> str:
    """Returns the place of a strategy, such as "source"; empty if it is not limited to one."""
    return "" if name.startswith(DEFAULT) else ALIASES.get(name, name).partition("@")[2]


def check_measures(names: Sequence[str], task: AnyTask) -> None:
    """Checks that the task has the uncertainty measures of variants of the default.

    Raises:
        ConfigError: If it lacks one.
    """
    for name in names:
        if name.startswith(f"{DEFAULT}:"):
            check_measure(str(_options(name.partition(":")[2]).get("measure", "")), task)


def _default(overrides: str) -> Strategy:
    changed = _options(overrides)

    def choose(state: State, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        options = SamplerOptions(
            **{"source_languages": state.source, **changed, "batch": count}  # type: ignore[arg-type]
        )
        rows = state.open_rows
        pool = _pool(state, rows, options.measure)
        if options.quota == "adaptive":
            pool = replace(pool, transfer=_transfer(state))
        picks = select(pool, options, rng).picks[:count]
        row_of = {state.pool.ids[row]: row for row in rows}
        return np.array([row_of[pick.id] for pick in picks], dtype=np.intp)

    return choose


def _pool(state: State, rows: NDArray[np.intp], measure: str) -> Pool:
    """Builds the sampler's pool from the state, as the service does."""
    langs, trained = state.pool.langs, state.trained
    beliefs = None if state.beliefs is None else state.beliefs.take(rows)
    return Pool(
        ids=[state.pool.ids[row] for row in rows],
        langs=langs[rows].tolist(),
        uncertainty=None if beliefs is None else state.task.uncertainty(beliefs, measure or None),
        measure=measure or state.task.measures[0],
        vectors=state.pool.vectors[rows],
        audit=state.audit[rows],
        labelled_counts=Counter(langs[trained].tolist()),
        audit_counts=Counter(langs[state.judging].tolist()),
        accuracies=state.accuracies,
        labelled_vectors=state.pool.vectors[trained],
        labelled_langs=langs[trained].tolist(),
    )


def _transfer(state: State) -> Transfer | None:
    """Measures how well the source's labels teach the targets; None with too few labels."""
    rng = np.random.default_rng(0)  # two rounds with the same labels agree
    groups = np.unique(state.pool.groups, return_inverse=True)[1]
    fold_of = rng.permutation(len(state.pool)) % FOLDS
    trained = state.trained
    return measure_transfer(
        state.pool.vectors[trained],
        state.answers(trained),
        state.task,
        np.isin(state.pool.langs[trained], state.source),
        fold_of[groups[trained]],
        rng,
    )


def _options(overrides: str) -> dict[str, object]:
    """Parses `name=value` pairs, joined by `+`, as keywords of `SamplerOptions`."""
    default = SamplerOptions()
    known = {f.name for f in fields(SamplerOptions)} - {"shares", "source_languages"}
    options: dict[str, object] = {}
    for part in filter(None, overrides.split("+")):
        name, _, value = part.partition("=")
        if name not in known:
            raise ConfigError(f"unknown sampler option {name!r}; known: {', '.join(sorted(known))}")
        kind = type(getattr(default, name))
        try:
            options[name] = kind(value)
        except ValueError:
            raise ConfigError(f"{name} must be a {kind.__name__}, got {value!r}") from None
    if SamplerOptions(**options).quota == "fixed":  # type: ignore[arg-type]
        raise ConfigError("quota 'fixed' has no weights in a simulation: give another quota")
    return options


def _placed(measure: Acquisition, place: str) -> Strategy:
    def choose(state: State, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        rows = state.open_rows
        langs = state.pool.langs[rows]
        if place in ("", "target", "source"):
            if place:
                rows = rows[np.isin(langs, state.source) == (place == "source")]
            return measure(state, rows, min(count, len(rows)), rng)
        names = list(dict.fromkeys(state.pool.langs.tolist()))
        share = _shares(state, names, place, count, rng)
        parts = [
            measure(state, rows[langs == name], int(n), rng)
            for name, n in zip(names, share, strict=True)
            if n
        ]
        return np.concatenate(parts) if parts else rows[:0]

    return choose


def _shares(
    state: State, names: list[str], place: str, count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Shares `count` among languages by the rule of `place`, evened out over the rounds."""
    left = Counter(state.pool.langs[state.open_rows].tolist())
    had = Counter(state.pool.langs[state.answered].tolist())
    limit = np.array([left[name] for name in names], dtype=np.intp)
    before = np.array([had[name] for name in names], dtype=np.intp)
    weight = np.ones(len(names)) if place == "equal" else (limit + before).astype(np.float64)
    zero, ties = np.zeros(len(names), dtype=np.intp), rng.permutation(len(names)).astype(np.float64)
    return deal(count, zero, weight, limit, ties, before)
