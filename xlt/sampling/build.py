"""Builds the sampler's pool from examples, their vectors and a model's uncertainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.scripts import held_back
from xlt.sampling.pool import Pool
from xlt.sampling.transfer import Transfer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tasks:
    """N tasks, waiting or labelled.

    Attributes:
        ids: N distinct ids.
        langs: N language codes.
        vectors: (N, D) sentence vectors.
        texts: N inputs (`Example.input`), to hold back those without words; () holds none back.
    """

    ids: Sequence[str]
    langs: Sequence[str]
    vectors: NDArray[np.floating]
    texts: Sequence[str | tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelView:
    """The model's uncertainty about the N waiting tasks.

    Attributes:
        uncertainty: (N,) in [0, 1], higher = less sure.
        measure: Name of the uncertainty measure, for people.
    """

    uncertainty: NDArray[np.float64]
    measure: str


def build_pool(
    waiting: Tasks,
    trained: Tasks | None,
    *,
    audit: NDArray[np.bool_],
    model: ModelView | None = None,
    judged_langs: Sequence[str] = (),
    accuracies: Mapping[str, float] | None = None,
    transfer: Transfer | None = None,
    random_keys: NDArray[np.float64] | None = None,
    name_neighbours: bool = True,
) -> Pool:
    """Builds the pool that `xlt.sampling.select.select` orders.

    Args:
        waiting: N tasks without a label.
        trained: Tasks whose labels train models. None if there are none.
        audit: (N,) True for waiting tasks that are audit tasks.
        model: None before the first model.
        judged_langs: Language of each audit label.
        accuracies: Language -> lower bound of the accuracy on audit labels.
        transfer: How well source labels teach the targets. None if unknown.
        random_keys: (N,) in [0, 1); control tasks are drawn by them. None draws at random.
        name_neighbours: Adds to each pick its labelled neighbours.
    """
    langs = () if trained is None else trained.langs
    held = held_back(waiting.ids, waiting.texts, waiting.langs) if waiting.texts else {}
    return Pool(
        ids=waiting.ids,
        langs=waiting.langs,
        held_back=held,
        uncertainty=None if model is None else model.uncertainty,
        measure="uncertainty" if model is None else model.measure,
        vectors=waiting.vectors,
        audit=audit,
        labelled_counts=Counter(langs),
        audit_counts=Counter(judged_langs),
        accuracies=accuracies or {},
        labelled_vectors=None if trained is None else trained.vectors,
        labelled_langs=langs,
        labelled_ids=trained.ids if trained is not None and name_neighbours else (),
        transfer=transfer,
        random_keys=random_keys,
    )
