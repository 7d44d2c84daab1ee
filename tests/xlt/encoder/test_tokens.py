"""Tokenising, padding, bucketing, and the mixed batches of a training."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from tests.builders import tiny_tokenizer
from xlt.config import TrainConfig
from xlt.encoder.masked_lm import mask_tokens
from xlt.encoder.padding import pad
from xlt.encoder.tokens import TextTokenizer, budget_batches, padded_width
from xlt.training.batches import Material, Stream, Vocabulary, balanced_probabilities, crop

TEXTS = ["the ball", "a good game of the team", "law", "", "vote and tax in the state"]


def tiny(max_length: int) -> TextTokenizer:
    """The tiny encoders' tokenizer."""
    return TextTokenizer(tiny_tokenizer().backend_tokenizer, max_length)


def material(n_labelled: int = 7, n_pool: int = 9, **parts) -> Material:
    """Material whose texts differ in length."""
    tokenize = tiny(32)
    words = sorted(tiny_tokenizer().get_vocab())[20:34]
    texts = [" ".join(words[: 1 + i % len(words)]) for i in range(n_labelled + n_pool)]
    tokens = tokenize(texts)
    return Material(
        labelled=[[text] for text in tokens[:n_labelled]],
        task_targets=torch.arange(n_labelled) % 2,
        answered=torch.ones((n_labelled, 1)),
        languages=torch.arange(n_labelled) % 3,
        weights=torch.ones(n_labelled),
        unlabelled=tokens[n_labelled:],
        unlabelled_languages=["hau"] * (n_pool - n_pool // 3) + ["yor"] * (n_pool // 3),
        **parts,
    )


def stream(config: TrainConfig, **parts) -> Stream:
    """A stream over `material`."""
    vocabulary = Vocabulary(pad_id=0, mask_id=4, n_tokens=40, max_length=128)
    return Stream(material(), vocabulary, config, **parts)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_tokens_are_hugging_faces(kind):
    """Ids, types and special tokens are what the Hugging Face call gives, for texts and pairs."""
    tokenizer = tiny_tokenizer(kind)
    pairs = [("the ball", "wasan kwallo"), ("a law", "doka")]

    for inputs, theirs in (
        (TEXTS, tokenizer(TEXTS, truncation=True, max_length=6, return_special_tokens_mask=True)),
        (pairs, tokenizer(pairs, truncation=True, max_length=6, return_special_tokens_mask=True)),
    ):
        ours = TextTokenizer(tokenizer.backend_tokenizer, 6, with_types=kind == "bert")(inputs)

        assert [list(tokens.ids) for tokens in ours] == theirs["input_ids"]
        assert [list(tokens.special) for tokens in ours] == theirs["special_tokens_mask"]
        if kind == "bert":
            assert [list(tokens.types) for tokens in ours] == theirs["token_type_ids"]
        else:
            assert not any(tokens.types.any() for tokens in ours)


PARTS = (" ", "a", "the", "Ball", "GA", "ga", "<far>", " <far> ", "[MASK]", "wasan kwallo", "é")


def trained(kind: str) -> Tokenizer:
    """A tokenizer of a family, with tokens added to its vocabulary and others after it."""
    special = {"special_tokens": ["[UNK]", "[CLS]", "[SEP]", "[MASK]"], "show_progress": False}
    model, trainer = {
        "WordPiece": (models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(**special)),
        "BPE": (models.BPE(unk_token="[UNK]"), trainers.BpeTrainer(**special)),
        "Unigram": (models.Unigram(), trainers.UnigramTrainer(unk_token="[UNK]", **special)),
    }[kind]
    backend = Tokenizer(model)
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.train_from_iterator(TEXTS, trainer)
    backend.add_tokens([AddedToken("wasan kwallo"), AddedToken("GA", normalized=False)])
    backend.add_special_tokens([AddedToken("<far>", lstrip=True)])
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return backend


@pytest.mark.parametrize("kind", ["WordPiece", "BPE", "Unigram"])
@given(texts=st.lists(st.text() | st.lists(st.sampled_from(PARTS)).map("".join)))
def test_twin_cuts_like_a_copy(kind, texts):
    """Ids and special tokens are those of the tokenizer itself, whatever truncation it has."""
    backend = trained(kind)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=20)

    ours = TextTokenizer(tokenizer.backend_tokenizer, 1000)(texts)

    expected = backend.encode_batch(texts)
    assert [list(tokens.ids) for tokens in ours] == [encoding.ids for encoding in expected]
    assert [list(tokens.special) for tokens in ours] == [e.special_tokens_mask for e in expected]


def test_one_vocabulary_serves_all_lengths():
    """A copy of 320,000 pieces would take longer than reading a sentence, and 80 MiB."""
    backend = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "ball": 2}, unk_token="[UNK]"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    tokenize = TextTokenizer(tokenizer.backend_tokenizer, 9)

    tokenizer.backend_tokenizer.model.unk_token = (
        "ball"  # a twin that holds a copy would not see it
    )

    assert [list(tokens.ids) for tokens in tokenize(["law"])] == [[2]]


def test_tokenizer_is_shared_by_threads():
    """Many threads on one tokenizer get what one thread gets (no "Already borrowed")."""
    tokenize = tiny(8)
    expected = [list(tokens.ids) for tokens in tokenize(TEXTS)]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: [list(t.ids) for t in tokenize(TEXTS)], range(200)))

    assert all(result == expected for result in results)


def test_padding_stands_on_the_right():
    """Ids, then padding; the mask says which is which; an empty batch is a batch."""
    padded = pad([np.array([2, 7, 3]), np.array([2, 3])], 9)

    assert padded.input_ids.tolist() == [[2, 7, 3], [2, 3, 9]]
    assert padded.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert pad([], 0).input_ids.shape == (0, 1)


