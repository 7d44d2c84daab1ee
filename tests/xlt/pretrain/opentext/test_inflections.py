"""Forms of words that are translated: their English, and the choice of them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.pretrain.opentext.samples import (
    deb,
    dictd,
    frontcoded,
    packed,
    quiet,
    source,
    table,
    wheel,
)
from xlt.errors import DataError
from xlt.pretrain.opentext.build import build
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.inflections import inflection_entries, lemmas_of
from xlt.pretrain.opentext.sources import read_sources


def entry(english, *translations):
    """An English text and its translations."""
    return Entry(corpus="wikdict", english=english, translations=translations)


def test_heads_are_single_words_with_the_first_two_of_their_translations():
    """Few English words, small letters, one name for a language of several codes."""
    found = lemmas_of(
        [
            entry("house", ("fin", "Talo"), ("nob", "hus")),
            entry("house", ("fin", "talo")),
            entry("a very large house", ("fin", "talo")),
            entry("block of flats", ("fin", "talo"), ("fin", "kerros talo")),
            entry("home", ("fin", "talo")),
            entry("building", ("nno", " hus ")),
        ]
    )

    assert found["fin"] == {"talo": ("house", "block of flats")}
    assert found["nor"] == {"hus": ("house", "building")}


PACKAGE = source(b"", corpus="forms", reader="lemmas", pattern=r"(?P<lang>\w+)\.plzma$")


def found(heads, dictionaries, **most):
    """Language, form and English of the entries, in their order."""
    files = [(f"data/{tag}.plzma", packed(frontcoded(x))) for tag, x in dictionaries.items()]
    entries = list(inflection_entries(PACKAGE, files, heads, **most))
    assert {(made.corpus, made.key, len(made.translations)) for made in entries} <= {
        ("forms", "", 1)
    }
    return [(*made.translations[0], made.english) for made in entries]


LONG = "p q r s"  # English of too many words
WORDS = st.text("aAbB1- ", min_size=1, max_size=3)


@given(
    st.lists(st.tuples(st.sampled_from(["x", "X y", "p q r", LONG]), WORDS), max_size=12),
    st.dictionaries(WORDS, WORDS, max_size=25),
)
def test_a_form_has_the_english_of_its_lemma(translations, lemmas):
    """Not a form that is translated itself, nor one with signs; nothing else is missing."""
    heads = lemmas_of(entry(english, ("fin", word)) for english, word in translations)
    expected = {
        ("fin", form.lower(), english)
        for form, lemma in lemmas.items()
        for english in list(
            dict.fromkeys(
                english
                for english, word in translations
                if word.strip().lower() == lemma.lower() and english != LONG
            )
        )[:2]
        if len(lemma.split()) == 1
        and lemma == lemma.strip()
        and form.lower()
        not in {word.strip().lower() for english, word in translations if english != LONG}
        and form.isalpha()
    }

    rows = found(heads, {"fi": lemmas.items()}, most_forms=1000)

    assert rows == sorted(expected)


def test_every_language_has_its_own_dictionary():
    """Both Norwegian ones are for one language; a language without heads gives nothing."""
    heads = lemmas_of([entry("house", ("nor", "hus"), ("est", "maja"))])
    dictionaries = {
        "nb": [("husene", "hus"), ("huset", "hus")],
        "nn": [("husa", "hus"), ("huset", "hus")],
        "et": [("majas", "Maja")],
        "fi": [("talossa", "talo")],
        "zz": [("huse", "hus")],
    }

    assert found(heads, dictionaries) == [
        ("est", "majas", "house"),
        *(("nor", form, "house") for form in ("husa", "husene", "huset")),
    ]


def test_marks_belong_to_words_and_english_is_no_translation():
    """Vowel signs are no letters to Python; a form spelled like its English says nothing."""
    heads = lemmas_of([entry("house", ("hin", "घर")), entry("Computer", ("hin", "संगणक"))])
    forms = [("घरों", "घर"), ("computer", "संगणक"), ("घर-घर", "घर")]

    assert found(heads, {"hi": forms}) == [("hin", "घरों", "house")]


def test_languages_of_freeling_are_not_taken():
    """Some of its lists may not be shared as ours are, and the package does not say which."""
    (package,) = (source for source in read_sources() if source.reader == "lemmas")
    folder = "simplemma/strategies/dictionaries/data"

    for tag in (
        "ast",
        "ca",
        "cs",
        "cy",
        "de",
        "en",
        "es",
        "fr",
        "gl",
        "hbs",
        "it",
        "nb",
        "pt",
        "ru",
    ):
        assert not re.search(package.pattern, f"{folder}/{tag}.plzma")
    assert re.search(package.pattern, f"{folder}/fi.plzma")["lang"] == "fi"


ENDINGS = [a + b for a in "abcdefgh" for b in "ijklmnop"]
HEADS = lemmas_of(
    [entry(e, ("fin", w)) for w in ("talo", "yö") for e in ("house", "night", "third")]
)
MANY = [(lemma + ending, lemma) for lemma in ("talo", "yö") for ending in ENDINGS]


def test_a_lemma_has_so_many_forms():
    """Each with both translations."""
    rows = found(HEADS, {"fi": MANY})

    assert len(rows) == 2 * 12 * 2
    assert sum(form.startswith("talo") for _, form, _ in rows) == 12 * 2


def test_a_language_has_so_many_rows():
    """And another language as many again."""
    heads = {"fin": HEADS["fin"], "est": HEADS["fin"]}

    rows = found(heads, {"fi": MANY, "et": MANY}, most_forms=40, most_rows=50)

    assert [language for language, *_ in rows] == ["est"] * 50 + ["fin"] * 50
    assert len(found(HEADS, {"fi": MANY}, most_forms=40)) == 2 * 40 * 2


def test_the_choice_is_by_a_digest_of_the_words():
    """The lowest, so on every machine the same."""

    def lowest(texts, most):
        return sorted(texts, key=lambda text: hashlib.sha1(text.encode()).hexdigest())[:most]

    forms = lowest([f"talo{ending}" for ending in ENDINGS], 3)
    rows = lowest([f"{form}\t{english}" for form in forms for english in ("house", "night")], 4)

    chosen = found(HEADS, {"fi": MANY[: len(ENDINGS)]}, most_forms=3, most_rows=4)

    assert {f"{form}\t{english}" for _, form, english in chosen} == set(rows)
    assert chosen == sorted(chosen)
    assert lowest([f"talo{ending}" for ending in ENDINGS], 2) == ["talodn", "talohi"]


@given(st.permutations(MANY[::8]), st.permutations(["et", "fi"]), st.integers(0, 9))
def test_the_choice_depends_on_no_order(forms, tags, most):
    """Neither on that of words, nor of files; and a larger choice has the smaller one in it."""
    heads = {language: dict(reversed(HEADS["fin"].items())) for language in ("fin", "est")}
    plain = {"fin": HEADS["fin"], "est": HEADS["fin"]}

    rows = found(heads, {tag: forms for tag in tags}, most_forms=most)

    assert rows == found(plain, {"fi": MANY[::8], "et": MANY[::8]}, most_forms=most)
    assert set(rows) <= set(found(plain, {"fi": forms, "et": forms}, most_forms=most + 1))


@pytest.fixture
def sources(tmp_path):
    """A dictionary and forms of its words, under two licences."""
    words = deb(dictd("deu-eng", ["Katze <n>\ncat\n", "Hund <n>\ndog\n"]))
    forms = [("Katzen", "Katze"), ("Hunde", "Hund"), ("Hundes", "Hund")]
    lemmas = wheel({"data/de.plzma": packed(frontcoded(forms))})
    (tmp_path / "words-1.0.deb").write_bytes(words)
    (tmp_path / "lemmas-1.0.whl").write_bytes(lemmas)
    pattern = r"freedict-(?P<first>\w{3})-(?P<second>\w{3})\.(index|dict\.dz)$"
    return (
        source(
            words, file="words-1.0.deb", reader="dictd", corpus="wikdict", pattern=pattern,
            licence="CC-BY-SA-3.0",
        ),
        replace(PACKAGE, file="lemmas-1.0.whl", sha256=hashlib.sha256(lemmas).hexdigest()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("left_out", "forms"),
    [
        ("KATZEN!", ["hunde", "hundes"]),
        ("Dog", ["katzen"]),
        ("Katze", ["hunde", "hundes"]),
        ("Pferd", ["hunde", "hundes", "katzen"]),
    ],
)
def test_forms_of_evaluation_texts_are_left_out(left_out, forms, sources, tmp_path):
    """The form itself, its English, and every form of a word that is left out."""
    out = tmp_path / "out.parquet"

    build(
        out,
        sources=sources,
        cache=tmp_path,
        vocabulary={"cat", "dog"},
        exclude=[table(tmp_path / "test.parquet", text=[left_out])],
        progress=quiet,
    )

    rows = pq.read_table(out).to_pylist()
    assert [row["text"] for row in rows if row["corpus"] == "forms"] == forms


def test_forms_are_under_the_licences_of_their_english_too(sources, tmp_path):
    """The English is that of a dictionary: whoever passes the rows on has to name both."""
    summary = build(
        tmp_path / "out.parquet",
        sources=sources,
        cache=tmp_path,
        vocabulary={"cat", "dog"},
        progress=quiet,
    )

    assert summary["corpora"]["forms"] == {
        "rows": 3,
        "languages": 1,
        "licences": ["CC-BY-SA-3.0", "MIT"],
    }
    assert summary["corpora"]["wikdict"]["licences"] == ["CC-BY-SA-3.0"]


def test_a_damaged_dictionary_ends_the_build(sources, tmp_path):
    """It is named, and no half table is left."""
    words, lemmas = sources
    data = wheel({"data/de.plzma": packed(frontcoded([("Katzen", "Katze")])[:-1])})
    (tmp_path / "lemmas-1.0.whl").write_bytes(data)
    damaged = replace(lemmas, sha256=hashlib.sha256(data).hexdigest())

    with pytest.raises(DataError, match=r"data/de\.plzma is truncated"):
        build(
            tmp_path / "out.parquet",
            sources=[words, damaged],
            cache=tmp_path,
            vocabulary={"cat"},
            progress=quiet,
        )

    assert not (tmp_path / "out.parquet").exists()
