"""Checks, before anything slow, that the data of a simulation is enough for its settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.errors import DataError
from xlt.simulate.learning_curve import CurveSettings, drawn_groups
from xlt.simulate.replay import divided
from xlt.simulate.strategies import place_of


def check_sizes(
    pool: Sequence[Example],
    test: Sequence[Example],
    settings: CurveSettings,
    *,
    source: Sequence[str],
    strategies: Sequence[str],
    seeds: Sequence[int],
) -> int:
    """Checks that every curve has its first point, and every target language its test texts.

    Returns:
        Number of texts in the smallest pool of a seed; larger budgets have no point.

    Raises:
        DataError: If the data is not enough; says what was asked for and what there is.
    """
    sources, targets = divided(pool, test, source)
    judged = {e.lang for e in test}
    unjudged = [lang for lang in targets if lang not in judged]
    if unjudged:
        raise DataError(
            f"no test text is in {', '.join(unjudged)}, but texts to choose from are: "
            "give more test texts or fewer --targets"
        )
    groups = np.array([e.group_key for e in pool], dtype=np.str_)
    keys = {normalise(code) for code in sources}
    in_source = np.array([normalise(e.lang) in keys for e in pool], dtype=bool)
    drawn = [np.isin(groups, drawn_groups(groups, seed, settings)) for seed in seeds]
    first = settings.rounds()[0]
    for name in strategies:
        place = place_of(name)
        allowed = {"source": in_source, "target": ~in_source}.get(place, in_source | ~in_source)
        least = min(int((rows & allowed).sum()) for rows in drawn)
        if least < first:
            where = f" in the {place} languages" if place in ("source", "target") else ""
            raise DataError(
                f"{name} is asked for {first} labels at first, but a seed has {least} of "
                f"{int(allowed.sum())} texts{where} to choose from: give smaller --budgets, more "
                "texts, a larger --pool-share or other --strategies"
            )
    return min(int(rows.sum()) for rows in drawn)
