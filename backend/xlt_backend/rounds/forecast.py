"""Forecasts of the labels that each language needs, from the versions in the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from xlt.errors import CorruptVersionError
from xlt.payoff.forecast import GAIN, Judged, forecast
from xlt.store.versions import ProjectStore


def forecast_of(versions: ProjectStore, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Forecasts the next points of accuracy of each language, JSON-ready.

    Versions that were kept back are left out, and those that are damaged.

    Args:
        versions: The project's versions.
        rng: Draws the bootstrap.

    Returns:
        Language -> number of further labels (`value`, `low`, `high`) and the `gain` in accuracy;
        without the languages of which it is too early to say.

    Raises:
        StoreError: If the store cannot be read.
    """
    curves: dict[str, list[Judged]] = {}
    for name in versions.versions():
        try:
            meta = versions.meta(name)
        except CorruptVersionError:
            continue
        scores = meta.metrics.get("audit")
        if meta.details.get("refused") or not isinstance(scores, dict):
            continue
        for lang, score in scores.items():
            labels = meta.label_counts.get(lang, 0)
            if labels and score.get("n"):
                point = Judged(labels=labels, n=int(score["n"]), accuracy=float(score["accuracy"]))
                curves.setdefault(lang, []).append(point)
    found = {lang: forecast(curve, rng) for lang, curve in curves.items()}
    return {
        lang: {"gain": GAIN} | {name: round(value, 1) for name, value in asdict(interval).items()}
        for lang, interval in found.items()
        if interval is not None
    }
