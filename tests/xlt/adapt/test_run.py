"""Adaptation as a whole, on tiny encoders of real architectures."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from tests.builders import save_tiny_encoder, stored_as
from tests.xlt.adapt.test_pieces import TOKENIZERS, WORDS, foreign, sentences
from xlt.adapt import folder
from xlt.adapt.data import AdaptData, Pair, from_examples, read_translations
from xlt.adapt.judge import adapt_once, choose, is_made
from xlt.adapt.learn import relative_distance
from xlt.adapt.lessons import split_pairs, window
from xlt.adapt.options import AdaptOptions, cache_key, purpose
from xlt.adapt.pieces import as_tokenizer, size
from xlt.adapt.run import adapt
from xlt.data.examples import Example
from xlt.encoder.dtypes import stored_types
from xlt.encoder.encoder import embed, load_encoder
from xlt.errors import ConfigError, DataError
from xlt_backend.cli import main

QUICK = AdaptOptions(
    steps=6, minutes=0, bag_steps=20, bag_minutes=0, batch_tokens=256, max_tokens=32,
    min_piece_count=2, precision="fp32",
)  # fmt: skip


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """A small BERT with a WordPiece tokenizer that has never seen Tifinagh."""
    folder = tmp_path_factory.mktemp("english")
    data = TOKENIZERS["WordPiece"]
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=size(data), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.2, pad_token_id=1,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    PreTrainedTokenizerFast(
        tokenizer_object=as_tokenizer(data), cls_token="<s>", sep_token="</s>", **names
    ).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def texts():
    """Pairs of English and a language in another script, and their lexicon."""
    rng = np.random.default_rng(4)
    return AdaptData(
        pairs=tuple(Pair(text=foreign(t), source=t, lang="zgh") for t in sentences(rng, 120)),
        lexicon=tuple(Pair(text=foreign(word), source=word, lang="zgh") for word in WORDS),
    )


@pytest.fixture(scope="module")
def adapted(english, texts, tmp_path_factory):
    """That BERT, adapted for some seconds, and the report."""
    out = tmp_path_factory.mktemp("adapted") / "encoder"
    options = replace(QUICK, steps=120, bag_steps=150, held_out_percent=20.0)
    return out, adapt(english, texts, out, options=options)


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


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.bfloat16, torch.float32])
def test_the_file_has_the_types_of_the_one_it_came_from(tmp_path, dtype):
    """An adapted encoder is not larger than its pieces make it, and the source's vectors stay."""
    encoder = save_tiny_encoder(tmp_path / "encoder")
    stored_as(encoder, dtype)
    ours = "the good team won the match"
    data = AdaptData(texts=(("ha", "wasan kwallo zabe gasa"),), sources=(ours,))

    options = replace(QUICK, new_pieces=0, trim=True)
    report = adapt(str(encoder), data, tmp_path / "out", options=options)

    was, now = stored_types(encoder), stored_types(tmp_path / "out")
    assert dtype in now.values()
    assert {was[f"bert.{name}"] for name in now if now[name] == dtype} == {dtype}
    gone = report["trimmed"]["pieces"]
    assert report["trimmed"]["mb_saved"] == round(gone * 16 * dtype.itemsize / 1e6, 3)
    np.testing.assert_allclose(
        embed([ours], encoder=str(tmp_path / "out")), embed([ours], encoder=str(encoder)), atol=1e-6
    )


def test_eight_bits_take_nothing_from_what_was_trained(english, texts, tmp_path, monkeypatch):
    """Trained matrices keep the bits of the config's type; the table keeps the file's eight."""
    encoder = tmp_path / "encoder"
    shutil.copytree(english, encoder)
    settings = json.loads((encoder / "config.json").read_text()) | {"dtype": "float16"}
    (encoder / "config.json").write_text(json.dumps(settings))
    stored_as(encoder, torch.float8_e4m3fn)
    trained = {}
    real = folder.write

    def write(encoder, part, **given):
        trained.update({n: v.clone() for n, v in encoder.model.state_dict().items()})
        real(encoder, part, **given)

    monkeypatch.setattr(folder, "write", write)
    adapt(str(encoder), texts, tmp_path / "out", options=replace(QUICK, steps=20))

    kinds = stored_types(tmp_path / "out")
    written = load_file(tmp_path / "out" / "model.safetensors")
    table = "embeddings.word_embeddings.weight"
    assert kinds[table] == torch.float8_e4m3fn
    assert "encoder.layer.0.attention.self.query.weight" in trained
    for name in trained.keys() - {table}:
        torch.testing.assert_close(written[name].float(), trained[name], rtol=1e-3, atol=1e-6)


