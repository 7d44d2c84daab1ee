"""The geometry of a pool: directions, near-duplicates, references, nearness of the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.sampling.directions import Directions, centres, near_duplicates
from xlt.sampling.neighbours import nearest
from xlt.sampling.order import LABELLED
from xlt.sampling.pool import Pool, SamplerOptions
from xlt.sampling.shares import Languages

# Every text is compared with the others of its language. In a larger pool only this number of
# texts, drawn at random, can be selected in a round: of all languages together, or of each
# language if that is more.
_COMPARED = 12_000
_COMPARED_PER_LANGUAGE = 1_000
_REFERENCES = 1_536
_REFERENCES_PER_LANGUAGE = 32
_NEAREST = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """The measured pool, from which a batch is selected.

    Attributes:
        languages: The L languages of the N tasks.
        directions: Directions of all tasks.
        eligible: (N,) True for tasks that may be selected.
        duplicate_of: (N,) row of the near-duplicate that comes first: the row itself, another one,
            or `LABELLED`.
        uncertainty: (N,) in [0, 1]; None before the first model.
        labelled_rows: (M, D) directions of labelled texts.
        labels: Number of labels that train the model.
        trust: Labels at which uncertainty counts as much as coverage.
    """

    languages: Languages
    directions: Directions
    eligible: NDArray[np.bool_]
    duplicate_of: NDArray[np.intp]
    uncertainty: NDArray[np.float64] | None
    labelled_rows: NDArray[np.float32]
    labels: int
    trust: int


def measure_pool(
    pool: Pool,
    languages: Languages,
    eligible: NDArray[np.bool_],
    uncertainty: NDArray[np.float64] | None,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> Geometry | None:
    """Measures the pool.

    Of near-duplicates, only the most uncertain one is eligible. Of a language with many tasks, only
    a random part is eligible.

    Returns:
        None if the pool has no tasks or no vectors.
    """
    if pool.vectors is None or not len(pool.ids):
        return None
    directions, labelled, labelled_number = _directions(pool, pool.vectors, languages)
    order = rng.permutation(np.flatnonzero(eligible))
    if uncertainty is not None:
        order = order[np.argsort(-uncertainty[order], kind="stable")]
    drawn = rng.permutation(len(order))
    duplicate_of = np.arange(len(pool.ids))
    compared = np.zeros(len(pool.ids), dtype=bool)
    most = max(_COMPARED_PER_LANGUAGE, _COMPARED // len(languages.keys))
    for number in range(len(languages.keys)):
        places = np.flatnonzero(languages.number[order] == number)
        places = places[np.sort(np.argsort(drawn[places])[:most])]  # still the uncertain first
        rows = order[places]
        compared[rows] = True
        known = labelled[labelled_number == number]
        duplicate_of[rows] = _first_duplicates(directions.of(rows), rows, known, options)
    return Geometry(
        languages=languages,
        directions=directions,
        eligible=compared & (duplicate_of == np.arange(len(duplicate_of))),
        duplicate_of=duplicate_of,
        uncertainty=uncertainty,
        labelled_rows=labelled,
        labels=pool.labels,
        trust=options.cold_labels,
    )


def reference_rows(geometry: Geometry, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draws the texts to cover: equally many of each target language, if it has enough.

    If there are no target languages, draws from all languages.
    """
    number, source = geometry.languages.number, geometry.languages.source
    wanted = np.flatnonzero(~source if (~source[number]).any() else np.ones_like(source))
    each = max(_REFERENCES_PER_LANGUAGE, _REFERENCES // len(wanted))
    order = rng.permutation(len(number))
    return np.concatenate([order[number[order] == language][:each] for language in wanted])


def source_nearness(geometry: Geometry, rng: np.random.Generator) -> float:
    """Measures how near the source's texts are to the targets', without labels.

    Among the nearest texts in other languages that a target text has, compares the share in a
    source language with the share expected by chance. A source far from the targets teaches them
    little: at half the nearness, it gets half the slots.

    Returns:
        In [0, 1]; 1 if the source is as near to the targets as they are to one another.
    """
    number, source = geometry.languages.number, geometry.languages.source
    rows = reference_rows(geometry, rng)
    each = max(1, _REFERENCES // len(source))
    order = rng.permutation(len(number))
    others = np.concatenate([order[number[order] == k][:each] for k in range(len(source))])
    x, y = geometry.directions.of(rows), geometry.directions.of(others)
    seen = expected = 0.0
    for language in np.unique(number[rows]).tolist():
        foreign = number[others] != language
        is_source = source[number[others[foreign]]]
        if source[language] or not is_source.any() or is_source.all():
            continue
        near, _ = nearest(x[number[rows] == language], y[foreign], _NEAREST)
        seen += float(is_source[near].mean())
        expected += float(is_source.mean())
    return min(1.0, seen / expected) if expected else 1.0


def _directions(
    pool: Pool, vectors: NDArray[np.floating], languages: Languages
) -> tuple[Directions, NDArray[np.float32], NDArray[np.intp]]:
    """Computes directions of the tasks and of M labelled texts.

    A labelled text in a language without tasks gets a number beyond those of the pool.

    Returns:
        Directions of the tasks, directions of labelled texts (M, D), languages of these (M,).
    """
    numbers = {key: number for number, key in enumerate(languages.keys)}
    labelled, langs = pool.labelled_vectors, pool.labelled_langs
    if labelled is None:
        labelled, langs = np.empty((0, vectors.shape[1]), dtype=np.float32), ()
    labelled_number = np.array(
        [numbers.setdefault(normalise(code), len(numbers)) for code in langs], dtype=np.intp
    )
    middle = centres([(vectors, languages.number), (labelled, labelled_number)], len(numbers))
    of_labelled = Directions(vectors=labelled, number=labelled_number, centres=middle)
    return (
        Directions(vectors=vectors, number=languages.number, centres=middle),
        of_labelled.of(np.arange(len(labelled))),
        labelled_number,
    )


def _first_duplicates(
    directions: NDArray[np.float32],
    rows: NDArray[np.intp],
    labelled: NDArray[np.float32],
    options: SamplerOptions,
) -> NDArray[np.intp]:
    """Returns, for each of the rows, its first near-duplicate: a row or `LABELLED`."""
    if options.near_duplicate >= 1.0 or not len(rows):
        return rows
    first = near_duplicates(np.concatenate([labelled, directions]), options.near_duplicate)
    place = first[len(labelled) :] - len(labelled)
    return np.where(place < 0, LABELLED, rows[np.maximum(place, 0)])