@given(st.integers(1, 600), st.integers(1, 600))
def test_rows_are_padded_to_few_widths(longest, limit):
    """A multiple of 8, unless the model cannot read so much; never less than the longest row."""
    width = padded_width(longest, limit)

    assert longest <= width < longest + 8
    assert width % 8 == 0 or width == max(longest, limit)


@given(st.lists(st.integers(0, 50)), st.integers(1, 200))
def test_budget_batches_lose_nothing_and_keep_the_budget(lengths, max_tokens):
    """Each position once; a padded batch is within the budget unless it is one text."""
    batches = budget_batches(lengths, max_tokens)

    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= max_tokens


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 30), min_size=1), st.floats(0, 1))
def test_languages_are_drawn_by_the_power_of_their_size(counts, alpha):
    """The probabilities of a language's texts sum to n ** alpha over the sum of all."""
    languages = [lang for lang, n in counts.items() for _ in range(n)]

    probabilities = balanced_probabilities(languages, alpha)

    total = sum(n**alpha for n in counts.values())
    for lang, n in counts.items():
        share = sum(p for p, other in zip(probabilities, languages, strict=True) if other == lang)
        assert share == pytest.approx(n**alpha / total)


@given(st.integers(0, 1000), st.floats(0.05, 0.9))
def test_masking_hides_known_places_and_nothing_else(seed, probability):
    """Special tokens are never hidden, at least one token is, the rest of the text stays."""
    (tokens,) = tiny(32)(["the ball was good and the team won"])

    ids, hidden = mask_tokens(
        tokens,
        probability=probability,
        mask_id=4,
        n_tokens=40,
        rng=np.random.default_rng(seed),
    )

    assert len(hidden) == max(round(probability * 8), 1)
    assert not tokens.special[hidden].any()
    assert (np.delete(ids, hidden) == np.delete(tokens.ids, hidden)).all()


def test_a_text_without_words_has_nothing_to_hide(rng):
    """[CLS] [SEP] alone: no position, no error."""
    (tokens,) = tiny(32)([""])

    ids, hidden = mask_tokens(tokens, probability=0.5, mask_id=4, n_tokens=40, rng=rng)

    assert len(hidden) == 0
    assert (ids == tokens.ids).all()


def test_crop_keeps_special_tokens_and_a_window(rng):
    """What is left is within the length, begins with [CLS], ends with [SEP], in order between."""
    (tokens,) = tiny(32)(["the ball was good and the team won"])

    cut = crop(tokens, 5, rng)

    assert len(cut) == 5
    assert (cut.ids[0], cut.ids[-1]) == (tokens.ids[0], tokens.ids[-1])
    inner = list(cut.ids[1:-1])
    assert any(inner == list(tokens.ids[i : i + 3]) for i in range(len(tokens)))
    assert crop(tokens, 99, rng) is tokens


def test_every_labelled_row_is_read_once_in_an_epoch():
    """Nothing is dropped at the end of an epoch, in any epoch."""
    config = TrainConfig(labelled_rows=3, unlabelled_rows=2)
    source = stream(config)
    expected = Counter(len(text) for (text,) in source.material.labelled)

    for epoch in range(2):
        steps = range(epoch * source.steps_per_epoch, (epoch + 1) * source.steps_per_epoch)
        seen = Counter[int]()
        for step in steps:
            batch = source.batch(step)
            seen.update(batch.tokens.attention_mask[: batch.n_labelled].sum(1).tolist())
        assert seen == expected


def test_a_step_depends_on_seed_and_step_alone():
    """A stream that starts in the middle gives what one from the beginning gives."""
    config = TrainConfig(labelled_rows=3, unlabelled_rows=2)
    first, second = stream(config), stream(config)
    for step in range(5):
        first.batch(step)

    one, other = first.batch(5), second.batch(5)

    assert torch.equal(one.tokens.input_ids, other.tokens.input_ids)
    assert torch.equal(one.mlm_targets, other.mlm_targets)
    different = stream(replace(config, seed=14)).batch(5)
    assert not torch.equal(one.tokens.input_ids, different.tokens.input_ids) or not torch.equal(
        one.mlm_positions, different.mlm_positions
    )


def test_masked_positions_point_at_what_was_hidden():
    """Restoring the targets at the flattened positions gives texts of the pool."""
    source = stream(TrainConfig(labelled_rows=3, unlabelled_rows=4))
    batch = source.batch(0)
    ids = batch.tokens.input_ids.flatten()
    ids[batch.mlm_positions] = batch.mlm_targets
    rows = ids.view_as(batch.tokens.input_ids)[batch.n_labelled :]
    lengths = batch.tokens.attention_mask[batch.n_labelled :].sum(1)

    pool = [list(tokens.ids) for tokens in source.material.unlabelled]
    for row, length in zip(rows, lengths, strict=True):
        assert row[:length].tolist() in pool


@pytest.mark.parametrize("world", [2, 5])
def test_processes_share_one_batch(world):
    """Their rows are the batch's, the totals are the whole batch's, an empty share weighs 0."""
    config = TrainConfig(labelled_rows=3, unlabelled_rows=4)
    whole = stream(config).batch(1)

    shares = [stream(config, rank=rank, world=world).batch(1) for rank in range(world)]

    assert sum(float(share.weights.sum()) for share in shares) == float(whole.weights.sum())
    assert sum(len(share.mlm_targets) for share in shares) == whole.mlm_total
    for share in shares:
        assert torch.equal(share.language_totals, whole.language_totals)
        assert share.mlm_total == whole.mlm_total
        assert share.n_labelled >= 1
