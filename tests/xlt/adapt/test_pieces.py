"""What happens to a tokenizer and its embeddings: counted, extended, trimmed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch.nn import functional

from xlt.adapt import pieces, trim
from xlt.adapt.data import Pair
from xlt.adapt.fertility import Cut, measure, shattered
from xlt.adapt.options import AdaptOptions
from xlt.adapt.rows import initial_rows, placed_by_translations

_ENGLISH = "river goat market rain song teacher bread moon road fire water tree house child"
WORDS = _ENGLISH.split()
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ⴰⴱⵛⴷⴻⴼⴳⵀⵉⵊⴽⵍⵎⵏⵓⵒⵇⵔⵙⵜⵖⵠⵡⵅⵢⵣ")
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
KINDS = ("WordPiece", "Unigram", "Unigram with a token behind", "BPE")


def sentences(rng, n=150):
    """Random English, without grammar."""
    return [" ".join(rng.choice(WORDS, size=rng.integers(3, 8))) for _ in range(n)]


def foreign(text):
    """The same in Tifinagh letters."""
    return text.translate(LETTERS)


def make(kind):
    """A tokenizer of each kind, as BERT, XLM-R and ModernBERT have them, that reads English."""
    texts = sentences(np.random.default_rng(1))
    if kind == "WordPiece":
        tokenizer = Tokenizer(models.WordPiece({"<unk>": 0}, unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=90, special_tokens=SPECIAL, show_progress=False
        )
    elif kind.startswith("Unigram"):
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=70, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    tokenizer.train_from_iterator(texts, trainer)
    if kind.endswith("behind"):  # as mDeBERTa's mask
        tokenizer.add_special_tokens(["<last>"])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>"))
    )
    return pieces.as_json(tokenizer)


TOKENIZERS = {kind: make(kind) for kind in KINDS}


@pytest.fixture(params=KINDS)
def data(request):
    """tokenizer.json of one kind."""
    return TOKENIZERS[request.param]


@pytest.fixture
def found(data, rng):
    """New pieces for the foreign language."""
    texts = [foreign(text) for text in sentences(rng)]
    return pieces.new_pieces(data, {"zgh": texts}, sentences(rng), per_language=60, min_count=3)


def cuts(data, texts):
    """Pieces of each text."""
    return [encoding.tokens for encoding in pieces.as_tokenizer(data).encode_batch(texts)]


def test_counts_by_hand():
    """Two words of seven letters, of which the second, three letters, is not known."""
    tokenizer = Tokenizer(models.WordLevel({"goat": 0, "?": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()

    assert measure(tokenizer, ["goat cow"], unknown_id=1) == Cut(
        unknown=3 / 7, tokens_per_word=1.0, tokens_per_character=2 / 7, spaced=True
    )
    assert measure(tokenizer, [], unknown_id=1).tokens_per_word == 0.0


@pytest.mark.parametrize(
    ("cut", "answer"),
    [
        (Cut(unknown=0.0, tokens_per_word=2.5, tokens_per_character=0.9, spaced=True), False),
        (Cut(unknown=0.0, tokens_per_word=2.6, tokens_per_character=0.1, spaced=True), True),
        (Cut(unknown=0.0, tokens_per_word=30.0, tokens_per_character=0.6, spaced=False), False),
        (Cut(unknown=0.0, tokens_per_word=30.0, tokens_per_character=0.7, spaced=False), True),
        (Cut(unknown=0.02, tokens_per_word=1.0, tokens_per_character=0.1, spaced=True), True),
    ],
)
def test_words_or_characters_decide(cut, answer):
    """Tokens per word count where blanks separate words, per character elsewhere."""
    limits = {"max_unknown": 0.01, "max_tokens_per_word": 2.5, "max_tokens_per_character": 0.6}

    assert shattered({"x": cut}, **limits) == (["x"] if answer else [])


def test_new_pieces_make_a_script_readable(data, found, rng):
    """Every letter is read, in fewer tokens; the source is cut as before."""
    texts = sentences(rng)
    strange = [foreign(text) for text in texts]
    now = pieces.extended(data, found)
    before, after = (
        measure(pieces.as_tokenizer(d), strange, unknown_id=pieces.unknown_id(d))
        for d in (data, now)
    )

    assert after.unknown == 0.0
    assert before.unknown > 0.9 or before.tokens_per_word > 2 * after.tokens_per_word
    assert cuts(now, texts) == cuts(data, texts)


def test_new_pieces_follow_the_old_ones(data, found):
    """Old ids stay, so that old embeddings stay; the new ones leave no gap."""
    old = pieces.as_tokenizer(data).get_vocab(with_added_tokens=True)
    new = pieces.as_tokenizer(pieces.extended(data, found)).get_vocab(with_added_tokens=True)
    first = pieces.size(data)

    assert found
    assert {piece: new[piece] for piece in old} == old
    assert sorted(new[piece] for piece in found) == list(range(first, first + len(found)))


def test_a_piece_is_spelt_by_its_old_cut():
    """The old pieces of a new one say the same; an unknown letter gives none."""
    data = TOKENIZERS["WordPiece"]
    names = {id: piece for piece, id in data["model"]["vocab"].items()}

    whole, inner, strange = pieces.old_cuts(data, ["goatsong", "##tree", "ⴰⴱ"])

    assert "".join(names[id].removeprefix("##") for id in whole) == "goatsong"
    assert "".join(names[id].removeprefix("##") for id in inner) == "tree"
    assert not names[whole[0]].startswith("##")
    assert names[inner[0]].startswith("##")
    assert strange == []


def test_rows_start_from_old_pieces(rng):
    """The mean of the pieces that say the same; near the centre where nothing does."""
    old = rng.standard_normal((4, 3)).astype(np.float32)

    rows = initial_rows(old, [[0, 3], [1], []], rng)

    np.testing.assert_allclose(rows[0], (old[0] + old[3]) / 2, rtol=1e-6)
    np.testing.assert_allclose(rows[1], old[1], rtol=1e-6)
    assert np.isfinite(rows[2]).all()


@pytest.mark.parametrize("kind", ["sentences", "words", "both"])
@pytest.mark.parametrize("bag_steps", [0, 60])
def test_rows_go_to_their_translations(rng, kind, bag_steps):
    """From 60 sentences, or from a lexicon, each word's row is nearest to its translation's."""
    vocabulary = {word: row for row, word in enumerate(WORDS)}
    vocabulary |= {foreign(word): len(WORDS) + row for row, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary | {"?": len(vocabulary)}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    pairs = [Pair(text=foreign(text), source=text, lang="zgh") for text in sentences(rng, 60)]
    lexicon = [Pair(text=foreign(word), source=word, lang="zgh") for word in WORDS]
    english = rng.standard_normal((len(WORDS), 16)).astype(np.float32)
    first = initial_rows(english, [[]] * (len(WORDS) + 1), rng)
    old = torch.from_numpy(np.concatenate([english, first]))
    new = (np.arange(len(old)) >= len(WORDS)) & (np.arange(len(old)) < 2 * len(WORDS))

    moved = placed_by_translations(
        old, new, tokenizer,
        pairs=pairs if kind != "words" else [],
        lexicon=lexicon if kind != "sentences" else [],
        options=AdaptOptions(bag_steps=bag_steps), rng=rng, progress=lambda line: None,
    )  # fmt: skip

    torch.testing.assert_close(moved[~new], old[~new], rtol=0, atol=0)
    theirs = functional.normalize(old[: len(WORDS)])
    nearest = (functional.normalize(moved[new]) @ theirs.T).argmax(dim=1)
    assert nearest.tolist() == list(range(len(WORDS)))


def test_rows_stay_where_no_translation_can_be_read(rng):
    """Without any, the table is the same one."""
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    table = torch.from_numpy(rng.standard_normal((2, 3)))

    for pairs in ([], [Pair(text=" ", source=" ", lang="zgh")]):
        moved = placed_by_translations(
            table, np.array([True, False]), tokenizer, pairs=pairs, lexicon=[],
            options=AdaptOptions(), rng=rng, progress=lambda line: None,
        )  # fmt: skip
        assert moved is table


@settings(max_examples=25, deadline=None)
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

    if set(whole[0]) <= set(pieces.as_tokenizer(left).get_vocab()):
        assert cuts(left, [" ".join(seen[:1] + shuffled)]) == whole
    assert cuts(left, [text]) == cuts(data, [text])
    assert pieces.size(left) <= pieces.size(data)


def test_trimming_numbers_anew_in_the_old_order(data):
    """Id i of the trimmed tokenizer is the piece of kept[i] in the old one."""
    kept = trim.kept_ids(data, ["goat rain"])
    old, new = pieces.as_tokenizer(data), pieces.as_tokenizer(trim.trimmed(data, kept))

    assert len(kept) < pieces.size(data)
    assert [new.id_to_token(row) for row in range(len(kept))] == [
        old.id_to_token(int(id)) for id in kept
    ]
    assert new.encode("goat").tokens[0] == "<s>"
    assert json.loads(new.to_str())["truncation"] is None


def test_trimming_keeps_the_letters_of_the_texts(data):
    """A word that no text had can still be spelt with the letters that they had."""
    kept = trim.kept_ids(data, ["goat rain"])
    left = trim.trimmed(data, kept)

    found = pieces.as_tokenizer(left).encode("grant", add_special_tokens=False)

    assert pieces.unknown_id(left) not in found.ids or pieces.unknown_id(left) is None
