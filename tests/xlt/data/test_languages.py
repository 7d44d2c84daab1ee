"""Language codes and language identification."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.languages import (
    in_languages,
    is_known,
    iso_code,
    languages_named,
    macrolanguage,
    normalise,
    resolved,
)


@pytest.mark.parametrize(
    "codes",
    [
        ("en", "eng", "eng_Latn", "EN", "en-GB", " en "),
        ("sw", "swa", "swh", "swh_Latn", "sw_KE"),
        ("qu", "que", "quz", "quz_Latn", "qu-PE"),
        ("or", "ori", "ory", "ory_Orya"),
        ("zh", "zho", "cmn", "zho_Hans", "zh-TW", "chi"),
        ("ar", "ara", "arb_Arab"),
        ("om", "orm", "gaz_Latn"),
        ("tl", "tgl", "fil"),
        ("ha", "hau", "hau_Latn"),
        ("no", "nb", "nob", "nor"),
        ("de", "deu", "ger"),
        ("he", "iw", "heb", "iw-IL"),
        ("id", "in", "ind"),
        ("yi", "ji", "yid", "ydd"),
        ("ro", "mo", "ron", "rum"),
        ("jv", "jw", "jav"),
        ("fr", "fra", "fre", "FR_ca"),
        ("pt", "pt-BR", "pt_br", "por"),
        ("uz", "uz-Cyrl", "uzn_Latn"),
        ("ak", "tw", "twi", "fat"),
        ("prs", "prs_Arab", "fa-AF"),
    ],
    ids=lambda codes: codes[0],
)
def test_codes_of_one_language_are_equal(codes):
    """Two letters, three letters, script, region and macrolanguage do not matter."""
    assert len({normalise(code) for code in codes}) == 1


@pytest.mark.parametrize(
    "name", ["ha\u200b", "\ufeffha", "ｈａ", "Ｈａｕｓａ", "hausa\u200e", "\u00a0ha "]
)
def test_what_does_not_show_is_no_part_of_a_code(name):
    """Nor is the width of its letters: input methods and spreadsheets leave both."""
    assert (normalise(name), is_known(name)) == ("hau", True)


def test_different_languages_stay_different():
    """Close relatives that people label apart are not joined."""
    codes = ["en", "xh", "zu", "ha", "yo", "ig", "id", "ms", "yue", "zh", "ckb", "ku", "nn", "no"]
    codes += ["ar", "arz", "ary", "fa", "prs", "sw", "swc", "qu", "quy", "quh", "om", "hae", "ps"]
    codes += ["pbt", "ff", "fuv", "hr", "bs", "sr", "bh", "bho", "sat", "mni", "kmb", "kea"]
    assert len({normalise(code) for code in codes}) == len(codes)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Hausa", "ha"),
        ("HAUSA language", "ha"),
        ("Français", "fr"),
        ("français", "fr"),
        ("Yorùbá", "yo"),
        ("Èdè Yorùbá", "yo"),
        ("Igbo", "ig"),
        ("Ìgbò", "ig"),
        ("Kiswahili", "sw"),
        ("isiZulu", "zu"),
        ("Sepedi", "nso"),
        ("Malti", "mt"),
        ("አማርኛ", "am"),
        ("हिन्दी", "hi"),
        ("中文", "zh"),
        ("Mandarin Chinese", "zh"),
        ("Brazilian Portuguese", "pt"),
        ("Chinese (Simplified)", "zh"),
        ("Kashmiri (Devanagari script)", "ks"),
        ("Portuguese (Brazil)", "pt"),
        ("Quechua", "qu"),
        ("Ayacucho Quechua", "quy"),
        ("Quechua, Ayacucho", "quy"),
        ("Mari", "chm"),
        ("Mari (Madang Province)", "hob"),
        ("Dari", "prs"),
        ("Fon", "fon"),
        ("Naija", "Naija"),
    ],
)
def test_names_are_read_as_codes(name, code):
    """English names and own names, composed and decomposed, in any case."""
    assert normalise(unicodedata.normalize("NFC", name)) == normalise(code)
    assert normalise(unicodedata.normalize("NFD", name)) == normalise(code)
    assert normalise(name.lower()) == normalise(name.upper()) == normalise(code)


@pytest.mark.parametrize(
    "names",
    [
        ("dialect-1", "dialect-2", "dialect 3"),
        ("klingon-north", "klingon-south", "Klingon"),
        ("en-ha", "en", "English-Hausa", "hi-en", "hi"),
        ("Quechua (Cusco)", "Quechua (Puno)", "Quechua", "Quichua"),
        ("Hausa Kano", "Hausa Sokoto", "Hausa"),
        ("A", "B", "C"),
        ("ha-x-kano", "ha-x-sokoto", "ha"),
        ("xx", "unknown", "other", "n/a", "?", "1", "2", "x-mine", ""),
    ],
)
def test_names_that_people_tell_apart_stay_apart(names):
    """A name that merely begins like a language's, or like another group's, is one of its own."""
    assert len({normalise(name) for name in names}) == len(names)


def test_a_name_of_its_own_is_known_by_its_letters():
    """Case, spaces around it and the form of its marks do not count."""
    assert normalise(" Dialect  É") == normalise("dialect e\u0301") == "dialect é"
    assert [is_known(name) for name in ("xx", "Dialect-3", "hausa", "ha", "", "und")] == [
        False, False, True, True, True, True,
    ]  # fmt: skip


@given(
    st.text(max_size=20) | st.from_regex(r"[a-z]{1,4}([-_][A-Za-z0-9]{1,8}){0,3}", fullmatch=True)
)
def test_any_text_is_a_language(name):
    """Whatever a cell holds has a key, which is its own key, in every Unicode form."""
    key = normalise(name)
    assert key != ""
    assert normalise(key) == key
    assert normalise(unicodedata.normalize("NFD", name)) == key
    macrolanguage(name)
    is_known(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("eng_Latn", "en"),
        ("Hausa", "ha"),
        ("iw", "he"),
        ("swh", "swh"),
        ("Dari", "prs"),
        ("no", "no"),
    ],
)
def test_the_code_of_a_language_is_short(name, expected):
    """And that of the member of a macrolanguage, if it was named; other texts have none."""
    assert iso_code(name) == expected
    assert {iso_code(text) for text in ("und", "", "my-group", "xx")} == {None}


def test_a_user_may_name_a_macrolanguage():
    """It names its members if no text is in what is taken for the macrolanguage itself."""
    assert languages_named("qu", ["en", "quy_Latn", "quh"]) == ("quy_Latn", "quh")
    assert languages_named("qu", ["quz", "quy", "quz_Latn"]) == ("quz", "quz_Latn")
    assert languages_named("ar", ["arb_Arab", "arz_Arab"]) == ("arb_Arab",)
    assert languages_named("hausa", ["ha", "Hausa", "ha", "yo"]) == ("ha", "Hausa")
    assert languages_named("quy", ["qu", "quz"]) == languages_named("xx", ["ha"]) == ()


@pytest.mark.parametrize(
    ("member", "macro"),
    [("quy", "qu"), ("arz", "ar"), ("prs", "fa"), ("nn", "no"), ("ckb", "ku"), ("hae", "om")],
)
def test_members_of_macrolanguages(member, macro):
    """Those of ISO 639-3, except the members that are the macrolanguage."""
    assert macrolanguage(member) == normalise(macro)
    assert macrolanguage(macro) is None


@pytest.mark.parametrize("code", ["swh", "cmn", "nb", "sr", "hr", "en", "xx", ""])
def test_other_languages_have_no_macrolanguage(code):
    """Nor has a member that is taken for it, or one of a macrolanguage that was withdrawn."""
    assert macrolanguage(code) is None


def test_many_rows_are_read_quickly():
    """A hundred thousand rows, a thousand names, cost far less than reading them (0.01 s)."""
    names = [f"group {number % 1_000}" for number in range(100_000)]
    start = time.perf_counter()
    for name in names:
        normalise(name)
    assert time.perf_counter() - start < 2


def test_an_empty_code_is_the_unknown_language():
    """A blank field in a table is the same as no field."""
    assert normalise("") == normalise("  ") == UNKNOWN_LANGUAGE


def test_members_replace_a_macrolanguage_that_has_no_text():
    """So that what an option means does not depend on which of its texts are left later."""
    assert resolved(["en", "qu"], ["quy", "quh_Latn", "eng"]) == ("en", "quh", "quy")
    assert resolved(["ar", "xx"], ["ar", "arz"]) == ("ar", "xx")


def test_languages_are_chosen_by_any_of_their_codes():
    """And by names; without codes all are."""
    examples = [Example(id=lang, texts=("x",), lang=lang) for lang in ("ha", "Hausa", "yo")]
    assert in_languages(examples, ["hau"]) == in_languages(examples, ["hausa"]) == examples[:2]
    assert in_languages(examples, []) == examples