def test_the_report_measures_what_is_written(english, texts, tmp_path, monkeypatch):
    """Retrieval in the report is that of the folder, whatever was lost on the way there."""
    options = replace(QUICK, steps=120, bag_steps=150, held_out_percent=20.0)
    monkeypatch.setattr(folder, "_stored", lambda value, *types: torch.zeros_like(value))

    report = adapt(english, texts, tmp_path / "out", options=options)

    assert not embed(["goat rain"], encoder=str(tmp_path / "out")).any()
    _, held = split_pairs(texts.pairs, options, np.random.default_rng((options.seed, 1)))
    first = min(pair.source for pair in held)  # where all vectors are alike
    right = np.mean([pair.source == first for pair in held])
    assert report["languages"]["zgh"]["after"]["retrieval"] == round(float(right), 4)


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


def test_groups_are_pairs():
    """A group with a source text makes pairs; source texts are never adapted to."""
    rows = [("1", "goat", "eng", "a"), ("2", "ⴳⵓⴰⵜ", "zgh", "a"), ("3", "awaw", "zgh", None)]
    examples = [Example(id=i, text=t, lang=lang, group=g) for i, t, lang, g in rows]

    data = from_examples(examples, source="en")

    assert data.pairs == (Pair(text="ⴳⵓⴰⵜ", source="goat", lang="zgh"),)
    assert data.sources == ("goat",)
    assert data.languages == ("zgh",)
    with pytest.raises(DataError, match="besides the source"):
        from_examples(examples[:1], source="en")


def test_translations_are_read_or_refused(tmp_path):
    """Columns source, target, lang; a row without one of its texts is named."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("source,target,lang\ngoat,ⴳⵓⴰⵜ,zgh\n", encoding="utf-8")
    bad.write_text("source,target,lang\ngoat,,zgh\n", encoding="utf-8")

    assert read_translations(good) == [Pair(text="ⴳⵓⴰⵜ", source="goat", lang="zgh")]
    with pytest.raises(DataError, match="row 2"):
        read_translations(bad)


def test_the_key_names_encoder_texts_and_options(english, texts, tmp_path):
    """Anything that changes the result changes the key; the order of texts does not."""
    key = cache_key(english, texts, QUICK)
    turned = replace(texts, pairs=texts.pairs[::-1])

    assert cache_key(english, turned, QUICK) == key
    assert cache_key(english, texts, replace(QUICK, checkpoint_minutes=9.0)) == key
    others = [
        cache_key(english, texts, replace(QUICK, seed=14)),
        cache_key(english, replace(texts, pairs=texts.pairs[1:]), QUICK),
        cache_key(str(save_tiny_encoder(tmp_path / "other")), texts, QUICK),
    ]
    assert len({key, *others}) == 4


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"minutes": -1.0}, "minutes must be in"),
        ({"masked_share": 0.0}, "masked_share must be in"),
        ({"precision": "fp8"}, "fp8"),
        ({"source": " "}, "source"),
        ({"seed": True}, "seed"),
    ],
)
def test_options_out_of_range_are_refused(setting, message):
    """One line with the value seen."""
    with pytest.raises(ConfigError, match=message):
        AdaptOptions(**setting)


def test_held_out_pairs_share_no_source_sentence(texts, rng):
    """All translations of a sentence are on one side."""
    pairs = [p for p in texts.pairs] + [replace(p, lang="xx") for p in texts.pairs]

    kept, held = split_pairs(pairs, replace(QUICK, held_out_percent=20.0, max_pairs=50), rng)

    assert held
    assert not {p.source for p in kept} & {p.source for p in held}
    assert sum(p.lang == "xx" for p in kept) == 50


def test_windows_fill_the_budget(rng):
    """Rows that may be drawn, each once, and no more padded tokens than asked for."""
    chance = np.where(np.arange(100) % 2, 1.0, 0.0)
    lengths = rng.integers(3, 30, size=100)

    for _ in range(20):
        rows = window(chance, lengths, 120, rng)
        assert (rows % 2 == 1).all()
        assert len(rows) == len(set(rows.tolist()))
        assert len(rows) * lengths[rows].max() <= 120
    assert len(window(0 * chance, lengths, 120, rng)) == 0


def test_the_distance_has_no_unit(rng):
    """0 at the target, 1 at the targets' mean, whatever their scale and offset."""
    target = torch.from_numpy(rng.standard_normal((30, 5))) * 7 + 3
    centre = target.mean(dim=0)
    spread = (target - centre).square().sum(dim=-1).mean()

    assert relative_distance(target, target, spread).item() == 0.0
    assert relative_distance(centre.expand(30, 5), target, spread).item() == pytest.approx(1.0)


