"""An index on the disk: it follows the pool, and is whole, refused, or not there."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from xlt.data.examples import Example
from xlt.errors import DataError, StoreError
from xlt.search.index import Query
from xlt.search.stored import Changes, follow, load, save

POOL = [
    Example(id=str(n), lang="eng" if n % 2 else "hau", texts=(f"text number {n}",))
    for n in range(12)
]


class Reader:
    """An encoder that knows numbers, and which texts it has read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, examples):
        """Returns a vector of each text."""
        self.read += [example.text for example in examples]
        seeds = [[*example.text.encode()] for example in examples]
        return np.array([np.random.default_rng(seed).normal(size=16) for seed in seeds])


@pytest.fixture
def read() -> Reader:
    """An encoder that has read nothing."""
    return Reader()


def found(stored, text: str = "number 7") -> list[tuple[str, float]]:
    """What a query finds."""
    vector = Reader()([Example(id="", texts=(text,))])[0]
    hits = stored.index.search(Query(text=text, lang="eng"), vector, 20)
    return [(stored.index.rows[hit.row].id, hit.similarity) for hit in hits]


def test_a_stored_index_finds_the_same_and_is_mapped(tmp_path, read):
    """Its vectors and terms stay on the disk."""
    made, changes = follow(None, POOL, "encoder", read)
    save(made, tmp_path / "index")
    stored = load(tmp_path / "index")

    assert changes == Changes(new=12)
    assert found(stored) == found(made)
    assert isinstance(stored.index.space.vectors.rows, np.memmap)
    assert follow(stored, POOL, "encoder", read)[0] is stored
    assert len(read.read) == 12


def test_it_follows_the_pool_and_reads_only_what_is_new(tmp_path, read):
    """New, deleted and changed texts are counted; a label or another order is no new text."""
    save(follow(None, POOL, "encoder", read)[0], tmp_path / "index")
    pool = [
        replace(POOL[1], answer="yes"),
        replace(POOL[0], texts=("another text",)),
        *POOL[3:],
        Example(id="new", texts=("a new text",), lang="eng"),
    ]
    read.read.clear()
    stored, changes = follow(load(tmp_path / "index"), pool, "encoder", read)
    save(stored, tmp_path / "index")
    fresh, _ = follow(None, pool, "encoder", Reader())
    stored = load(tmp_path / "index")

    assert changes == Changes(new=1, deleted=1, changed=2)
    assert read.read == ["another text", "a new text"]
    assert [row.id for row in stored.index.rows] == [example.id for example in pool]
    assert stored.index.wanted(labelled=True).sum() == 1
    near = dict(found(fresh))
    assert {id for id, _ in found(stored)} == set(near)
    for id, similarity in found(stored):
        assert similarity == pytest.approx(near[id], abs=0.02)


def test_rows_in_another_order_are_no_change_and_belong_to_their_texts(tmp_path, read):
    """The order of a file may change between two calls."""
    made, _ = follow(None, POOL, "encoder", read)
    stored, changes = follow(made, POOL[::-1], "encoder", read)

    assert not changes
    assert dict(found(stored)) == pytest.approx(dict(found(made)), abs=1e-5)


def test_another_encoder_reads_all_texts_again(read):
    """Vectors of two encoders are not compared."""
    made, _ = follow(None, POOL, "encoder", read)
    _, changes = follow(made, POOL, "other", read)

    assert changes == Changes(again="another encoder")
    assert len(read.read) == 24


def test_a_folder_with_something_else_is_left_alone(tmp_path, read):
    """The index does not replace what is not an index."""
    (tmp_path / "notes.txt").write_text("mine")
    made, _ = follow(None, POOL, "encoder", read)

    with pytest.raises(StoreError, match="is not an index"):
        save(made, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert load(tmp_path) is None


@pytest.mark.parametrize(
    "name", ["index.json", "rows.jsonl", "rows.npy", "scales.npy", "origin.npy", "terms"]
)
def test_a_damaged_index_is_refused(tmp_path, read, name):
    """Whichever file is cut off."""
    folder = tmp_path / "index"
    save(follow(None, POOL, "encoder", read)[0], folder)
    path = folder / name
    if path.is_dir():
        path = next(path.glob("indices*"))
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(DataError, match="is damaged"):
        load(folder)


def test_another_format_is_refused(tmp_path, read):
    """A later version may write otherwise."""
    save(follow(None, POOL, "encoder", read)[0], tmp_path / "index")
    manifest = tmp_path / "index" / "index.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))

    with pytest.raises(DataError, match="another version of xlt"):
        load(tmp_path / "index")
