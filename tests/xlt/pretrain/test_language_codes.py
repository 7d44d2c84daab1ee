"""Codes of languages: one for all names of a language."""

from __future__ import annotations

import pytest

from xlt.pretrain.language_codes import joined, language_of_tag, script_of


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *(("de", "deu"), ("pt_BR", "por"), ("zh-Hant", "zho"), ("sr@latin", "srp")),
        *(("nb", "nor"), ("nn-NO", "nor"), ("fil", "tgl"), ("iw", "heb"), ("ku", "kmr")),
        *(("es", "spa"), ("ky", "kir"), ("kok", "gom"), ("yue-Hans", "yue"), ("DE_at", "deu")),
        *(("en", "eng"), ("en-US", "eng"), ("en_US.UTF-8", "eng"), ("en-GB", None)),
        *(("en@pirate", None), ("qqq", None), ("roa-tara", None), ("x-default", None)),
        *(("root", None), ("xx", None), ("12", None), ("", None)),
    ],
)
def test_a_tag_names_a_language_or_none(tag, code):
    """One code for all names of a language; English only where it is what others translate."""
    assert language_of_tag(tag) == code


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Àwọn ọmọ", "Latn"),
        ("ሰላም", "Ethi"),
        ("私は学生", "Jpan"),
        ("学生", "Hani"),
        ("12 !", "Zyyy"),
    ],
)
def test_script_of(text, script):
    """The script is read from the letters, because codes do not tell it."""
    assert script_of(text) == script


def test_codes_of_one_language_are_joined():
    """Sources that name a language differently feed one language."""
    assert joined("swh") == joined("swa") == "swa"
    assert joined("arb") == joined("ara")
    assert joined("zho-TW") == joined("cmn") == "zho"
