"""Texts of an adaptation, from examples and tables."""

from __future__ import annotations

import pytest

from xlt.adapt.texts import Pair, from_examples, pairs_for, read_translations
from xlt.data.examples import Example
from xlt.errors import DataError

LANGS = ["hau_Latn", "Hausa", "qu", "quy", "klingon-north"]


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


def test_texts_that_belong_together_are_texts_of_their_own():
    """A pair is two texts of its language to an encoder that reads them apart."""
    rows = [("1", ("goat", "house"), "eng"), ("2", ("awaki", "gida"), "ha")]
    examples = [Example(id=i, texts=texts, lang=lang) for i, texts, lang in rows]

    data = from_examples(examples, source="en")

    assert data.texts == (("ha", "awaki"), ("ha", "gida"))
    assert data.sources == ("goat", "house")


def test_spellings_of_one_language_are_one():
    """Texts, translations and words may be written by different people."""
    rows = [("1", "goat", "English"), ("2", "awaki", "hausa"), ("3", "akuya", "ha")]
    examples = [Example(id=i, texts=(text,), lang=lang) for i, text, lang in rows]
    pair = Pair(text="gida", source="house", lang="hau_Latn")

    data = from_examples(examples, source="en", pairs=[pair], lexicon=[pair])

    assert data.languages == ("hausa",)
    assert data.pairs == data.lexicon == (Pair(text="gida", source="house", lang="hausa"),)
    assert data.sources == ("goat",)


def test_translations_are_for_the_languages_of_their_codes():
    """And for members of their macrolanguage, or the macrolanguage of which they are members."""
    pairs = [Pair(text=f"{n}", source="x", lang=lang) for n, lang in enumerate(LANGS)]

    def found(*languages):
        return [(pair.text, pair.lang) for pair in pairs_for(set(languages), pairs)]

    assert found("hau") == [("0", "hau"), ("1", "hau")]
    assert found("que") == [("2", "que"), ("3", "que")]
    assert sorted(found("quy", "quh")) == [("2", "quh"), ("2", "quy"), ("3", "quy")]
    assert found("que", "quy") == [("2", "que"), ("3", "quy")]
    assert found("yor") == []


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
