"""Cache of a version's scores on this machine's disk; losing it costs time only."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.errors import DataError
from xlt.tasks.outputs import Outputs, Scores

logger = logging.getLogger(__name__)


def file_of(version: str) -> str:
    """Returns the name of the file with a version's scores."""
    return f"scores-{version}.npz"


def text_key(example: Example) -> str:
    """Returns the key of an example's score, by all that a model reads.

    An edited text has another key, and so has one whose language was corrected: frozen models read
    a text by its language.
    """
    read = "\0".join((example.id, normalise(example.lang), *example.texts))
    return hashlib.blake2s(read.encode(), digest_size=12).hexdigest()


def _former_key(example: Example) -> str:
    """Returns the key that xlt had before frozen models, which alone read the language."""
    return hashlib.blake2s(f"{example.id}\0{example.text}".encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cached:
    """Scores with the keys of their texts.

    Attributes:
        keys: (N,) of `text_key`; in files of former versions, of `_former_key`.
        scores: Scores of the N texts; outputs of the untrained encoder have no columns.
        tasks: (N,) ids of the tasks; empty text where a former version wrote the score.
        langs: (N,) their languages.
    """

    keys: NDArray[np.str_]
    scores: Scores
    tasks: NDArray[np.str_]
    langs: NDArray[np.str_]

    def missing(self, examples: Sequence[Example]) -> list[Example]:
        """Returns the examples that have no score here, each once."""
        known = set(self.keys.tolist())
        wanted = {text_key(example): example for example in examples}
        return [
            example
            for key, example in wanted.items()
            if key not in known and _former_key(example) not in known
        ]

    def rows(self, examples: Sequence[Example]) -> Scores:
        """Returns the scores of these examples, in their order.

        Raises:
            KeyError: If one of them has none.
        """
        if len(examples) == 0:
            return self.scores.take([])
        at = {key: row for row, key in enumerate(self.keys.tolist())}
        keys = ((text_key(example), _former_key(example)) for example in examples)
        return self.scores.take([at[key] if key in at else at[former] for key, former in keys])

    def with_scores(self, examples: Sequence[Example], scores: Scores) -> Cached:
        """Adds scores of more examples; a text that is known already keeps its own.

        Vectors of pairs are longer than those of single texts. If the project's interface was
        edited between, the scores of the other number of texts are dropped.
        """
        fresh = set(map(text_key, self.missing(examples)))
        new: dict[str, int] = {}
        for row, key in enumerate(map(text_key, examples)):
            if key in fresh:
                new.setdefault(key, row)
        keys, added = np.array(list(new), dtype=np.str_), scores.take(list(new.values()))
        if len(keys) == 0:
            return self
        tasks = np.array([examples[row].id for row in new.values()], dtype=np.str_)
        langs = np.array([examples[row].lang for row in new.values()], dtype=np.str_)
        if len(self.keys) == 0 or self.scores.vectors.shape[1] != added.vectors.shape[1]:
            return Cached(keys=keys, scores=added, tasks=tasks, langs=langs)
        return Cached(
            keys=np.concatenate([self.keys, keys]),
            scores=self.scores.concat(added),
            tasks=np.concatenate([self.tasks, tasks]),
            langs=np.concatenate([self.langs, langs]),
        )


EMPTY = Cached(
    keys=np.zeros(0, np.str_),
    tasks=np.zeros(0, np.str_),
    langs=np.zeros(0, np.str_),
    scores=Scores(
        outputs=Outputs(np.zeros((0, 0), np.float32)), vectors=np.zeros((0, 0), np.float32)
    ),
)


def load(path: Path, *, vectors: bool = True) -> Cached:
    """Reads a cache; returns an empty one if the file is missing or damaged.

    Args:
        path: The file.
        vectors: Reads the vectors, which are most of it; without them they have no columns.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            keys = arrays["keys"]
            read = arrays["vectors"] if vectors else np.zeros((len(keys), 0), np.float32)
            scores = Scores(outputs=Outputs.from_arrays(arrays), vectors=read)
            former = np.zeros(len(keys), np.str_)  # of xlt that kept no names of tasks
            tasks, langs = (arrays.get(n, former) for n in ("tasks", "langs"))
            return Cached(keys=keys, scores=scores, tasks=tasks, langs=langs)
    except FileNotFoundError:
        return EMPTY
    except (OSError, ValueError, KeyError, BadZipFile, EOFError, DataError) as error:
        logger.warning("%s is damaged, the scores are computed again: %s", path, error)
        return EMPTY


def save(path: Path, cached: Cached) -> None:
    """Writes a cache for the next round; on a full disk it is left out."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            outputs, vectors = cached.scores.outputs.arrays(), cached.scores.vectors
            np.savez(
                file,
                keys=cached.keys,
                tasks=cached.tasks,
                langs=cached.langs,
                **outputs,
                vectors=vectors,
            )
        fresh.replace(path)
    except OSError as error:
        logger.warning("scores are not cached: %s", error)
        with suppress(OSError):
            fresh.unlink()
