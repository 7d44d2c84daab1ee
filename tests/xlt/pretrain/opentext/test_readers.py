"""What is taken out of dictionaries, lists of names, translations of interfaces and manuals."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.xlt.pretrain.opentext.test_build import catalogue, dictd, jamdict
from xlt.errors import DataError
from xlt.pretrain.opentext.cldr import cldr_entries
from xlt.pretrain.opentext.cleaning import (
    clean,
    is_english,
    is_prose,
    is_translation,
    without_help_markup,
)
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
from xlt.pretrain.opentext.interface import interface_entries, sentence, unrepeated
from xlt.pretrain.opentext.pivot import direct, pivoted
from xlt.pretrain.opentext.readers import read_messages, read_portable
from xlt.pretrain.opentext.selection import most_translated
from xlt.pretrain.opentext.sources import Source

# Dictionaries -----------------------------------------------------------------------------------


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

    with pytest.raises(DataError, match="is no database of jamdict"):
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


# Words through third languages ------------------------------------------------------------------

LANGUAGES = ("eng", "deu", "fra", "ita", "pol")
WORDS = st.sampled_from("vwxyz")
DICTIONARIES = st.dictionaries(
    st.tuples(st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES)).filter(lambda p: p[0] < p[1]),
    st.sets(st.tuples(WORDS, WORDS), max_size=12),
)


def agreed(pairs, language, target):
    """The rule in the plainest words: two languages agree, and half as many as for the best."""
    votes = {}
    for word in "vwxyz":
        for found in "vwxyz":
            votes[word, found] = sum(
                any(
                    (word, x) in pairs[language, pivot] and (x, found) in pairs[pivot, target]
                    for x in "vwxyz"
                )
                for pivot in LANGUAGES
                if pivot not in (language, target)
            )
    return {
        (word, found)
        for (word, found), n in votes.items()
        if n >= 2 and n >= max(votes[word, other] for other in "vwxyz") / 2
    }


@given(DICTIONARIES)
@example({(a, b): {("x", "x")} for a in LANGUAGES for b in LANGUAGES if a < b})
def test_a_pivoted_pair_is_one_that_languages_agree_on(dictionaries):
    """All pairs of the rule and no others, for every language."""
    pairs = defaultdict(set)
    for (first, second), found in dictionaries.items():
        pairs[first, second] = found
        pairs[second, first] = {(b, a) for a, b in found}

    for language in LANGUAGES[1:]:
        assert pivoted(dict(pairs), language, "eng") == agreed(pairs, language, "eng")
        assert direct(dict(pairs), language, "eng") == pairs[language, "eng"]


# Cleaning -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Hello %s, you have %(count)d new messages.", "Hello, you have new messages."),
        ("Move {{count}} items to ${target} by {name}", "Move items to by"),
        ("{count, plural, one {# item} other {# items}} left", "items left"),
        ("{n, select, a {x} other {{m, plural, one {tree} other {trees}}}}", "trees"),
        ("{count, plural, one {# item}} left", ""),
        ("{count, plural, one {# item", ""),
        ("<a href='x'>Open <b>map</b></a> &amp; [the manual](http://x.y)", "Open map & the manual"),
        ("**Bold** `code`\u200b and ``more``", "Bold code and more"),
        ("&amp;lt;b&amp;gt;twice&amp;lt;/b&amp;gt; escaped", "twice escaped"),
        ("Error (%s): “%s” is “%1”", "Error: is"),
        ("  … save - ", "… save"),
        ("Zoom 100% in", "Zoom 100% in"),
        ("%d", ""),
    ],
)
def test_a_message_is_reduced_to_its_words(message, words):
    """Placeholders, markup, plurals and empty quotes go, punctuation closes up."""
    assert clean(message) == words


PARTS = st.sampled_from(
    [
        *("{", "}", "{name}", "{{x}}", "%s", "%(n)d", "<b>", "</b>", "<", ">", "&lt;", "&amp;"),
        *("&#123;", "[a](b)", "[", "](", ")", "**", "`", "'", '"', " ", ".", "-", "#", "%", "1"),
        *("{n, plural, one {a} other {", "}}", "{g, select, other {x}}", "word", "Übung", "\u200b"),
    ]
)


@given(st.lists(PARTS, max_size=12).map("".join) | st.text(max_size=30))
def test_cleaning_twice_changes_nothing(message):
    """Nothing that would be taken away is left or made by taking something else away."""
    assert clean(clean(message)) == clean(message)


@given(st.lists(PARTS, max_size=12).map("".join))
def test_no_braces_or_tags_reach_the_table(message):
    """What could not be resolved is refused, in English and in translation."""
    text = clean(message)

    if set(text) & set("{}<>"):
        assert not is_english(text)
        assert not is_translation("English words", text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        *(("Save", True), ("Sign in", True), ("OK then.", True), ("e-mail", True), ("Don't", True)),
        *(("README.md", False), ("camelCase", False), ("a_b", False), ("HTTP-2", False)),
        *(("see https://x.y now", False), ("#1", False), ("run()", False), ("é", False)),
        ("word " * 61, False),
    ],
)
def test_code_is_no_english(text, language):
    """File names, identifiers, addresses and very long texts are left out."""
    assert is_english(text) is language


@pytest.mark.parametrize(
    ("text", "usable"),
    [("Speichern", True), ("SAVE", False), ("123", False), ("x" * 37, False), ("保", True)],
)
def test_a_translation_is_another_text_of_a_plausible_length(text, usable):
    """An untranslated text, one without letters or one far too long is none."""
    assert is_translation("Save", text) is usable


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Press <emph>OK</emph>, or <keycode>Esc</keycode>.", "Press OK, or Esc."),
        ('<ahelp hid="a/b">Avaa <emph>Tiedosto</emph>n.</ahelp>', "Avaa Tiedoston."),
        (
            '<switchinline select="sys"><caseinline select="MAC"><keycode>Command</keycode>'
            "</caseinline><defaultinline>Ctrl</defaultinline></switchinline>+A",
            "Ctrl+A",
        ),
        ('<image src="a.svg"><alt id="b">Icon of x</alt></image> Save', " Save"),
        ("%PRODUCTNAME %PRODUCTVERSION by $[officename]", "LibreOffice  by LibreOffice"),
        ("Delete $(ARG1), $name$ and %OBJECT_NAME%?", "Delete ,  and ?"),
        ("~File and For_mat", "File and Format"),
        ("开启(~O) and 打开(_P)", "开启 and 打开"),
        ("a_b_c costs 5 ~ 6", "a_b_c costs 5 ~ 6"),
    ],
)
def test_marks_of_libreoffice_leave_words_whole(message, text):
    """What stands for another system, pictures, variables and access keys go; the name comes."""
    assert without_help_markup(message) == text


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        *(("Returns the square root of a number.", True), ("If not, see SUM for more.", True)),
        *(
            ("=A1 plus the other", False),
            ("SUM(Number; Number)", False),
            ("x + y * (2 / 3)", False),
        ),
        *(("the number my_count of all", False), ("call run() when done", False)),
        *(("RIGHT 90; turn right", False), ("CLEARSCREEN; remove drawings", False)),
    ],
)
def test_a_formula_is_no_prose(text, prose):
    """Programs and lists of arguments, though they have words, are no sentences."""
    assert is_prose(text) is prose


# Files of translations ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        (
            "a.json",
            '{"menu": {"save": "Save", "n": 1, "list": ["x"]}}',
            [(".menu.save", "Save"), (".menu.list.0", "x")],
        ),
        ("no.json", '\ufeff{"no": {"save": "Lagre"}}', [(".save", "Lagre")]),
        (
            "no.yaml",
            "no:\n  on: 'L''agre\n\n    nå'\n  off: yes\n",
            [(".on", "L'agre\nnå"), (".off", "yes")],
        ),
        (
            "a.js",
            "export default { name: 'x', el: { \"ok\": \"O\\u004b\", 'no': `N\\'o` } }",
            [("name", "x"), (".el.ok", "OK"), (".el.no", "N'o")],
        ),
        (
            "a.js",
            'Blockly.Msg["A"] = "eins";\nBlockly.Msg["B"] = "two";  // untranslated\n',
            [("A", "eins")],
        ),
        ("a.py", "MESSAGES = {'Posts': 'Beiträge'}", [(".Posts", "Beiträge")]),
        (
            "a.page",
            "<page xmlns='http://projectmallard.org/1.0/'><info><desc>Ab<!-- x --> out"
            "</desc></info>"
            "<title>One</title><section><p>Press <keyseq><key>Ctrl</key><key>C</key></keyseq>, then"
            " <guiseq><gui>A</gui><gui>B</gui></guiseq>.</p><p>Two</p></section></page>",
            [
                *((".info0.desc0", "Ab out"), (".title0", "One")),
                *((".section0.p0", "Press Ctrl+C, then A > B."), (".section0.p1", "Two")),
            ],
        ),
        ("a.page", "<page>", []),
        ("a.json", "{", []),
        ("a.yaml", "a: [", []),
        ("a.py", "x = (", []),
    ],
)
def test_messages_are_read_from_every_format(name, data, found):
    """Path and text; the language as the only top level is left out; broken files are empty."""
    tag = name.partition(".")[0]

    assert [(p.removeprefix("."), t) for p, t in read_messages(name, data.encode(), tag)] == [
        (p.removeprefix("."), t) for p, t in found
    ]


TEXT = st.text(st.sampled_from('ab "\\\n\t#é'), max_size=8)


def quoted(text, at):
    """A string of a .po file, in two lines if `at` is within it."""
    parts = [text[:at], text[at:]] if 0 < at < len(text) else [text]
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return "\n".join('"' + "".join(escapes.get(c, c) for c in part) + '"' for part in parts)


@given(
    st.lists(st.tuples(TEXT, TEXT.filter(bool), TEXT, TEXT, st.booleans()), max_size=4), st.data()
)
def test_what_was_written_as_po_is_read(entries, data):
    """Any escapes and line breaks; fuzzy, untranslated and English entries are left out."""
    lines, expected = ['msgid ""\nmsgstr "Language: x\\n"\n'], []
    for context, english, plural, text, fuzzy in entries:
        cut = data.draw(st.integers(0, 8))
        forms = f"msgstr {quoted(text, cut)}"
        if plural:
            forms = (
                f'msgid_plural {quoted(plural, cut)}\nmsgstr[0] "x"\nmsgstr[1] {quoted(text, cut)}'
            )
        head = "#: a.c:1\n" + "#, c-format, fuzzy\n" * fuzzy
        head += f"msgctxt {quoted(context, cut)}\n" * bool(context)
        lines.append(f"{head}msgid {quoted(english, cut)}\n{forms}\n")
        if text and text != (plural or english) and not fuzzy:
            name = f"{context}\4{english}" if context else english
            expected.append((name, plural or english, text))
    lines.append('#~ msgid "obsolete"\n#~ msgstr "alt"\n')

    assert read_portable("\n".join(lines).encode()) == expected


@pytest.mark.parametrize(
    "broken",
    ['msgid "a"\nmsgstr "b\n', 'msgid "a"\n', 'x\nmsgid "a"\nmsgstr "b"\n', "\xe9"],
)
def test_a_broken_po_file_gives_nothing(broken):
    """Rather than what may be half a message."""
    good = 'msgid "c"\nmsgstr "d"\n'

    assert read_portable(good.encode()) == [("c", "c", "d")]
    assert read_portable((good + broken).encode("latin-1")) == []


def package(reader="files", padded=False, pattern=r"(?P<lang>\w+)\.\w+$", **fields):
    """A source of interface texts."""
    return Source(
        registry="npm",
        name="app",
        version="1",
        file="",
        sha256="",
        licence="MIT",
        attribution="",
        reader=reader,
        pattern=pattern,
        padded=padded,
        **{"corpus": "interface", **fields},
    )


def messages(files, **fields):
    """English, translations and corpus of the entries of JSON files."""
    data = [(f"{tag}.json", json.dumps(texts).encode()) for tag, texts in files.items()]
    return [
        (entry.english, dict(entry.translations), entry.corpus)
        for entry in interface_entries(package(**fields), data)
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

    (entry,) = interface_entries(package(), data)

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

    found = list(interface_entries(package(), [("de.mo", plural), ("fr.mo", b"x" * 40)]))

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

    found = list(interface_entries(package("gettext", most=4), [("fi.po", portable(texts))]))

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

    found = list(interface_entries(package("gettext", corpus="docs"), iter(files)))

    assert [(e.corpus, e.english, e.translations) for e in found] == [
        ("docs", "Click OK to close it.", (("fin", "Sulje OK:lla se."),))
    ]


def test_the_english_files_may_have_another_tag():
    """As GNOME's have, `C`."""
    pages = {"C": "One and two and three", "fi": "Yksi ja kaksi ja kolme"}
    files = [(f"{tag}.page", f"<page><p>{text}</p></page>".encode()) for tag, text in pages.items()]

    (found,) = interface_entries(package(english="C", corpus="docs"), files)

    assert (found.english, found.translations) == (pages["C"], (("fin", pages["fi"]),))


