"""Identification of the language of texts, as a set."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.languages import normalise
from xlt.identification.identify import identify, with_languages


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


@pytest.mark.parametrize(
    "text",
    [
        "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ ᱛᱮ ᱚᱞ",
        "ᬩᬲᬩᬮᬶ ᬓᬭᬓᬶᬢ",
        "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ",
    ],
    ids=["Santali", "Balinese", "Mongolian"],
)
def test_a_script_of_no_known_language_is_not_guessed(text):
    """To py3langid most of these are Amharic, with 0.8 and more."""
    assert identify([text])[0][0] == UNKNOWN_LANGUAGE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ልጆቹ ዛሬ ጠዋት በዝናብ ወደ ትምህርት ቤት ሄዱ።", "am"),
        ("Дети пошли в школу под дождём сегодня утром.", "ru"),
        ("子供たちは今朝雨の中を学校へ行きました。", "ja"),
        ("아이들은 오늘 아침 빗속에 학교에 갔습니다.", "ko"),
        ("ক্ষুদ্র শিশুরা আজ সকালে বৃষ্টিতে স্কুলে গেল।", "bn"),
        ("ក្មេងៗបានទៅសាលារៀនក្នុងភ្លៀងនៅព្រឹកនេះ។", "km"),
        ("குழந்தைகள் இன்று காலை மழையில் பள்ளிக்குச் சென்றனர்.", "ta"),
    ],
    ids=lambda value: value[:6],
)
def test_other_scripts_are_identified(text, expected):
    """Scripts of one known language, and those of several."""
    assert identify([text])[0][0] == normalise(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ቆልዑ ሎሚ ንግሆ ኣብ ዝናብ ናብ ቤት ትምህርቲ ከይዶም።", "ti"),
        ("ሓረስታይ ዕትር ኣብ ዕዳጋ ይሸይጥ።", "ti"),
        ("ገበሬው በገበያ ባቄላ ይሸጣል፤ ልጆቹም አብረው ይሄዳሉ።", "am"),
        ("བྱིས་པ་ཚོ་དེ་རིང་ཞོགས་པ་སློབ་གྲྭ་ལ་ཕྱིན་པ་རེད།", "bo"),
        ("ཨ་ལོ་ཚུ་ད་རིས་དྲོ་པ་སློབ་གྲྭ་ལུ་སོང་ཡི།", "dz"),
        ("ቤት", UNKNOWN_LANGUAGE),
        ("སྐད་ཡིག", UNKNOWN_LANGUAGE),
    ],
)
def test_two_languages_of_a_script_are_told_apart(text, expected):
    """py3langid knows Amharic and Dzongkha alone; what both may write is not guessed."""
    assert identify([text])[0][0] == normalise(expected)


@given(st.lists(st.text(max_size=40), max_size=4))
@settings(deadline=None, max_examples=15)
def test_one_answer_per_text_whatever_their_order(texts):
    """N texts in, n answers out; the order in which they come does not matter."""
    assert identify(texts[::-1]) == identify(texts)[::-1]


def test_importing_loads_no_model():
    """The identifier is loaded by the first use, not at import."""
    code = "import sys, xlt.identification.identify; sys.exit('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_texts_without_a_language_are_identified():
    """What the user wrote stays; the identifier sees the rest, all at once."""
    rows = [("1", "ha"), ("2", UNKNOWN_LANGUAGE), ("3", "xx"), ("4", UNKNOWN_LANGUAGE)]
    examples = [Example(id=id, texts=(f"text {id}",), lang=lang) for id, lang in rows]
    asked = []

    def identifier(texts, named, only):
        asked.append(texts)
        return [("swa", 0.9), ("yor", 0.5)]

    named = with_languages(examples, identifier).examples
    assert [example.lang for example in named] == ["ha", "swa", "xx", "yor"]
    assert [replace(e, lang=UNKNOWN_LANGUAGE) for e in named] == [
        replace(e, lang=UNKNOWN_LANGUAGE) for e in examples
    ]
    assert with_languages(examples[:1], identifier).examples == examples[:1]
    assert asked == [["text 2", "text 4"]]
    text = "Watoto walikwenda shule asubuhi wakati wa mvua."
    assert with_languages([Example(id="5", texts=(text,))]).examples[0].lang == "swa"


def test_an_identified_language_is_called_as_the_others_call_it():
    """The first of them."""
    rows = [("1", "Hausa"), ("2", UNKNOWN_LANGUAGE), ("3", "ha"), ("4", ""), ("5", "und-Latn")]
    examples = [Example(id=id, texts=("x",), lang=lang) for id, lang in rows]
    answers = [("hau", 0.9), ("swa", 0.5), ("und", 0.0)]
    named = with_languages(examples, lambda texts, named, only: answers).examples
    assert [example.lang for example in named] == ["Hausa", "Hausa", "ha", "swa", "und"]


BAMBARA = [
    f"{who} {what}."
    for who in ("Ne", "I", "A", "An", "U", "Cɛ in", "Muso in", "Den in")
    for what in (
        "bɛ baara kɛ foro la sɔgɔma fɛ",
        "ye malo san sugu la kunun",
        "tɛ se ka taa dugu kura la bi",
        "bɛ fɛ ka bamanankan kalan kalanso kɔnɔ",
        "ye ji min ka sɔrɔ ka segin so",
    )
]
WOLOF = [
    f"{who} {what}."
    for who in (
        "Xale yi",
        "Jigéen ñi",
        "Góor gi",
        "Sama xarit",
        "Yaay boobu",
        "Nit ñi",
        "Suma rakk",
    )
    for what in (
        "dem nañu marse ci suba si",
        "bëgg na jàng wolof ci daara ji",
        "lekk na ceebu jën ak lujum",
        "dafa liggéey ci tool bi bis bu nekk",
        "mënul ñëw tey ndax feebar",
        "dina dellu ci dëkk ba ëllëg",
    )
][:40]


def invented(seed: int, n: int) -> list[str]:
    """Sentences of a language that nobody speaks: syllables of its own, some of them frequent."""
    rng = np.random.default_rng(seed)
    syllables = [c + v for c in ("zg", "xr", "q", "vl", "tj", "ghw") for v in ("ü", "oe", "aa")]
    words = ["".join(rng.choice(syllables, size=rng.integers(1, 4))) for _ in range(150)]
    weights = 1 / np.arange(1, 151)
    drawn = (rng.choice(words, size=8, p=weights / weights.sum()) for _ in range(n))
    return [" ".join(own) for own in drawn]


def found_in(texts, **given):
    """Counts the languages of texts."""
    return Counter(lang for lang, _ in identify(texts, **given))


def test_a_set_in_two_languages_has_no_third():
    """Bambara and Wolof: py3langid, which knows neither, finds fourteen languages here."""
    texts = [*BAMBARA, *WOLOF]
    assert found_in(texts) == {"bam": 40, "wol": 40}


@pytest.mark.parametrize("beside", ["", "The children walked to school in the rain."])
def test_short_texts_are_in_a_language_of_the_set(beside):
    """Short English in a set of English is English, and of no neighbour."""
    nouns = ("rain", "bread", "market", "school", "doctor", "price of rice")
    texts = [f"The {a} is near the {b} today." for a in nouns for b in nouns]
    short = ["ok thanks", "yes please", "see you tomorrow"]
    assert set(found_in([*texts, *short, *filter(None, [beside])])) == {"eng"}


#: Short sentences of everyday Spanish: the profile of Asturian fits some of them better.
SPANISH = [
    "La casa de mi tía está cerca del río.",
    "No sé si llegará hoy o mañana.",
    "El perro duerme bajo la mesa.",
    "Esta tarde lloverá en la montaña.",
    "Compré pan y queso en la tienda.",
    "Mi hermano trabaja en una fábrica.",
    "La maestra lee un cuento a los niños.",
    "Siempre cenamos a las nueve.",
    "El tren salió con diez minutos de retraso.",
    "Tengo que llamar a la doctora.",
    "La lluvia llenó los campos de agua.",
    "Nadie sabe dónde está la llave.",
    "El mercado abre los lunes y los jueves.",
    "Mañana vamos a la playa.",
    "La abuela teje una manta azul.",
    "El puente nuevo es de piedra.",
    "Hace frío en esta habitación.",
    "Las vacas comen hierba en el prado.",
    "Quiero aprender a nadar este verano.",
    "El partido terminó sin goles.",
    "Se rompió el vaso de cristal.",
    "La carta llegó por la mañana.",
]


@pytest.mark.parametrize("beside", [[], ["The rain filled the fields with water."] * 20])
def test_a_large_language_is_not_taken_for_a_smaller_one_that_is_alike(beside):
    """py3langid, which knows it well, is believed where profiles fit nearly as well."""
    found = Counter(lang for lang, _ in identify([*SPANISH, *beside])[: len(SPANISH)])
    assert found["spa"] >= 0.8 * len(SPANISH)
    assert set(found) <= {"spa", UNKNOWN_LANGUAGE}


def test_a_language_nobody_listed_works_after_fifty_lines():
    """From texts of the project that name it, beside another language."""
    texts = invented(1, 110)
    silent = [*texts[50:], *BAMBARA]
    found = identify(silent, named={"zgu": texts[:50]})
    assert Counter(lang for lang, _ in found[:60]) == {"zgu": 60}
    assert Counter(lang for lang, _ in found[60:]) == {"bam": 40}


def test_a_language_nobody_knows_is_not_sure():
    """It is not cut up into languages that look a little like it."""
    found = found_in([*invented(1, 60), *BAMBARA])
    assert found["bam"] == 40
    assert found[UNKNOWN_LANGUAGE] == 60


def test_declared_languages_alone_are_found():
    """Under any of their names; what is in no declared script is not sure."""
    assert found_in([*BAMBARA, *WOLOF], only=["Bambara", "wo"]) == {"bam": 40, "wol": 40}
    assert found_in(["Дети пошли в школу под дождём."], only=["bam"]) == {UNKNOWN_LANGUAGE: 1}


def test_a_language_that_others_name_is_plausible_from_one_text_on():
    """Without texts that name it, one Wolof text among forty would be taken for chance."""
    named = {"Wolof": WOLOF[:12]}
    assert identify([*BAMBARA, WOLOF[20]], named)[-1][0] == "wol"


def test_what_was_found_is_told_in_one_line():
    """With the numbers; nothing if all texts name their language."""
    silent = [Example(id=str(i), texts=(text,)) for i, text in enumerate([*BAMBARA, "123"])]
    line = with_languages(silent).line("Declare them.")
    assert line == "41 texts name no language: found bam (40); not sure of 1. Declare them."
    assert with_languages([replace(e, lang="bam") for e in silent]).line("Declare them.") == ""


def test_members_are_called_as_the_macrolanguage_that_others_name():
    """Quechua is not cut up where people say Quechua."""
    text = "Wawakunaqa yachay wasiman kunan paqarin rirqanku."
    examples = [Example(id="1", texts=("x",), lang="Quechua"), Example(id="2", texts=(text,))]
    assert [e.lang for e in with_languages(examples).examples] == ["Quechua", "Quechua"]


def test_a_text_that_mixes_languages_is_in_one_of_them():
    """Nothing is thrown out because of it."""
    mixed = f"{BAMBARA[0]} {BAMBARA[6]} {WOLOF[0]}"
    assert identify([*BAMBARA, *WOLOF, mixed])[-1][0] == "bam"
