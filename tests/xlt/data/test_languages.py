"""Language codes and language identification."""

from __future__ import annotations

import string
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.languages import identify, in_languages, normalise, with_languages


@pytest.mark.parametrize(
    "codes",
    [
        ("en", "eng", "eng_Latn", "EN", "en-GB", " en "),
        ("sw", "swa", "swh", "swh_Latn", "sw_KE"),
        ("qu", "que", "quy", "quy_Latn", "quz"),
        ("or", "ori", "ory", "ory_Orya"),
        ("zh", "zho", "cmn", "zho_Hans", "zh-TW", "chi"),
        ("ar", "ara", "arb_Arab"),
        ("om", "orm", "gaz_Latn"),
        ("tl", "tgl", "fil"),
        ("ha", "hau", "hau_Latn"),
        ("no", "nb", "nob", "nor"),
        ("de", "deu", "ger"),
        ("he", "iw", "heb"),
    ],
    ids=lambda codes: codes[0],
)
def test_codes_of_one_language_are_equal(codes):
    """Two letters, three letters, script, region and macrolanguage do not matter."""
    assert len({normalise(code) for code in codes}) == 1


def test_different_languages_stay_different():
    """Close relatives that people label apart are not joined."""
    codes = ["en", "xh", "zu", "ha", "yo", "ig", "id", "ms", "yue", "zh", "ckb", "ku", "nn", "no"]
    assert len({normalise(code) for code in codes}) == len(codes)


def test_an_empty_code_is_the_unknown_language():
    """A blank field in a table is the same as no field."""
    assert normalise("") == normalise("  ") == UNKNOWN_LANGUAGE


@given(st.text(alphabet=string.printable, max_size=12))
def test_normalising_twice_changes_nothing(code):
    """The key of a key is the key."""
    assert normalise(normalise(code)) == normalise(code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The children walked to school in the rain this morning.", "en"),
        ("Die Kinder gingen heute Morgen im Regen zur Schule.", "de"),
        ("Yaran sun tafi makaranta da safe cikin ruwan sama.", "ha"),
        ("Watoto walikwenda shule asubuhi wakati wa mvua.", "sw"),
        ("Ụmụaka ahụ gara ụlọ akwụkwọ n'ụtụtụ a.", "ig"),
        ("Àwọn ọmọ náà lọ sí ilé ìwé ní òwúrọ̀ yìí.", "yo"),
        ("Carruurtu waxay tageen dugsiga subaxdii maanta.", "so"),
        ("Wawakunaqa yachay wasiman kunan paqarin rirqanku.", "qu"),
        ("Abantwana baye esikoleni namhlanje ekuseni.", "zu"),
        ("孩子们今天早上冒雨去上学。", "zh"),
    ],
    ids=lambda value: value[:12],
)
def test_sentences_are_identified(text, expected):
    """A plain sentence, low-resource languages included, gets its language."""
    [(code, probability)] = identify([text])
    assert code == normalise(expected)
    assert 0.2 <= probability <= 1


@pytest.mark.parametrize(
    "text", ["", "12345 !!!", "😀", "https://example.com/x", "\x00", "xx" * 9999]
)
def test_text_without_words_has_no_language(text):
    """Numbers, addresses, emoji and noise are `UNKNOWN_LANGUAGE`, never a guess or a crash."""
    assert identify([text])[0][0] == UNKNOWN_LANGUAGE


@given(st.lists(st.text(max_size=40), max_size=4))
def test_one_answer_per_text_in_order(texts):
    """N texts in, n answers out, each what the text alone would get."""
    assert identify(texts) == [identify([text])[0] for text in texts]


def test_importing_loads_no_model():
    """The identifier is loaded by the first use, not at import."""
    code = "import sys, xlt.data.languages; sys.exit('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_texts_without_a_language_are_identified():
    """What the user wrote stays; the identifier sees the rest, all at once."""
    rows = [("1", "ha"), ("2", UNKNOWN_LANGUAGE), ("3", "xx"), ("4", UNKNOWN_LANGUAGE)]
    examples = [Example(id=id, texts=(f"text {id}",), lang=lang) for id, lang in rows]
    asked = []

    def identifier(texts):
        asked.append(texts)
        return [("swa", 0.9), ("yor", 0.5)]

    named = with_languages(examples, identifier)
    assert [example.lang for example in named] == ["ha", "swa", "xx", "yor"]
    assert [replace(e, lang=UNKNOWN_LANGUAGE) for e in named] == [
        replace(e, lang=UNKNOWN_LANGUAGE) for e in examples
    ]
    assert with_languages(examples[:1], identifier) == examples[:1]
    assert asked == [["text 2", "text 4"]]
    text = "Watoto walikwenda shule asubuhi wakati wa mvua."
    assert with_languages([Example(id="5", texts=(text,))])[0].lang == "swa"


def test_languages_are_chosen_by_any_of_their_codes():
    """Without codes all are."""
    examples = [Example(id=lang, texts=("x",), lang=lang) for lang in ("ha", "hau_Latn", "yo")]
    assert in_languages(examples, ["hau"]) == examples[:2]
    assert in_languages(examples, []) == examples
