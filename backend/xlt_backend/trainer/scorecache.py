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
from xlt.tasks.outputs import Scores

logger = logging.getLogger(__name__)


def text_key(example: Example) -> str:
    """Returns the key of an example's score; an edited text has another key."""
    return hashlib.blake2s(f"{example.id}\0{example.text}".encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cached:
    """Scores with the keys of their texts.

    Attributes:
        keys: (N,), by `text_key`.
        logits: (N, C) float32; C = 0 for the untrained encoder.
        vectors: (N, H) float32.
    """

    keys: NDArray[np.str_]
    logits: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def missing(self, examples: Sequence[Example]) -> list[Example]:
        """Lists the examples that have no score here, each once."""
        known = set(self.keys.tolist())
        wanted = {text_key(example): example for example in examples}
        return [example for key, example in wanted.items() if key not in known]

    def rows(self, examples: Sequence[Example]) -> Scores:
        """Returns the scores of these examples, in their order.

        Raises:
            KeyError: If one of them has none.
        """
        if len(examples) == 0:
            return Scores(logits=self.logits[:0], vectors=self.vectors[:0])
        at = {key: row for row, key in enumerate(self.keys.tolist())}
        index = np.array([at[text_key(example)] for example in examples], dtype=np.intp)
        return Scores(logits=self.logits[index], vectors=self.vectors[index])

    def with_scores(self, examples: Sequence[Example], scores: Scores) -> Cached:
        """Adds the scores of more examples; a text that has a score keeps it."""
        fresh = set(map(text_key, self.missing(examples)))
        new: dict[str, int] = {}
        for row, key in enumerate(map(text_key, examples)):
            if key in fresh:
                new.setdefault(key, row)
        keys, rows = np.array(list(new), dtype=np.str_), list(new.values())
        scores = Scores(logits=scores.logits[rows], vectors=scores.vectors[rows])
        if len(self.keys) == 0:
            return Cached(keys=keys, logits=scores.logits, vectors=scores.vectors)
        if len(keys) == 0:
            return self
        return Cached(
            keys=np.concatenate([self.keys, keys]),
            logits=np.concatenate([self.logits, scores.logits]),
            vectors=np.concatenate([self.vectors, scores.vectors]),
        )


EMPTY = Cached(
    keys=np.zeros(0, np.str_),
    logits=np.zeros((0, 0), np.float32),
    vectors=np.zeros((0, 0), np.float32),
)


def load(path: Path) -> Cached:
    """Reads a cache; returns an empty one if the file is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Cached(keys=arrays["keys"], logits=arrays["logits"], vectors=arrays["vectors"])
    except FileNotFoundError:
        return EMPTY
    except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
        logger.warning("%s is damaged, the scores are computed again: %s", path, error)
        return EMPTY


def save(path: Path, cached: Cached) -> None:
    """Writes a cache for the next round; on a full disk it is left out."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            np.savez(file, keys=cached.keys, logits=cached.logits, vectors=cached.vectors)
        fresh.replace(path)
    except OSError as error:
        logger.warning("scores are not cached: %s", error)
        with suppress(OSError):
            fresh.unlink()
