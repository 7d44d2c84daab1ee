"""Files of translations in every format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.pretrain.opentext.message_files import read_messages, read_portable


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
