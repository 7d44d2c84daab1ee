"""Tifinagh is read as one alphabet, whatever letters a text is typed with."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.pretrain.corpus import read_corpus
from xlt.pretrain.tifinagh import FOLDED, in_tifinagh
from xlt.pretrain.wordpiece import normalizer

LATIN = "abdefgɣhijklmnŋopqrstuvwxyzəǝǎăāâèéęêïîôûṭƭḍɗẓṣǧśšžɛ"


def test_letters_of_one_sound_are_one():
    """The Tuareg letters become those of the standard, which stay as they are."""
    normal = normalizer("strip-latin")
    assert normal.normalize_str("ⴰⴾⴰⵍ ⴷⴰⵗ ⵎⵉⵗ") == "ⴰⴽⴰⵍ ⴷⴰⵖ ⵎⵉⵖ"
    for letter, standard in FOLDED.items():
        assert unicodedata.name(letter).startswith("TIFINAGH LETTER")
        assert normal.normalize_str(letter) == standard
        assert standard not in FOLDED


def test_a_sign_typed_for_a_vowel_is_the_vowel():
    """Beside Tifinagh letters only: elsewhere it is what it is."""
    normal = normalizer("strip-latin")
    assert normal.normalize_str("ⵢ<ⵈⵈ<ⵍ, <ⴴ ⵓ<<ⵏ") == "ⵢⴻⵇⵇⴻⵍ, ⴻⴳ ⵓⴻⴻⵏ"
    assert normal.normalize_str("a < b, <p>ⴰ </p>, 3<4") == "a < b, <p>ⴰ </p>, 3<4"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cf"])))
def test_folding_twice_is_folding_once(text):
    """What is normalised is not changed again by the folding of Tifinagh."""
    normal = normalizer("keep")
    once = normal.normalize_str("ⴰ" + text + "ⴾ")
    assert not set(once) & set(FOLDED)
    assert all(once.count(letter) == normal.normalize_str(once).count(letter) for letter in "ⴻⴽⴳ")


def test_latin_tamasheq_in_tifinagh():
    """Digraphs are one letter, long vowels the short ones, signs and digits stay."""
    assert in_tifinagh("Ətkal tamusnenen dǎɣ 1912, šund Taghlamt.") == (
        "ⴻⵜⴽⴰⵍ ⵜⴰⵎⵓⵙⵏⴻⵏⴻⵏ ⴷⴰⵖ 1912, ⵛⵓⵏⴷ ⵜⴰⵖⵍⴰⵎⵜ."
    )
    assert in_tifinagh(unicodedata.normalize("NFD", "aṭil")) == in_tifinagh("aṭil") == "ⴰⵟⵉⵍ"
    assert in_tifinagh("Вода ⴰⵎⴰⵏ Český") == "Вода ⴰⵎⴰⵏ Český"


@given(st.text(alphabet=LATIN, min_size=1))
def test_every_word_of_the_alphabet_is_written_letter_by_letter(word):
    """A word has one letter for each of its own, all of them standard."""
    found = in_tifinagh(word)
    assert not set(found) & set(FOLDED)
    digraphs = sum(word.count(first + "h") for first in "gks")
    assert len(found) == len(word) - digraphs
    assert all("\u2d30" <= letter <= "\u2d67" for letter in found)


@pytest.mark.parametrize(("respelled", "units"), [((), 1), (("taq_Latn",), 2)])
def test_a_language_is_read_in_both_scripts(tmp_path, respelled, units):
    """Where the recipe says so, a text and its spelling in Tifinagh have the same translation."""
    rows = [("seed", "seed:1", "eng", "The land is wide."), ("seed", "seed:1", "taq_Latn", "Akal")]
    columns = zip(("corpus", "key", "lang", "text"), zip(*rows, strict=True), strict=True)
    pq.write_table(pa.table({name: list(values) for name, values in columns}), tmp_path / "t.pq")
    corpus = read_corpus(
        [tmp_path / "t.pq"], corpora=["seed"], lexicons=[], respelled=respelled, held_out_percent=0
    )
    assert corpus.languages == ("taq_Latn", "taq_Tfng")[:units]
    assert list(corpus.text) == ["Akal", "ⴰⴽⴰⵍ"][:units]
    assert len(set(corpus.source.tolist())) == 1


def test_a_copy_of_another_language_is_left_out(tmp_path):
    """A text of Moroccan Tamazight under the code of Tamasheq is read once, as what it is."""
    rows = [
        ("seed", "seed:1", "eng", "The land is wide."),
        ("seed", "seed:1", "taq_Tfng", "ⵜⴰⵎⵓⵔⵜ"),
        ("seed", "seed:1", "zgh_Tfng", "ⵜⴰⵎⵓⵔⵜ"),
        ("seed", "seed:2", "taq_Tfng", "ⴰⴾⴰⵍ"),
    ]
    columns = zip(("corpus", "key", "lang", "text"), zip(*rows, strict=True), strict=True)
    pq.write_table(pa.table({name: list(values) for name, values in columns}), tmp_path / "t.pq")
    corpus = read_corpus([tmp_path / "t.pq"], corpora=["seed"], lexicons=[], held_out_percent=0)
    read = {
        (corpus.languages[unit], text)
        for unit, text in zip(corpus.language, corpus.text, strict=True)
    }
    assert read == {("zgh_Tfng", "ⵜⴰⵎⵓⵔⵜ"), ("taq_Tfng", "ⴰⴾⴰⵍ")}
