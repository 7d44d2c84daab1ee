"""An index in a folder: written whole or not at all, mapped into memory, and made to follow a pool.

Nothing in it is ever unpickled. It holds no texts, only ids, digests, terms and vectors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.disk.outputs import beside, check_folder, put_in_place
from xlt.errors import DataError, StoreError
from xlt.search.index import Index, Row
from xlt.search.lexical import Lexical
from xlt.search.vectors import Space, Vectors

#: Goes up when older folders cannot be read.
_FORMAT = 1
_MANIFEST, _ROWS, _TERMS = "index.json", "rows.jsonl", "terms"
_ARRAYS = {"rows": np.int8, "scales": np.float32, "origin": np.float32}
Read = Callable[[Sequence[Example]], NDArray[np.floating]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Differences between a pool and an older index of it, in texts.

    Attributes:
        new: Ids that it did not have.
        deleted: Ids that the pool has no more.
        changed: Ids with another text, language or label.
        again: Whether all texts are read again, and why; empty if not.
    """

    new: int = 0
    deleted: int = 0
    changed: int = 0
    again: str = ""

    def __bool__(self) -> bool:
        return bool(self.new or self.deleted or self.changed or self.again)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stored:
    """An index with the encoder that it belongs to.

    Attributes:
        reader: Identifies the encoder that read the texts.
        index: The index.
    """

    reader: str
    index: Index


def follow(
    old: Stored | None, examples: Sequence[Example], reader: str, read: Read
) -> tuple[Stored, Changes]:
    """Returns the index of a pool, and how it differs from an older one.

    Texts that the older one has are not read again.

    Args:
        old: The older index, if there is one.
        examples: The pool, N >= 1 examples.
        reader: Identifies the encoder.
        read: Returns vectors (n, D) of examples.
    """
    rows = [Row.of(example) for example in examples]
    changes = _changes(old, rows, reader)
    if old is not None and not changes and list(old.index.rows) == rows:
        return old, changes
    known = old.index if old is not None and not changes.again else None
    vectors = _vectors(known, examples, rows, read)
    space = Space.of(vectors, [row.lang for row in rows])
    lexical = Lexical.of([example.text for example in examples])
    return Stored(reader=reader, index=Index(rows=rows, space=space, lexical=lexical)), changes


def _changes(old: Stored | None, rows: Sequence[Row], reader: str) -> Changes:
    if old is None:
        return Changes(new=len(rows))
    before = {row.id: row for row in old.index.rows}
    now = {row.id: row for row in rows}
    return Changes(
        new=len(now.keys() - before.keys()),
        deleted=len(before.keys() - now.keys()),
        changed=sum(before[id] != now[id] for id in now.keys() & before.keys()),
        again="" if old.reader == reader else "another encoder",
    )


def _vectors(
    known: Index | None, examples: Sequence[Example], rows: Sequence[Row], read: Read
) -> Vectors:
    """Returns the vectors of a pool; reads the texts that are not known."""
    if known is None:
        return Vectors.of(read(examples))
    place = {row.digest: number for number, row in enumerate(known.rows)}
    new = [number for number, row in enumerate(rows) if row.digest not in place]
    old = [number for number, row in enumerate(rows) if row.digest in place]
    stored = known.space.vectors
    values = np.empty((len(rows), stored.rows.shape[1]), dtype=np.int8)
    scales = np.empty(len(rows), dtype=np.float32)
    places = np.array([place[rows[number].digest] for number in old], dtype=np.intp)
    values[old], scales[old] = stored.rows[places], stored.scales[places]
    if new:
        added = Vectors.of(read([examples[number] for number in new]), stored.origin)
        values[new], scales[new] = added.rows, added.scales
    return Vectors(rows=values, scales=scales, origin=np.array(stored.origin))


def save(stored: Stored, folder: Path) -> None:
    """Writes an index; it replaces the older one in one step.

    Raises:
        StoreError: If it cannot be written, or the folder holds something else.
    """
    check_folder(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MANIFEST).is_file():
        raise StoreError(f"{folder} is not an index: name another folder, or remove it first")
    index, made = stored.index, beside(folder)
    made.mkdir(parents=True)
    with (made / _ROWS).open("w", encoding="utf-8", errors="surrogatepass") as file:
        file.writelines(json.dumps(asdict(row)) + "\n" for row in index.rows)
    for name in _ARRAYS:
        np.save(made / f"{name}.npy", getattr(index.space.vectors, name), allow_pickle=False)
    index.lexical.save(made / _TERMS)
    manifest = {"format": _FORMAT, "reader": stored.reader, "texts": len(index)}
    (made / _MANIFEST).write_text(json.dumps(manifest) + "\n", encoding="utf-8")
    put_in_place(made, folder, replaces=True)


def load(folder: Path) -> Stored | None:
    """Reads an index; None if there is none. Vectors and terms are mapped into memory.

    Raises:
        DataError: If it is damaged, or of another version of xlt.
    """
    if not (folder / _MANIFEST).is_file():
        return None
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        if manifest["format"] != _FORMAT:
            raise DataError(f"{folder} is of another version of xlt")
        with (folder / _ROWS).open(encoding="utf-8") as file:
            rows = [Row(**json.loads(line)) for line in file]
        arrays = {name: _array(folder, name) for name in _ARRAYS}
        reader, count = str(manifest["reader"]), int(manifest["texts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} is damaged: {error}") from error
    vectors = Vectors(**arrays)
    whole = vectors.rows.ndim == 2 and vectors.origin.shape == vectors.rows.shape[1:]
    if not whole or {len(rows), len(vectors), len(vectors.scales)} != {count}:
        raise DataError(f"{folder} is damaged: its files do not belong together")
    lexical = Lexical.load(folder / _TERMS, count)
    space = Space.of(vectors, [row.lang for row in rows])
    return Stored(reader=reader, index=Index(rows=rows, space=space, lexical=lexical))


def _array(folder: Path, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    if array.dtype != _ARRAYS[name]:
        raise ValueError(f"{name}.npy holds {array.dtype}")
    return array
