"""Messages without placeholders and markup, and texts that are no sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.pretrain.opentext.cleaning import (
    clean,
    is_english,
    is_prose,
    is_translation,
    without_help_markup,
)


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
