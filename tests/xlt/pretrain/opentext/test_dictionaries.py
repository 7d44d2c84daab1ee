"""Words and their translations, as the formats of dictionaries hold them."""

from __future__ import annotations

import json

import pytest

from tests.xlt.pretrain.opentext.samples import dictd, jamdict
from xlt.errors import DataError
from xlt.pretrain.opentext.dictionaries import (
    cedict_pairs,
    dictd_entries,
    dictd_entry,
    dictd_pairs,
    drawn,
    jmdict_pairs,
    word_entries,
)
from xlt.pretrain.opentext.entries import Entry


@pytest.mark.parametrize(
    ("entry", "headword", "translations"),
    [
        ("Hyperbel /hyˈpɛʁbl̩/ <n, fem>\nхипе́рбола\neine Kurve\n", "Hyperbel", ["хипе́рбола"]),
        (
            "überhaupt <adv>\n1. въобще, изобщо\nim Allgemeinen\n2. хич\nganz und gar\n",
            "überhaupt",
            ["въобще", "изобщо", "хич"],
        ),
        ("Teilung /ˈtaɪ̯lʊŋ/ <n>\nделене 2.\nZerlegung\n 3.\nDivision\n", "Teilung", ["делене"]),
        (
            "ellips <n, ut>\n1. эллипс 2.\ngeometri\n 3.\nlingvistik\n2. многоточие\ntypografi\n",
            "ellips",
            ["эллипс", "многоточие"],
        ),
        (
            "krwiożerczy <adj>\nblood-thirsty (of animals); sanguinary\no zwierzętach\n",
            "krwiożerczy",
            ["blood-thirsty", "sanguinary"],
        ),
        ("datena skemo /datˈena skˈemo/\ndata flow chart\n", "datena skemo", ["data flow chart"]),
        ("leer <n>\n", "leer", []),
    ],
)
def test_an_entry_gives_headword_and_translations(entry, headword, translations):
    """Senses may be numbered; pronunciation, grammar, remarks and explanations are left out."""
    assert dictd_entry(entry) == (headword, translations)


def test_entries_are_found_by_the_index():
    """Each once, though headwords have several spellings; what the index says of itself is none."""
    entries = ["Straße <n>\nstreet\n", "Ärger <n>\nanger\n" + "x" * 5000 + "\n", "Z <n>\nz\n"]
    files = dictd("deu-eng", entries)

    found = list(dictd_entries(*files.values()))

    assert found == entries


def test_pairs_stand_in_both_directions_as_texts_write_them():
    """No stress marks in Bulgarian and Russian, no infinitive's `to`, no leftover of a template."""
    pairs = dictd_pairs(
        [
            ("deu", "bul", ["Hyperbel <n>\nхипе́рбола, ] на ]\n"]),
            ("eng", "spa", ["to go <v>\nir, " + "x" * 31 + "\n", "tomorrow\nmañana, papá\n"]),
        ]
    )

    assert pairs["deu", "bul"] == {("Hyperbel", "хипербола")}
    assert pairs["bul", "deu"] == {("хипербола", "Hyperbel")}
    assert pairs["spa", "eng"] == {("ir", "go"), ("mañana", "tomorrow"), ("papá", "tomorrow")}


def test_only_frequent_japanese_words_are_read(tmp_path):
    """Of words with a mark, the first spelling and the first reading, with every gloss."""
    database = tmp_path / "jam.db"
    jamdict(
        database,
        [
            (["猫", "貓"], ["ねこ", "ネコ"], ["cat (animal)", "to  purr"], ("Kanji", "KJP")),
            ([], ["ねずみ"], ["mouse"], ("Kana", "KNP")),
            (["禰"], ["ね"], ["ancestral shrine"], None),
        ],
    )

    assert sorted(jmdict_pairs(database)) == sorted(
        [
            *(("猫", "cat"), ("猫", "purr"), ("ねこ", "cat"), ("ねこ", "purr")),
            ("ねずみ", "mouse"),
        ]
    )


def test_another_database_is_refused(tmp_path):
    """One line, not a traceback of SQLite."""
    (tmp_path / "x.db").write_bytes(b"nothing")

    with pytest.raises(DataError, match="is not a database of jamdict"):
        jmdict_pairs(tmp_path / "x.db")


def test_chinese_words_are_read_in_both_writings():
    """Glosses are cut at semicolons; remarks about a word are no translation of it."""
    entries = [
        ["貓", "猫", "mao1", ["cat; (coll.) to hide oneself", "CL:隻|只[zhi1]"], [], []],
        ["%", "%", "pa1", "percent (Tw)", [], []],
        ["中華人民", "中华人民", "x", "too long", [], []],
    ]
    script = f"export default {json.dumps({'all': entries})};\n".encode()

    assert list(cedict_pairs(script)) == [
        *(("猫", "cat"), ("貓", "cat"), ("猫", "hide oneself"), ("貓", "hide oneself")),
        ("%", "percent"),
    ]


def words(pairs, **changes):
    """The pairs that are usable."""
    vocabulary = {"a", "b", "c", "d", "ice", "cream", "of", "the"}
    entries = word_entries("dict", "deu", pairs, vocabulary=vocabulary, **changes)
    return [(entry.translations[0][1], entry.english) for entry in entries]


def test_english_is_of_few_known_words():
    """Every word is one of the vocabulary's; words that are the same in both are no pair."""
    pairs = [
        *(("Eis", "ice-cream"), ("Eis", "Ice of the cream"), ("Eis", "ice of the ice cream")),
        *(("Eis", "icecream"), ("Eis", "ice!"), ("Ice", "ice"), ("", "a"), ("x" * 31, "a")),
    ]

    assert words(pairs) == [("", "a"), ("Eis", "Ice of the cream"), ("Eis", "ice-cream")]
    assert words(pairs, most_words=2) == [("", "a"), ("Eis", "ice-cream")]


def test_a_word_has_at_most_three_translations():
    """Which of them depends on nothing but their letters."""
    pairs = [("x", word) for word in "dcbad"]

    assert words(pairs) == words(pairs[::-1]) == [("x", "a"), ("x", "b"), ("x", "c")]


def test_a_draw_is_the_same_every_time():
    """So that a table can be made again; a small dictionary is taken whole."""
    entries = [Entry(corpus="c", english=str(i), translations=()) for i in range(100)]
    some = drawn(iter(entries), 10, seed=1)

    assert some == drawn(entries, 10, seed=1) != drawn(entries, 10, seed=2)
    assert [int(entry.english) for entry in some] == sorted({int(e.english) for e in some})
    assert len(some) == 10
    assert drawn(entries, 100, seed=1) == entries
