"""Texts of an adaptation, from examples and tables."""

from __future__ import annotations

import pytest

from xlt.adapt.texts import Pair, from_examples, read_translations
from xlt.data.examples import Example
from xlt.errors import DataError


def test_groups_are_pairs():
    """A group with a source text makes pairs; source texts are never adapted to."""
    rows = [("1", "goat", "eng", "a"), ("2", "ⴳⵓⴰⵜ", "zgh", "a"), ("3", "awaw", "zgh", None)]
    examples = [Example(id=i, texts=(t,), lang=lang, group=g) for i, t, lang, g in rows]

    data = from_examples(examples, source="en")

    assert data.pairs == (Pair(text="ⴳⵓⴰⵜ", source="goat", lang="zgh"),)
    assert data.sources == ("goat",)
    assert data.languages == ("zgh",)
    with pytest.raises(DataError, match="other than the source"):
        from_examples(examples[:1], source="en")


def test_translations_are_read_or_refused(tmp_path):
    """Columns source, target, lang; a row that lacks one is left out and said."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("source,target,lang\ngoat,ⴳⵓⴰⵜ,zgh\n", encoding="utf-8")
    bad.write_text("source,target,lang\ngoat,,zgh\n", encoding="utf-8")
    some = tmp_path / "some.csv"
    some.write_text("source,target,lang\ngoat,,zgh\nrain,ruwa,ha\nsun,rana,\n", encoding="utf-8")
    lines: list[str] = []

    assert read_translations(good) == [Pair(text="ⴳⵓⴰⵜ", source="goat", lang="zgh")]
    assert len(read_translations(some, note=lines.append)) == 1
    assert lines == ["left out 2 rows of some.csv without two texts and a language: 2, 4"]
    with pytest.raises(DataError, match=r"no row of .* has two texts"):
        read_translations(bad)
