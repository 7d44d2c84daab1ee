"""New pieces of a tokenizer."""

from __future__ import annotations

from tests.xlt.adapt.toy import TOKENIZERS, cuts, foreign, sentences
from xlt.adapt.fertility import measure
from xlt.adapt.new_pieces import extended, old_tokens
from xlt.adapt.tokenizer_json import as_tokenizer, size, unknown_id


def test_new_pieces_make_a_script_readable(data, found, rng):
    """Every letter is read, in fewer tokens; the source is cut as before."""
    texts = sentences(rng)
    strange = [foreign(text) for text in texts]
    now = extended(data, found)
    before, after = (
        measure(as_tokenizer(d), strange, unknown_id=unknown_id(d)) for d in (data, now)
    )

    assert after.unknown == 0.0
    assert before.unknown > 0.9 or before.tokens_per_word > 2 * after.tokens_per_word
    assert cuts(now, texts) == cuts(data, texts)


def test_new_pieces_follow_the_old_ones(data, found):
    """Old ids stay, so that old embeddings stay; the new ones leave no gap."""
    old = as_tokenizer(data).get_vocab(with_added_tokens=True)
    new = as_tokenizer(extended(data, found)).get_vocab(with_added_tokens=True)
    first = size(data)

    assert found
    assert {piece: new[piece] for piece in old} == old
    assert sorted(new[piece] for piece in found) == list(range(first, first + len(found)))


def test_a_piece_is_spelt_by_its_old_cut():
    """The old pieces of a new one say the same; an unknown letter gives none."""
    data = TOKENIZERS["WordPiece"]
    names = {id: piece for piece, id in data["model"]["vocab"].items()}

    whole, inner, strange = old_tokens(data, ["goatsong", "##tree", "ⴰⴱ"])

    assert "".join(names[id].removeprefix("##") for id in whole) == "goatsong"
    assert "".join(names[id].removeprefix("##") for id in inner) == "tree"
    assert not names[whole[0]].startswith("##")
    assert names[inner[0]].startswith("##")
    assert strange == []
