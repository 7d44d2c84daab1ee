"""Adaptation as a whole, on tiny encoders of real architectures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from tests.builders import save_tiny_encoder
from tests.xlt.adapt.toy import QUICK, WORDS, foreign, sentences
from xlt.adapt.run import adapt
from xlt.adapt.texts import AdaptData, Pair
from xlt.encoder.encoder import embed, load_encoder
from xlt.errors import ConfigError, StoreError


def test_an_unseen_script_becomes_readable(adapted):
    """Unknown before, read afterwards, and the nearest English sentence is the translation."""
    _, report = adapted
    before, after = (report["languages"]["zgh"][when] for when in ("before", "after"))

    assert before["unknown"] > 0.9
    assert after["unknown"] == 0.0
    assert report["new_pieces"] > 0
    assert after["retrieval"] > before["retrieval"] + 0.3


def test_the_source_stays_where_it_was(english, adapted, rng):
    """English vectors of unseen sentences point where they pointed."""
    unseen = sentences(rng, 40)
    before, after = embed(unseen, encoder=english), embed(unseen, encoder=str(adapted[0]))
    centre = before.mean(axis=0)
    moved = np.square(after - before).sum() / np.square(before - centre).sum()

    assert moved < 0.1


def test_the_result_loads_without_our_code(adapted):
    """AutoModel and AutoTokenizer read it; all of its weights are used."""
    out, _ = adapted
    tokenizer = AutoTokenizer.from_pretrained(out)
    model, info = AutoModel.from_pretrained(out, output_loading_info=True)
    batch = tokenizer([foreign("goat rain")], return_tensors="pt")

    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model(**batch).last_hidden_state.isfinite().all()
    assert tokenizer.unk_token_id not in batch["input_ids"]
    assert not list(out.parent.glob("*.work"))


@pytest.mark.parametrize("kind", ["bert", "electra", "xlm-roberta", "modernbert", "deberta-v2"])
def test_without_translations_the_source_cannot_change(kind, tmp_path):
    """Masked tokens train rows that the source does not use: its vectors are the same."""
    encoder = save_tiny_encoder(tmp_path / kind, kind)
    ours = ["the good team won the match", "a bad law of the state"]
    data = AdaptData(
        texts=tuple(("ha", f"wasan kwallo {word} gasa") for word in ("zabe", "doka", "gwamnati")),
        sources=tuple(ours),
    )

    report = adapt(str(encoder), data, tmp_path / "out", options=replace(QUICK, new_pieces=0))

    assert report["steps"] == 6
    out = str(tmp_path / "out")
    np.testing.assert_allclose(
        embed(ours, encoder=out), embed(ours, encoder=str(encoder)), atol=1e-6
    )
    theirs = [text for _, text in data.texts]
    moved = np.abs(embed(theirs, encoder=out) - embed(theirs, encoder=str(encoder))).max()
    assert moved > 1e-4


def test_a_language_of_source_pieces_alone_changes_nothing(tmp_path):
    """Where the source uses every piece there is no row to train, and that is no error."""
    encoder = str(save_tiny_encoder(tmp_path / "bert"))
    data = AdaptData(texts=(("pcm", "good game"),), sources=("a good team won the game",))

    adapt(encoder, data, tmp_path / "out", options=replace(QUICK, new_pieces=0))

    ours = ["good game", "the team won"]
    np.testing.assert_allclose(
        embed(ours, encoder=str(tmp_path / "out")), embed(ours, encoder=encoder), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["bert", "electra", "xlm-roberta", "modernbert", "deberta-v2"])
def test_every_architecture_learns_from_pairs(kind, tmp_path):
    """New tokens, MLM, TLM, alignment and trimming together; the head goes along."""
    encoder = save_tiny_encoder(tmp_path / kind, kind)
    words = ["wasan kwallo", "gasa zabe", "doka gwamnati", "yamiyami kwallo"] * 5
    data = AdaptData(
        pairs=tuple(
            Pair(text=f"{text} {n % 3 * 'a '}yamiyami", source=f"the game {'run ' * n}", lang="ha")
            for n, text in enumerate(words)
        )
    )
    options = replace(QUICK, mlm_weight=0.5, trim=True, max_tokens_per_word=1.0)

    report = adapt(str(encoder), data, tmp_path / "out", options=options)

    assert report["new_pieces"] > 0
    assert report["trimmed"]["pieces"] > 0
    loaded = load_encoder(str(tmp_path / "out"), with_mlm=True)
    assert loaded.mlm is not None
    assert loaded.model.get_input_embeddings().num_embeddings == len(loaded.tokenizer)


def test_a_lexicon_alone_teaches_words(english, texts, tmp_path):
    """Without any sentence of the source, translations of words are learned from."""
    alone = AdaptData(texts=(("zgh", foreign("goat rain moon")),) * 9, lexicon=texts.lexicon)

    options = replace(QUICK, steps=60, body_learning_rate=3e-3, row_learning_rate=3e-2)
    report = adapt(english, alone, tmp_path / "out", options=options)

    words = embed([foreign(word) for word in WORDS], encoder=str(tmp_path / "out"))
    theirs = embed(WORDS, encoder=english)
    before = np.square(embed([foreign(word) for word in WORDS], encoder=english) - theirs).sum()
    assert report["steps"] == 60
    assert np.square(words - theirs).sum() < 0.7 * before


def test_trimming_changes_no_vector(english, texts, adapted, tmp_path):
    """Texts that use kept pieces have the same vectors with and without the others."""
    options = replace(QUICK, steps=0, new_pieces=0, trim=True)
    few = AdaptData(texts=(("en2", "goat rain moon"),), sources=("fire water",))
    report = adapt(english, few, tmp_path / "trimmed", options=options)
    kept = ["goat rain moon", "fire water", "water goat", "rain"]

    assert report["trimmed"]["pieces"] > 10
    np.testing.assert_allclose(
        embed(kept, encoder=str(tmp_path / "trimmed"), precision="fp32"),
        embed(kept, encoder=english, precision="fp32"),
        atol=1e-6,
    )


def test_trimming_needs_source_texts(english, tmp_path):
    """Without them the source language would lose its pieces."""
    with pytest.raises(ConfigError, match="source"):
        adapt(
            english, AdaptData(texts=(("x", "goat"),)), tmp_path / "out",
            options=replace(QUICK, trim=True),
        )  # fmt: skip


class Killed(Exception):
    """Stands for a signal."""


def test_a_killed_run_goes_on_where_it_stopped(english, texts, tmp_path):
    """The weights are those of a run that nobody killed."""
    options = replace(QUICK, checkpoint_minutes=0.0)
    adapt(english, texts, tmp_path / "whole", options=options)

    def kill(words):
        if words == "measuring":
            raise Killed

    for _ in range(2):  # the second goes on from the first one's checkpoint
        with pytest.raises(Killed):
            adapt(english, texts, tmp_path / "killed", options=options, progress=kill)
    assert not (tmp_path / "killed").exists()
    report = adapt(english, texts, tmp_path / "killed", options=options)

    assert report["steps"] == 6
    a, b = (AutoModel.from_pretrained(tmp_path / name).state_dict() for name in ("whole", "killed"))
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=0, atol=0)


@pytest.mark.parametrize("replaces", [False, True])
def test_an_output_is_replaced_only_if_that_is_asked_for(replaces, english, texts, tmp_path):
    """Otherwise it is refused before anything is loaded, and stays as it is."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "theirs").touch()
    said = []
    if not replaces:
        with pytest.raises(StoreError, match="is not empty"):
            adapt("no-encoder", texts, out, options=QUICK, progress=said.append)
        assert said == []
        assert (out / "theirs").is_file()
        return
    adapt(english, texts, out, options=QUICK, replaces=True)
    assert not (out / "theirs").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_encoder_whose_place_is_taken_meanwhile_is_kept(english, texts, tmp_path):
    """The message names a folder that loads."""
    out = tmp_path / "out"

    def progress(line):
        if line == "measuring":
            out.mkdir()
            (out / "theirs").touch()

    with pytest.raises(StoreError, match="the finished folder is kept as") as error:
        adapt(english, texts, out, options=QUICK, progress=progress)
    kept = str(error.value).rpartition(" ")[2]
    assert AutoModel.from_pretrained(kept).config.hidden_size
    assert [path.name for path in out.iterdir()] == ["theirs"]
