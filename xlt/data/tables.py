"""Reads rows of CSV, TSV, JSON, JSONL, Parquet and CoNLL files and of Hub data sets."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from xlt.data.class_labels import class_names, class_names_of_schema, with_class_names
from xlt.data.delimited import delimited
from xlt.data.jsonrows import json_rows
from xlt.data.marked.conll import conll_rows
from xlt.data.rows import Row, is_blank
from xlt.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?(:[\w.+\[\]%-]+)?")


def read_rows(path: str | Path) -> list[Row]:
    """Reads a table; rows with nothing in them are left out.

    Args:
        path: A file ending in `.csv`, `.tsv`, `.json`, `.jsonl`, `.ndjson` (each also `.gz`) or
            `.parquet`, a file with a token per line (`.conll`, `.conllu`, `.conllup`, `.iob`,
            `.iob2`, `.bio`, each also `.gz`), or a Hub data set as `owner/name:split`.

    Raises:
        DataError: If the table does not exist or cannot be read; names the line if one is invalid.
    """
    rows = _all_rows(path)
    return [(number, row) for number, row in rows if not all(map(is_blank, row.values()))]


def _all_rows(path: str | Path) -> list[Row]:
    file = Path(path)
    suffixes = [suffix.lower() for suffix in file.suffixes]
    packed = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if packed else suffixes)[-1:]
    reader = _READERS.get(kind[0] if kind else "")
    if reader is None or (packed and kind == [".parquet"]):
        return _hub_rows(str(path), file)
    if not file.is_file():
        raise DataError(f"there is no file {path}")
    try:
        if kind == [".parquet"]:
            return _parquet(file)
        with (
            gzip.open(file, "rt", encoding="utf-8-sig", newline="")
            if packed
            else open(file, encoding="utf-8-sig", newline="") as stream
        ):
            return list(reader(stream, str(path)))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except (OSError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _parquet(file: Path) -> list[Row]:
    import pyarrow  # type: ignore[import-untyped]  # no stubs
    import pyarrow.parquet  # type: ignore[import-untyped]  # no stubs

    try:
        table = pyarrow.parquet.read_table(file)
    except pyarrow.ArrowException as error:
        raise DataError(f"cannot read {file} as a Parquet file: {error}") from error
    names = class_names_of_schema(table.schema.metadata)
    return list(enumerate(with_class_names(table.to_pylist(), names, str(file)), start=1))


def _hub_rows(path: str, file: Path) -> list[Row]:
    """Reads a Hub data set; class labels become their names."""
    if file.exists() or not _HUB.fullmatch(path):
        raise DataError(
            f"expected a file ending in {', '.join(_READERS)} or a Hub data set as "
            f"owner/name:split, got {path}"
        )
    import datasets  # type: ignore[import-untyped]  # no stubs

    name, _, split = path.partition(":")
    try:
        table = datasets.load_dataset(name, split=split or "train")
    except Exception as error:  # datasets raises anything from httpx to KeyError
        raise DataError(
            f"there is no file {path}, and no data set of that name can be loaded: {error}"
        ) from error
    names = class_names(table.features.to_dict())
    return list(enumerate(with_class_names(table, names, path), start=1))


_READERS: dict[str, Callable[[TextIO, str], Iterator[Row]]] = {
    ".csv": delimited(None),
    ".tsv": delimited("\t"),
    ".json": json_rows,
    ".jsonl": json_rows,
    ".ndjson": json_rows,
    ".parquet": json_rows,
    **dict.fromkeys((".conll", ".conllu", ".conllup", ".iob", ".iob2", ".bio"), conll_rows),
}
