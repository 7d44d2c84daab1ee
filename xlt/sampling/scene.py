"""The geometry of a pool: directions, twins, what is to be covered, how near the source is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.sampling.directions import Directions, centres, near_duplicates
from xlt.sampling.neighbours import nearest
from xlt.sampling.order import LABELLED
from xlt.sampling.plan import Tongues
from xlt.sampling.pool import Pool, SamplerOptions

# Every text is compared with the others of its language. Where there are more, so many drawn at
# random can be chosen in a round: of all languages together, or of each if that is more.
_COMPARED = 12_000
_COMPARED_PER_LANGUAGE = 1_000
_REFERENCES = 1_536
_REFERENCES_PER_LANGUAGE = 32
_NEAREST = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What a batch is chosen from.

    Attributes:
        tongues: The L languages of the N tasks.
        directions: Of all tasks.
        eligible: (N,) tasks that may be chosen.
        twin_of: (N,) the row that says nearly the same: itself, another, or `LABELLED`.
        uncertainty: (N,) in [0, 1]; None before the first model.
        labelled_rows: (M, D) directions of labelled texts.
        labels: How many labels train the model.
        trust: Labels at which uncertainty counts as much as coverage.
    """

    tongues: Tongues
    directions: Directions
    eligible: NDArray[np.bool_]
    twin_of: NDArray[np.intp]
    uncertainty: NDArray[np.float64] | None
    labelled_rows: NDArray[np.float32]
    labels: int
    trust: int


def make_scene(
    pool: Pool,
    tongues: Tongues,
    eligible: NDArray[np.bool_],
    uncertainty: NDArray[np.float64] | None,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> Scene | None:
    """Measures the pool; None where it has no tasks or no vectors.

    Of texts that say the same, only the most uncertain is eligible; of a language with many tasks,
    so many drawn at random.
    """
    if pool.vectors is None or not len(pool.ids):
        return None
    directions, known, of_known = _directions(pool, pool.vectors, tongues)
    order = rng.permutation(np.flatnonzero(eligible))
    if uncertainty is not None:
        order = order[np.argsort(-uncertainty[order], kind="stable")]
    drawn = rng.permutation(len(order))
    twin_of = np.arange(len(pool.ids))
    compared = np.zeros(len(pool.ids), dtype=bool)
    most = max(_COMPARED_PER_LANGUAGE, _COMPARED // len(tongues.keys))
    for number in range(len(tongues.keys)):
        places = np.flatnonzero(tongues.number[order] == number)
        places = places[np.sort(np.argsort(drawn[places])[:most])]  # still the unsure first
        rows = order[places]
        compared[rows] = True
        twin_of[rows] = _twins(directions.of(rows), rows, known[of_known == number], options)
    return Scene(
        tongues=tongues,
        directions=directions,
        eligible=compared & (twin_of == np.arange(len(twin_of))),
        twin_of=twin_of,
        uncertainty=uncertainty,
        labelled_rows=known,
        labels=pool.labels,
        trust=options.cold_labels,
    )


def reference_rows(scene: Scene, rng: np.random.Generator) -> NDArray[np.intp]:
    """Texts that are to be covered: of the target languages, all alike as far as they have texts.

    Of all languages where none is a target.
    """
    number, source = scene.tongues.number, scene.tongues.source
    wanted = np.flatnonzero(~source if (~source[number]).any() else np.ones_like(source))
    each = max(_REFERENCES_PER_LANGUAGE, _REFERENCES // len(wanted))
    order = rng.permutation(len(number))
    return np.concatenate([order[number[order] == language][:each] for language in wanted])


def source_nearness(scene: Scene, rng: np.random.Generator) -> float:
    """How near the source's texts are to the targets', in [0, 1]; 1: as the targets to one another.

    Among the nearest texts in other languages that a target text has, the share that is in a source
    language, against the share that would be there by chance. No label is needed. What is far from
    the targets teaches them little: with a source at half the nearness, half the slots go there.
    """
    number, source = scene.tongues.number, scene.tongues.source
    rows = reference_rows(scene, rng)
    each = max(1, _REFERENCES // len(source))
    order = rng.permutation(len(number))
    others = np.concatenate([order[number[order] == k][:each] for k in range(len(source))])
    x, y = scene.directions.of(rows), scene.directions.of(others)
    seen = expected = 0.0
    for language in np.unique(number[rows]).tolist():
        foreign = number[others] != language
        of_source = source[number[others[foreign]]]
        if source[language] or not of_source.any() or of_source.all():
            continue
        near, _ = nearest(x[number[rows] == language], y[foreign], _NEAREST)
        seen += float(of_source[near].mean())
        expected += float(of_source.mean())
    return min(1.0, seen / expected) if expected else 1.0


def _directions(
    pool: Pool, vectors: NDArray[np.floating], tongues: Tongues
) -> tuple[Directions, NDArray[np.float32], NDArray[np.intp]]:
    """Directions of the tasks and of labelled texts (M, D), and the latter's languages (M,).

    A labelled text in a language without tasks has a number beyond those of the pool.
    """
    numbers = {key: number for number, key in enumerate(tongues.keys)}
    labelled, langs = pool.labelled_vectors, pool.labelled_langs
    if labelled is None:
        labelled, langs = np.empty((0, vectors.shape[1]), dtype=np.float32), ()
    known = [numbers.setdefault(normalise(code), len(numbers)) for code in langs]
    of_known = np.array(known, dtype=np.intp)
    middle = centres([(vectors, tongues.number), (labelled, of_known)], len(numbers))
    of_labelled = Directions(vectors=labelled, number=of_known, centres=middle)
    return (
        Directions(vectors=vectors, number=tongues.number, centres=middle),
        of_labelled.of(np.arange(len(labelled))),
        of_known,
    )


def _twins(
    directions: NDArray[np.float32],
    rows: NDArray[np.intp],
    known: NDArray[np.float32],
    options: SamplerOptions,
) -> NDArray[np.intp]:
    """For each of the rows the one that stands for it, an earlier one or `LABELLED`."""
    if options.near_duplicate >= 1.0 or not len(rows):
        return rows
    kept = near_duplicates(np.concatenate([known, directions]), options.near_duplicate)
    place = kept[len(known) :] - len(known)
    return np.where(place < 0, LABELLED, rows[np.maximum(place, 0)])