ENTRIES = st.lists(
    st.builds(
        Entry,
        corpus=st.sampled_from(["a", "b"]),
        english=st.sampled_from("vwxyz"),
        key=st.uuids().map(str),
        translations=st.lists(
            st.tuples(st.sampled_from(["deu", "fra", "swa"]), st.sampled_from("12")),
            min_size=1,
            unique=True,
        ).map(tuple),
    ),
    max_size=12,
    unique_by=lambda entry: entry.key,
)


@given(ENTRIES, st.fixed_dictionaries(dict.fromkeys("ab", st.integers(0, 4))), st.integers(0, 4))
def test_the_most_translated_messages_are_taken(entries, most, few):
    """At most so many with common languages; every English text of a rare one; each text once."""
    found = list(most_translated(entries, most, few))
    given_by_key = {entry.key: entry for entry in entries}
    every = list(most_translated(entries, dict.fromkeys("ab", 12), 0))
    count = Counter(code for entry in every for code in {c for c, _ in entry.translations})
    rare = {code for code in count if count[code] < few}

    assert found == list(most_translated(entries[::-1], most, few))
    assert len({entry.english for entry in found}) == len(found)
    assert {e.english for e in every} == {e.english for e in entries}
    for entry in found:
        original = given_by_key[entry.key]
        assert replace(entry, translations=original.translations) == original
        assert set(entry.translations) <= set(original.translations)
        common = [code for code, _ in entry.translations if code not in rare]
        assert len(common) == len(set(common))
    for code in rare:
        assert sum(c == code for e in found for c in {c for c, _ in e.translations}) == count[code]
    for corpus in {entry.corpus for entry in found}:
        of_corpus = [e for e in found if e.corpus == corpus]
        assert sum(any(c not in rare for c, _ in e.translations) for e in of_corpus) <= most[corpus]