def labelled(rng, lang, n):
    """Texts about one of two words."""
    rows = []
    for number in range(n):
        label = ("goat", "rain")[number % 2]
        text = f"{label} {' '.join(rng.choice(WORDS[4:], size=2))} {label}"
        text = text if lang == "en" else foreign(text)
        rows.append(Example(id=f"{lang}{number}", text=text, lang=lang, label=label))
    return rows


def test_the_better_encoder_is_chosen(english, adapted, rng):
    """The adapted one where its labels tell; never against itself; never without labels."""
    train = labelled(rng, "en", 60)
    held = labelled(rng, "en", 20) + labelled(rng, "zgh", 40)

    better = choose(english, str(adapted[0]), train, held, source="eng", max_source_loss=0.1)
    same = choose(english, english, train, held, source="eng")
    blind = choose(english, str(adapted[0]), train, held[:20], source="eng")

    assert better.adapted, better.reason
    assert better.encoder == str(adapted[0])
    assert better.after["zgh"] > better.before["zgh"] + 0.2
    assert (same.encoder, same.adapted) == (english, False)
    assert (blind.encoder, blind.adapted) == (english, False)


def test_labels_judge_by_turns_where_none_are_held_out(english, adapted, rng):
    """Each fifth by a head that has not seen it: labels that say nothing are guessed as badly."""
    texts = labelled(rng, "en", 60) + labelled(rng, "zgh", 60)
    better = choose(english, str(adapted[0]), texts, source="eng", max_source_loss=0.1)
    drawn = rng.permutation([e.label for e in texts])
    noise = [replace(e, label=str(label)) for e, label in zip(texts, drawn, strict=True)]
    blind = choose(english, str(adapted[0]), noise, source="eng")

    assert better.adapted, better.reason
    assert better.after["zgh"] > 0.8
    assert max(blind.after.values()) < 0.8


def test_an_adaptation_is_made_once(english, texts, tmp_path):
    """The second time the folder is taken as it is, with more texts too; other languages differ."""
    out = tmp_path / "out"
    adapt_once(english, texts, out, options=QUICK)
    made = (out / "model.safetensors").stat().st_mtime_ns
    more = replace(texts, texts=(*texts.texts, ("zgh", foreign("rain rain"))))
    adapt_once(english, more, out, options=QUICK)

    assert (out / "model.safetensors").stat().st_mtime_ns == made
    assert is_made(out, purpose(english, texts.languages, QUICK))
    assert not is_made(out, purpose(english, texts.languages, replace(QUICK, seed=1)))
    assert not is_made(out, purpose(english, [*texts.languages, "yor"], QUICK))
    assert not is_made(tmp_path / "nothing", "")


def test_command_line(english, texts, tmp_path, capsys):
    """A table with groups in, a folder and one JSON object out."""
    table = tmp_path / "texts.csv"
    lines = ["text,lang,group"]
    for number, pair in enumerate(texts.pairs[:60]):
        lines += [f"{pair.source},en,{number}", f"{pair.text},zgh,{number}"]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "out"

    status = main(
        ["adapt", english, str(table), "--out", str(out), "--steps", "2", "--minutes", "0",
         "--json"]
    )  # fmt: skip

    report = json.loads(capsys.readouterr().out)
    assert status == 0
    assert report["languages"]["zgh"]["pairs"] > 50
    assert report == json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_help_tells_the_defaults(capsys):
    """What it says happens without a word from the user is what happens."""
    with pytest.raises(SystemExit):
        main(["adapt", "--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert f"time for training (default: {AdaptOptions().minutes:g})" in said
    assert f"stop after N steps (default: {AdaptOptions().steps})" in said
