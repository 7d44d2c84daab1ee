"""The choice between an encoder and its adaptation."""

from __future__ import annotations

from dataclasses import replace

from tests.xlt.adapt.toy import QUICK, WORDS, foreign
from xlt.adapt.judge import adapt_once, choose, is_made
from xlt.adapt.options import purpose
from xlt.data.examples import Example


def labelled(rng, lang, n):
    """Texts about one of two words."""
    rows = []
    for number in range(n):
        label = ("goat", "rain")[number % 2]
        text = f"{label} {' '.join(rng.choice(WORDS[4:], size=2))} {label}"
        text = text if lang == "en" else foreign(text)
        rows.append(Example(id=f"{lang}{number}", texts=(text,), lang=lang, answer=label))
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
    drawn = rng.permutation([e.answer for e in texts])
    noise = [replace(e, answer=str(label)) for e, label in zip(texts, drawn, strict=True)]
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
