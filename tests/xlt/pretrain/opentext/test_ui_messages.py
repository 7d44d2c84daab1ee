"""Translations of interfaces, manuals and commands."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.xlt.pretrain.opentext.samples import catalogue, package
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.ui_messages import message_entries, sentence, unrepeated


def messages(files, **fields):
    """English, translations and corpus of the entries of JSON files."""
    data = [(f"{tag}.json", json.dumps(texts).encode()) for tag, texts in files.items()]
    return [
        (entry.english, dict(entry.translations), entry.corpus)
        for entry in message_entries(package(**fields), data)
    ]


def test_messages_are_joined_by_their_paths():
    """Short ones are words; variants of one language are gathered, at most two."""
    found = messages(
        {
            "en": {"a": "Save", "b": "There is no such file.", "c": "lonely", "@metadata": "of it"},
            "pt": {"a": "Salvar", "b": "Não existe tal arquivo.", "@metadata": "dela"},
            "pt_BR": {"a": "Gravar"},
            "pt_PT": {"a": "Guardar"},
            "en_GB": {"a": "Keep"},
        }
    )

    assert found == [
        ("Save", {"por": "Gravar"}, "interface-words"),
        ("There is no such file.", {"por": "Não existe tal arquivo."}, "interface"),
    ]


def test_variants_of_a_language_are_at_most_two():
    """The plain tag's first."""
    data = [
        (f"{tag}.json", json.dumps({"a": text}).encode())
        for tag, text in (("en", "Save"), ("pt_PT", "Guardar"), ("pt_BR", "Gravar"), ("pt", "Sal"))
    ]

    (entry,) = message_entries(package(), data)

    assert entry.translations == (("por", "Sal"), ("por", "Gravar"))


@pytest.mark.parametrize(("padded", "languages"), [(False, ["deu"]), (True, ["deu", "fra"])])
def test_a_language_that_is_mostly_english_is_left_out(padded, languages):
    """It was never translated; only where gaps are filled with English its few texts are good."""
    found = messages(
        {
            "en": {"a": "Save", "b": "Open", "c": "Close"},
            "fr": {"a": "Save", "b": "Open", "c": "Fermer"},
            "de": {"a": "Sichern", "b": "Öffnen", "c": "Close"},
        },
        padded=padded,
    )

    assert sorted({code for _, texts, _ in found for code in texts}) == languages


def test_gettext_messages_bring_their_english():
    """Of plurals the last form; context is no text; a broken catalogue is empty."""
    plural = catalogue({"": "head", "menu\4Open": "Öffnen", "%d file\0%d files": "Datei\0Dateien"})

    found = list(message_entries(package(), [("de.mo", plural), ("fr.mo", b"x" * 40)]))

    assert [(e.english, e.translations) for e in found] == [
        ("Open", (("deu", "Öffnen"),)),
        ("files", (("deu", "Dateien"),)),
    ]


def portable(texts):
    """A .po file."""
    words = ("msgctxt", "msgid", "msgstr")
    entries = ([f"{w} {json.dumps(t)}\n" for w, t in zip(words, e, strict=True)] for e in texts)
    return "\n".join("".join(lines) for lines in entries).encode()


def test_half_as_many_words_as_sentences_are_chosen():
    """Of a package that has too many messages; sentences are what is scarce."""
    numbers = range(1_600)  # so that the language is no rare one
    texts = [("c", f"Open file number {number}", f"Avaa {number}") for number in numbers]
    texts += [("c", f"Word {number}", f"Sana {number}") for number in numbers]

    found = list(message_entries(package("gettext", most=4), [("fi.po", portable(texts))]))

    assert Counter(entry.corpus for entry in found) == {"interface": 4, "interface-words": 2}


