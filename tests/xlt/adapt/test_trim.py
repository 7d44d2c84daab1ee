"""A tokenizer without the pieces that no text uses."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xlt.adapt.toy import KINDS, TOKENIZERS, WORDS, cuts
from xlt.adapt import trim
from xlt.adapt.tokenizer_json import as_tokenizer, size, unknown_id


@settings(max_examples=25)
@given(
    kind=st.sampled_from(KINDS),
    seen=st.lists(st.sampled_from(WORDS), min_size=3, max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_trimming_changes_no_cut_of_what_it_kept(kind, seen, order):
    """Words of the texts, in any order, are cut into the same pieces with fewer ids."""
    data = TOKENIZERS[kind]
    text = " ".join(seen)
    left = trim.trimmed(data, trim.kept_ids(data, [text]))
    shuffled = list(seen)
    order.shuffle(shuffled)
    whole = cuts(data, [" ".join(seen[:1] + shuffled)])

    if set(whole[0]) <= set(as_tokenizer(left).get_vocab()):
        assert cuts(left, [" ".join(seen[:1] + shuffled)]) == whole
    assert cuts(left, [text]) == cuts(data, [text])
    assert size(left) <= size(data)


def test_trimming_numbers_anew_in_the_old_order(data):
    """Id i of the trimmed tokenizer is the piece of kept[i] in the old one."""
    kept = trim.kept_ids(data, ["goat rain"])
    old, new = as_tokenizer(data), as_tokenizer(trim.trimmed(data, kept))

    assert len(kept) < size(data)
    assert [new.id_to_token(row) for row in range(len(kept))] == [
        old.id_to_token(int(id)) for id in kept
    ]
    assert new.encode("goat").tokens[0] == "<s>"
    assert json.loads(new.to_str())["truncation"] is None


def test_trimming_keeps_the_letters_of_the_texts(data):
    """A word that no text had can still be spelt with the letters that they had."""
    kept = trim.kept_ids(data, ["goat rain"])
    left = trim.trimmed(data, kept)

    found = as_tokenizer(left).encode("grant", add_special_tokens=False)

    assert unknown_id(left) not in found.ids or unknown_id(left) is None
