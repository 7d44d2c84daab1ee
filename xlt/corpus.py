"""Tables of texts as examples, and splits that keep translations together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from xlt.schema import Example


def read_examples(
    path: str | Path,
    *,
    text: str | None = None,
    lang: str | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    split: str | None = None,
) -> list[Example]:
    """Reads a CSV, TSV, JSONL or Parquet file, or `name:split` of a Hub data set.

    A column that is not named is looked for under its usual names (`text`, `sentence`, `tweet`
    ...); a column that is named must be there.

    Args:
        path: The file, by suffix (`.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.parquet`, `.gz` of the
            first three), or a Hub data set as `owner/name:split`.
        text: Column with the text.
        lang: Column with the language code.
        label: Column with the label.
        id: Column with an id; ids that repeat (translations) become groups.
        group: Column whose equal values mean the same sentence.
        split: Keep only rows whose `split` column has this value.

    Raises:
        DataError: If there is no such file or column, or a row is bad (its number is named).
    """
    raise NotImplementedError


def write_jsonl(path: Path, examples: Iterable[Example]) -> None:
    """Writes examples so that `read_examples` gives them back."""
    raise NotImplementedError


def split_by_group(
    examples: Sequence[Example], share: float, rng: np.random.Generator
) -> tuple[list[Example], list[Example]]:
    """Splits into (train, held out); no group is on both sides, order is kept.

    Args:
        examples: What to split.
        share: Share of the groups that is held out, in [0, 1].
        rng: Decides which.
    """
    raise NotImplementedError