def test_manuals_give_sentences():
    """No headings of few words, index entries, program lines or holes; English tags are none."""
    english = "Click <emph>OK</emph> to close it."
    sentence_of = ("a.xhp\npar_id1\nhelp.text", english, "Sulje <emph>OK</emph>:lla se.")
    other = [
        ("a.xhp\nhd_id1\nhelp.text", "Closing it", "Sulkeminen"),
        ("a.xhp\nbas_id1\nhelp.text", "Print this is a line", "Print tämä on rivi"),
        ("a.xhp\npar_id2\nhelp.text", "The sum =A1 of all", "Summa =A1 kaikista"),
        ("a.xhp\npar_id3\nhelp.text", "See also <embedvar/> of it", "Katso <embedvar/> siitä"),
        ("a.xhp\npar_id4\nhelp.text", "Text;Date;Time of the day", "Teksti;Päivä;Aika"),
    ]
    files = [
        ("fi.po", portable([sentence_of, *other])),
        ("en_GB.po", portable([(*sentence_of[:2], "Press OK to close it.")])),
        ("README", b""),
    ]

    found = list(message_entries(package("gettext", corpus="docs"), iter(files)))

    assert [(e.corpus, e.english, e.translations) for e in found] == [
        ("docs", "Click OK to close it.", (("fin", "Sulje OK:lla se."),))
    ]


def test_the_english_files_may_have_another_tag():
    """As GNOME's have, `C`."""
    pages = {"C": "One and two and three", "fi": "Yksi ja kaksi ja kolme"}
    files = [(f"{tag}.page", f"<page><p>{text}</p></page>".encode()) for tag, text in pages.items()]

    (found,) = message_entries(package(english="C", corpus="docs"), files)

    assert (found.english, found.translations) == (pages["C"], (("fin", pages["fi"]),))


def test_a_pair_that_came_before_is_left_out():
    """The same message of another package brings nothing new but other translations."""
    first = Entry(corpus="c", key="a:1", english="Save", translations=(("deu", "Sichern"),))
    again = Entry(
        corpus="c",
        key="b:1",
        english="Save",
        translations=(("deu", "Sichern"), ("fra", "Enregistrer")),
    )

    found = list(unrepeated([first, again, first]))

    assert [entry.translations for entry in found] == [
        (("deu", "Sichern"),),
        (("fra", "Enregistrer"),),
    ]


@pytest.mark.parametrize(
    ("template", "plain"),
    [
        ("turn on [all] [of] the lights", "turn on   the lights"),
        ("(turn|switch) <on> (the|my) light[s]", "turn on the light"),
        ("(a|(b|c)) [x (y|z)]d|e", "a d"),
        ("<loop>", ""),
        ("<unknown> x", " x"),
    ],
)
def test_a_template_gives_its_plainest_sentence(template, plain):
    """First alternatives, nothing optional; rules that need themselves end."""
    assert sentence(template, {"on": "(on|at)", "loop": "<loop>"}) == plain


def test_commands_are_joined_by_what_they_do():
    """Not by their place; commands of few English words say too little."""
    lights = {"slots": {"domain": "light"}, "sentences": ["turn on all [of] the lights"]}
    german = {"slots": {"domain": "light"}, "sentences": ["schalte alle Lichter ein"]}
    short = {"slots": {"domain": "fan"}, "sentences": ["fan on"]}
    kurz = {"slots": {"domain": "fan"}, "sentences": ["Lüfter ein"]}
    trees = {
        "en": {
            "intents": {"On": {"data": [short, lights]}},
            "responses": {"On": {"done": "Turned on", "if": "{% if x %}"}},
        },
        "de": {
            "intents": {"On": {"data": [german, kurz]}},
            "responses": {"On": {"done": "Eingeschaltet", "if": "{% if x %}"}},
        },
    }

    found = messages(trees, reader="intents")

    assert sorted((english, texts["deu"]) for english, texts, _ in found) == [
        ("Turned on", "Eingeschaltet"),
        ("turn on all the lights", "schalte alle Lichter ein"),
    ]