def test_more_languages_come_first():
    """The first variant of each language is kept, and the rest of a rare language."""

    def entry(english, *translations):
        return Entry(corpus="c", key=english, english=english, translations=translations)

    entries = [
        entry("one", ("deu", "eins")),
        entry("three", ("deu", "drei"), ("fra", "trois"), ("swa", "tatu")),
        entry("two", ("deu", "zwei"), ("deu", "zwo"), ("fra", "deux"), ("swa", "mbili")),
        entry("four", ("deu", "vier"), ("swa", "nne"), ("swa", "minne")),
    ]

    found = list(most_translated(entries, {"c": 2}, few=4))

    assert {e.english: e.translations for e in found} == {
        "three": (("deu", "drei"), ("fra", "trois"), ("swa", "tatu")),
        "two": (("deu", "zwei"), ("fra", "deux"), ("swa", "mbili")),
        "four": (("swa", "nne"), ("swa", "minne")),
    }


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


# CLDR -------------------------------------------------------------------------------------------


def test_emoji_have_names_and_keywords():
    """One keyword alone says no more than the name; English, Hinglish and signs are left out."""

    def annotations(name, *keywords):
        return {"annotations": {"annotations": {"😀": {"tts": [name], "default": keywords}}}}

    trees = {
        "en": annotations("grinning face", "face", "grin"),
        "en-GB": annotations("grin", "face", "cheeky"),
        "es": annotations("cara sonriente", "cara", "cara sonriente", "feliz"),
        "ky": annotations("жылмайган", "жүз"),
        "hi-Latn": annotations("hansta face", "face", "hansna"),
        "zu": annotations("↑↑↑"),
    }
    files = [(f"{tag}.json", json.dumps(tree).encode()) for tag, tree in trees.items()]
    pattern = r"(?P<lang>[\w-]+)\.json$"

    found = list(cldr_entries(package("cldr-annotations", pattern=pattern), files))

    assert [(e.english, *e.translations) for e in found] == [
        ("face, grin", ("spa", "cara, feliz")),
        ("grinning face", ("kir", "жылмайган")),
        ("grinning face", ("spa", "cara sonriente")),
    ]


def test_names_of_codes_are_translated():
    """A code that stands for a missing name, another form or the English name are left out."""

    def names(**languages):
        return {"localeDisplayNames": {"languages": languages}}

    trees = {
        "en": names(de="German", fr="French", **{"fr-alt-short": "Fr."}, ab="Abkhazian"),
        "nl": names(de="Duits", fr="fr", **{"fr-alt-short": "Frans"}, ab="Abkhazian", xx="Iets"),
    }
    files = [
        (f"{tag}.json", json.dumps({"main": {tag: tree}}).encode()) for tag, tree in trees.items()
    ]

    found = list(cldr_entries(package("cldr-names"), files))

    assert [(e.english, *e.translations) for e in found] == [("German", ("nld", "Duits"))]
