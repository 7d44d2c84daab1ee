"""Dictionaries of word forms as simplemma packs them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.pretrain.opentext.samples import frontcoded, packed, varint
from xlt.errors import DataError
from xlt.pretrain.opentext.lemma_files import read_lemmas


def read(data, **given):
    """The pairs of an unpacked dictionary."""
    return list(read_lemmas("fi.plzma", packed(data), **given))


FEW = st.text("abäя字", max_size=6)
ANY = st.text(max_size=90)


@given(st.dictionaries(FEW, FEW) | st.dictionaries(ANY, ANY), st.booleans())
def test_what_was_written_is_read(lemmas, backwards):
    """Shared beginnings, repeated lemmas, lemmas of their own, long words; also in reverse."""
    found = read(frontcoded(lemmas.items(), backwards))

    assert len(found) == len(lemmas)
    assert dict(found) == lemmas


def test_a_dictionary_is_read_as_it_is_described():
    """Byte by byte, without the help of what writes it in the other tests."""
    data = b"SMFC1\0\4" + b"\0\3cat\0\0" + b"\3\1s\376" + b"\0\4mice\3\3ous" + b"\1\1e\377\2I\xc3"

    with pytest.raises(DataError, match=r"fi\.plzma is truncated .* can't decode"):
        read(data)
    assert read(data[:-1] + b"x") == [
        ("cat", "cat"),
        ("cats", "cat"),
        ("mice", "mous"),
        ("me", "Ix"),
    ]


LEMMAS = [("talo", "talo"), ("talossa", "talo"), ("talvi", "talvi"), ("yö", "yö"), ("öitä", "yö")]


def test_a_cut_dictionary_is_refused():
    """Wherever it is cut, packed or unpacked, and in one line."""
    whole = frontcoded(LEMMAS)
    cuts = [packed(whole[:size]) for size in range(len(whole))]
    cuts += [packed(whole)[:size] for size in range(len(packed(whole)))]

    for cut in cuts:
        with pytest.raises(
            DataError, match=r"^fi\.plzma is truncated or not a dictionary.*$"
        ) as caught:
            list(read_lemmas("fi.plzma", cut))
        assert "\n" not in str(caught.value)


HEAD = b"SMFC1\0"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (frontcoded(LEMMAS) + b"\0", "1 bytes follow the last of 5 records"),
        (b"SMFC2" + frontcoded(LEMMAS)[5:], "starts with b'SMFC2', expected b'SMFC1'"),
        (b"", "starts with b''"),
        (b"SMFC1\2\0", "unknown flags 2"),
        (HEAD + b"\1" + b"\1\1a\376", "1 of 0 bytes"),
        (HEAD + b"\1" + b"\0\1a\2\0", "-1 of 1 bytes"),
        (HEAD + b"\1" + b"\0" + varint(1001) + b"a" * 1001 + b"\376", "1001 more"),
        (HEAD + b"\1" + b"\0\1a\377" + varint(1001) + b"a" * 1001, "1001 more"),
        (HEAD + b"\1" + b"\0\5a\376", "expected 5 bytes at 9, but there are 11"),
        (HEAD + b"\377" * 9, "a number has more than 28 bits"),
        (HEAD + b"\1" + b"\0\1\377\376", "can't decode byte 0xff"),
    ],
)
def test_a_damaged_dictionary_is_refused(data, words):
    """Nothing is guessed, nothing grows beyond what a word may be."""
    with pytest.raises(DataError, match=words):
        read(data)


@pytest.mark.parametrize("data", [b"", b"pickled", packed(b"SMFC1\0\0")[:-4]])
def test_what_is_not_compressed_is_refused(data):
    """One line with the name."""
    with pytest.raises(DataError, match=r"^fi\.plzma is truncated or not a dictionary"):
        list(read_lemmas("fi.plzma", data))


def test_a_dictionary_that_unpacks_to_too_much_is_refused():
    """A few packed bytes may hold very many."""
    with pytest.raises(DataError, match="no end within 1000 bytes"):
        read(frontcoded(LEMMAS) + bytes(10_000), most_bytes=1000)


@given(st.binary(max_size=40))
def test_no_damage_is_more_than_an_error(data):
    """Whatever the bytes, there are words or there is the one error."""
    try:
        found = read(HEAD + data)
    except DataError:
        return
    assert all(isinstance(word, str) for pair in found for word in pair)
