"""The table of open translations, built from one archive for each reader."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from tests.xlt.pretrain.opentext.samples import one_of_each, quiet, table
from xlt.errors import DataError
from xlt.pretrain.opentext.build import build


@pytest.fixture
def registries(tmp_path):
    """One archive for each reader, in a cache."""
    return one_of_each(tmp_path)


def test_a_build_has_rows_of_every_reader(registries):
    """Words carry their English in the key, messages have an English row."""
    cache, sources = registries
    out = cache / "out.parquet"
    vocabulary = {"cat", "dog", "hide"}

    summary = build(out, sources=sources, cache=cache, vocabulary=vocabulary, progress=quiet)

    found = [tuple(row.values()) for row in pq.read_table(out).to_pylist()]
    key = found[-3][1]
    assert key.startswith("app:")
    assert found == [
        ("wikdict", "wikdict:dog", "deu", "Hund"),
        ("wikdict", "wikdict:cat", "deu", "Katze"),
        ("jmdict", "jmdict:cat", "jpn", "ねこ"),
        ("jmdict", "jmdict:cat", "jpn", "猫"),
        ("cedict", "cedict:cat", "zho", "猫"),
        ("cedict", "cedict:hide", "zho", "猫"),
        ("cedict", "cedict:cat", "zho", "貓"),
        ("cedict", "cedict:hide", "zho", "貓"),
        ("cldr", "cldr:Germany", "fra", "Allemagne"),
        ("cldr", "cldr:Germany", "spa", "Alemania"),
        ("interface-words", key, "eng", "Save the file"),
        ("interface-words", key, "deu", "Speichern!"),
        ("forms", "forms:dog", "deu", "hunde"),
        ("forms", "forms:cat", "deu", "katzen"),
    ]
    assert summary["rows"] == 14
    assert summary["corpora"]["interface-words"] == {
        "rows": 2,
        "languages": 2,
        "licences": ["MIT"],
    }


def test_a_build_leaves_evaluation_texts_out(registries):
    """Whatever the source, in English and in translation."""
    cache, sources = registries
    exclude = [table(cache / "test.parquet", text=["speichern", "Cat", "ALEMANIA"])]

    build(
        cache / "out.parquet",
        sources=sources,
        cache=cache,
        vocabulary={"cat", "dog"},
        exclude=exclude,
        progress=quiet,
    )

    assert pq.read_table(cache / "out.parquet")["text"].to_pylist() == [
        *("Hund", "Allemagne", "hunde")
    ]


def test_a_build_without_text_is_refused(registries):
    """An empty table would only be noticed by the training."""
    cache, sources = registries

    with pytest.raises(DataError, match="the archives of 1 sources have no text"):
        build(
            cache / "out.parquet",
            sources=sources[:1],
            cache=cache,
            vocabulary={"bird"},
            progress=quiet,
        )

    assert not (cache / "out.parquet").exists()
