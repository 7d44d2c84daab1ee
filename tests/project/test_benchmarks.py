"""Runners of published numbers run; what they measured is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.builders import save_tiny_encoder

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_every_variant_of_a_training_step_runs(tmp_path, kind):
    """With a pooler and without one; the ratios are those of the seconds beside them."""
    out = tmp_path / "result.json"

    subprocess.run(
        [sys.executable, BENCHMARKS / "training" / "run.py", "--steps", "1", "--json", out,
         "--encoder", save_tiny_encoder(tmp_path / kind, kind, positions=128)],
        check=True, timeout=300,
    )  # fmt: skip

    document = json.loads(out.read_text())
    seconds = {name: found["step_s"] for name, found in document["results"].items()}
    assert set(seconds) == {"hf-padded", "hf-dynamic", "xlt-fp32-all", "xlt"}
    for name, ratio in document["times_better_than_hf_padded"].items():
        assert ratio["step_s"] == pytest.approx(seconds["hf-padded"] / seconds[name])


def test_a_round_of_known_texts_gives_what_one_of_new_texts_gives(tmp_path):
    """The ratios are those of the rounds beside them; the predictions are equal, bit for bit."""
    out = tmp_path / "round.json"

    subprocess.run(
        [sys.executable, BENCHMARKS / "training" / "round.py", "--pool", "20", "--threads", "1",
         "--precision", "fp32", "--json", out,
         "--encoder", save_tiny_encoder(tmp_path / "bert", positions=128)],
        check=True, timeout=300,
    )  # fmt: skip

    document = json.loads(out.read_text())
    assert list(document["rounds"]) == ["no cache", "new texts", "known texts"]
    first, last = document["rounds"]["no cache"], document["rounds"]["known texts"]
    for name, ratio in document["times_as_fast"].items():
        assert ratio == pytest.approx(first[name] / last[name])
    assert document["largest_difference"] == 0


def test_serving_is_measured_for_every_runtime(tmp_path):
    """The ratios are those of the numbers beside them; torch serves as many texts."""
    out = tmp_path / "result.json"

    subprocess.run(
        [sys.executable, BENCHMARKS / "serving" / "run.py", "--texts", "20", "--rounds", "1",
         "--json", out, "--encoder", save_tiny_encoder(tmp_path / "bert", positions=128)],
        check=True, timeout=300,
    )  # fmt: skip

    document = json.loads(out.read_text())
    results = document["results"]
    assert set(results) == {"torch", "int8", "float32"}
    for name, ratios in document["ratios_to_torch"].items():
        for key, ratio in ratios.items():
            assert ratio == pytest.approx(results[name][key] / results["torch"][key])
    assert document["exports"]["float32"]["least_cosine"] > 0.999


LANGUAGES = [
    *("eng_Latn", "hau_Latn", "quy_Latn", "swh_Latn", "wol_Latn", "yor_Latn"),
    *("ibo_Latn", "lin_Latn", "lug_Latn", "som_Latn", "zul_Latn"),
]


def test_learning_is_measured_once_per_cell(tmp_path):
    """A second run measures nothing again, and half a line is measured again; the table agrees."""
    words = {"sport": "goal match team", "food": "bread soup salt"}
    rows = [
        (lang, split, f"{split}{i}", label, f"{text} {lang[:3]}{i}")
        for lang in LANGUAGES
        for split in ("train", "dev", "test")
        for i in range(30)
        for label, text in [list(words.items())[i % 2]]
    ]
    columns = ["lang", "split", "id", "label", "text"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "sib200.parquet")
    encoder, out = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128), tmp_path / "cells"
    command = [
        sys.executable, BENCHMARKS / "learning" / "run.py", "--data", tmp_path, "--out", out,
        "--labels", "40", "--learners", "head", "frozen", "ce:max_steps=1", "--seeds", "1",
        "--encoder", encoder, "--most", "4",
    ]  # fmt: skip

    subprocess.run(command, check=True, timeout=300)
    first = out.read_text()
    out.write_text(first + first.splitlines()[0][:40])
    printed = subprocess.run(command, check=True, timeout=300, capture_output=True, text=True)

    assert out.read_text() == first
    found = [json.loads(line) for line in first.splitlines()]
    models = ["ce:max_steps=1", "ce:max_steps=1 + head", "frozen", "head"]
    assert sorted(row["model"] for row in found) == models
    for row in found:
        assert set(row["accuracy"]) == set(LANGUAGES[1:])
        mean = sum(row["accuracy"].values()) / len(row["accuracy"])
        assert f"| `{row['model']}` | 1 | {mean:.3f} |" in printed.stdout


def test_ratings_are_measured_for_every_model(tmp_path):
    """On lengths that the texts tell, and on sentiments; means of credit and kappa."""
    langs = [
        *("english", "acehnese", "balinese", "javanese", "minangkabau", "sundanese"),
        *("banjarese", "buginese", "indonesian", "madurese", "ngaju", "toba_batak"),
    ]
    rows = [
        (lang, split, f"{split}{i}", feeling, f"{feeling} {lang} {i}" + " word" * (i % 20 * 3))
        for lang in langs
        for split in ("train", "test")
        for i in range(40)
        for feeling in [("negative", "neutral", "positive")[i % 3]]
    ]
    columns = ["lang", "split", "id", "label", "text"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "nusax_senti.parquet")
    encoder, out = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128), tmp_path / "out"
    printed = subprocess.run(
        [sys.executable, BENCHMARKS / "learning" / "ratings.py", "--data", tmp_path, "--out", out,
         "--labels", "40", "--numbers", "3", "5", "--seeds", "1", "--encoder", encoder,
         "--most", "6"],
        check=True, timeout=300, capture_output=True, text=True,
    )  # fmt: skip

    found = json.loads((out / "ratings.json").read_text())
    models = {row["model"] for row in found}
    assert {"xlt: `rating`, probe", "xlt: `rating`, frozen model"} < models
    assert len(found) == 2 * len(models) >= 14
    for row in found:
        assert 0 <= row["credit"] <= 1
        assert row["kappa"] <= 1
        line = f"| {row['numbers']} | {row['model']} | {row['credit']:.3f} | {row['kappa']:.3f} |"
        assert line in printed.stdout


def test_what_a_tree_brings_is_measured_for_every_model(tmp_path):
    """Hierarchical F1 is between accuracy and the share with the right branch."""
    topics = ["entertainment", "geography", "health", "politics", "science/technology", "sports"]
    topics.append("travel")
    rows = [
        (lang, split, f"{split}{i}", topic, f"{topic} {lang[:3]} {i}")
        for lang in LANGUAGES
        for split in ("train", "dev", "test")
        for i in range(35)
        for topic in [topics[i % 7]]
    ]
    columns = ["lang", "split", "id", "label", "text"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "sib200.parquet")
    encoder = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)
    printed = subprocess.run(
        [sys.executable, BENCHMARKS / "learning" / "taxonomy.py", "--data", tmp_path,
         "--labels", "40", "--seeds", "1", "--encoder", encoder, "--most", "7"],
        check=True, timeout=300, capture_output=True, text=True,
    )  # fmt: skip

    lines = [line.strip("|").split("|") for line in printed.stdout.splitlines()[2:]]
    found = {
        (tree.strip(), model.strip()): (float(f1), float(whole), float(first))
        for _, tree, _, model, f1, whole, first, _ in lines
    }
    assert {tree for tree, _ in found} == {"two branches", "three branches"}
    assert len(found) == 2 * 9
    for f1, whole, first in found.values():
        assert whole <= f1 <= first
        assert f1 == pytest.approx((whole + first) / 2, abs=0.002)


def test_pairs_are_measured_by_every_learner(tmp_path):
    """One line for each, and a table; no sentence that judges is learned from."""
    languages = ["eng", "amh", "ben", "deu", "fin", "hau", "khm", "rus", "swa", "yor", "zul"]
    rows = [
        ("ntrex", f"ntrex:{n}", lang, f"{['goal', 'match', 'team', 'vote'][n % 4]} {lang} {n}")
        for lang in languages
        for n in range(40)
    ]
    columns = ["corpus", "key", "lang", "text"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "parallel_text.parquet")
    encoder = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)

    done = subprocess.run(
        [sys.executable, BENCHMARKS / "pairs" / "run.py", "--data", tmp_path, "--encoder", encoder,
         "--labels", "40", "--judging", "2", "--seeds", "1"],
        check=True, timeout=300, capture_output=True, text=True,
    )  # fmt: skip

    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len({row["learner"] for row in found}) == 5
    assert all(0 <= row["accuracy"] <= 1 for row in found)
    assert sum(line.startswith("| 40 |") for line in done.stdout.splitlines()) == 5


def test_preferences_are_measured_by_every_learner(tmp_path):
    """In all and by language."""
    rows = [
        {"lang": lang, "split": split, "id": f"{split}{n}", "premise": f"premise {n}",
         "question": "cause", "choice1": f"one {n}", "choice2": f"two {lang}",
         "label": ("choice1", "choice2")[n % 2]}
        for lang in ("et", "ta") for split in ("val", "test") for n in range(12)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "xcopa.parquet")
    encoder = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)

    done = subprocess.run(
        [sys.executable, BENCHMARKS / "pairs" / "preference.py", "--data", tmp_path,
         "--encoder", encoder, "--judging", "5"],
        check=True, timeout=300, capture_output=True, text=True,
    )  # fmt: skip

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["learner"] for row in found] == ["scikit-learn", "probe", "frozen"]
    assert all(row["judged"] == 10 and {"et", "ta"} < set(row) for row in found)


def test_spans_are_judged_in_every_treebank_but_learned_in_one(tmp_path):
    """Both learners are judged on the same treebanks; English is not in the mean."""
    words = ["we", "saw", "Anna", "Berg", "in", "Oslo", "today"]
    tags = ["O", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]
    rows = [
        (bank[:2].lower(), bank, split, str(i), words[i % 3 :], tags[i % 3 :])
        for bank, split in (("English-EWT", "dev"), ("English-EWT", "test"), ("Danish-DDT", "test"))
        for i in range(12)
    ]
    columns = ["lang", "treebank", "split", "id", "tokens", "tags"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "uner.parquet")
    out = tmp_path / "rows.json"

    printed = subprocess.run(
        [sys.executable, BENCHMARKS / "spans" / "compare.py", "--data", tmp_path, "--json", out,
         "--learners", "hf-case", "xlt", "--encoder",
         save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)],
        check=True, timeout=300, capture_output=True, text=True,
    ).stdout  # fmt: skip

    found = json.loads(out.read_text())
    assert [row["learner"] for row in found] == ["hf-case", "xlt"]
    for row in found:
        assert set(row["f1"]) == {"en English-EWT", "da Danish-DDT"}
        assert all(0 <= value <= 1 for value in row["f1"].values())
    danish = " | ".join(f"{row['f1']['da Danish-DDT']:.3f}" for row in found)
    assert f"| mean without English | {danish} |" in printed


def test_spans_of_a_sentence_are_those_of_seqeval():
    """The exact F1 is seqeval's, whatever the tags; a blank stands between each two words."""
    sys.path.insert(0, str(BENCHMARKS / "spans"))
    try:
        from data import Sentence, f1
    finally:
        sys.path.pop(0)
    from seqeval.metrics import f1_score

    rng = np.random.default_rng(3)
    each = np.array(["O", "B-PER", "I-PER", "B-LOC"])
    pairs = [[_valid(each[rng.integers(0, 4, 9)]) for _ in range(2)] for _ in range(40)]
    words = tuple(f"w{i}" for i in range(9))
    spans = [[Sentence(words=words, tags=tuple(tags)).spans for tags in pair] for pair in pairs]

    expected = f1_score([a for a, _ in pairs], [b for _, b in pairs])

    assert f1([a for a, _ in spans], [b for _, b in spans]) == pytest.approx(expected)
    text = Sentence(words=("Anna", "Berg", "!"), tags=("B-PER", "I-PER", "O"))
    assert [text.text[s.start : s.end] for s in text.spans] == ["Anna Berg"]


def _valid(tags):
    """Makes a tag that goes on without a beginning begin."""
    read = ["O"]
    for tag in tags.tolist():
        goes_on = tag[0] == "I" and read[-1][1:] != tag[1:]
        read.append(f"B{tag[1:]}" if goes_on else tag)
    return read[1:]


def test_three_controls_are_timed_beside_one(tmp_path):
    """By both learners; a ratio is that of the medians beside it."""
    out = tmp_path / "result.json"
    encoder = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)
    subprocess.run(
        [sys.executable, BENCHMARKS / "training" / "controls.py", "--labels", "40", "--steps", "2",
         "--repeats", "1", "--encoder", encoder, "--json", out],
        check=True, timeout=300,
    )  # fmt: skip

    document = json.loads(out.read_text())
    for learner, ratio in document["three_to_one"].items():
        seconds = document["seconds"][learner]
        assert ratio == pytest.approx(seconds["three"][0] / seconds["one"][0], abs=1e-3)
    assert set(document["three_to_one"]) == {"frozen", "joint"}


def test_explanations_are_judged_by_what_deleting_words_changes(tmp_path):
    """Both methods on the same texts; the ratio is that of the means beside it."""
    topics = [("law", "court rule vote"), ("sport", "team won the game")]
    rows = [
        (lang, split, f"{split}{i}", topics[i % 2][0], f"{topics[i % 2][1]} {lang[:3]} {i}")
        for lang in ("eng_Latn", "hau_Latn")
        for split in ("train", "test")
        for i in range(12)
    ]
    columns = ["lang", "split", "id", "label", "text"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "sib200.parquet")
    encoder = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)
    out = tmp_path / "result.json"
    subprocess.run(
        [sys.executable, BENCHMARKS / "explain" / "run.py", "--data", tmp_path, "--texts", "3",
         "--languages", "eng_Latn", "hau_Latn", "--encoder", encoder, "--json", out],
        check=True, timeout=300, capture_output=True,
    )  # fmt: skip

    document = json.loads(out.read_text())
    assert document["texts"] == 6
    random = document["methods"]["random"]["change"]
    for name in ("occlusion", "gradients"):
        own = document["methods"][name]
        assert own["ratio"] == pytest.approx(own["change"] / random, rel=0.05)
        assert own["interval"][0] <= own["ratio"] <= own["interval"][1]
    assert document["methods"]["gradients"]["incomplete"] == 0


def test_the_choice_of_a_learner_is_judged_by_labels_left_out(tmp_path):
    """Each encoder and seed is compared; what is chosen follows from the numbers beside it."""
    words = {"sport": "ball game team goal", "food": "rice soup bread meal"}
    langs = ("eng_Latn", "hau_Latn", "yor_Latn", "quy_Latn", "wol_Latn", "som_Latn")
    rows = [
        {"lang": lang, "split": "train", "id": n, "label": label, "text": f"{word} {n} {lang}"}
        for n in range(100)
        for lang in langs
        for label, told in [list(words.items())[n % 2]]
        for word in [told.split()[n % 4]]
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "sib200.parquet")
    out = tmp_path / "choice.json"

    subprocess.run(
        [sys.executable, BENCHMARKS / "learning" / "choice.py", "--data", tmp_path,
         "--labels", "80", "--unlabelled", "10", "--json", out,
         "--encoders", save_tiny_encoder(tmp_path / "bert", positions=128)],
        check=True, timeout=300,
    )  # fmt: skip

    (found,) = json.loads(out.read_text())["found"]
    assert (found["encoder"], found["labels"], found["judged"]) == ("bert", 80, 24)
    gain = found["gain"]
    assert gain["value"] == pytest.approx(found["joint"] - found["frozen"])
    clear = gain["value"] > 0.84 / 1.96 * (gain["high"] - gain["low"]) / 2
    assert found["chosen"] == ("joint" if clear else "frozen")


def test_searches_are_judged_by_translations_that_they_find(tmp_path):
    """Words find a translation where the lexicon has it; times and memory are positive."""
    pairs = [("kare", "dog"), ("kyanwa", "cat"), ("gida", "house"), ("ruwa", "water")]
    rows = [
        (lang, "test", n, "x", words[lang == "eng_Latn"])
        for lang in ("eng_Latn", "hau_Latn", "swh_Latn")
        for n, words in enumerate(pairs)
    ]
    columns = ["lang", "split", "id", "label", "text"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "sib200.parquet")
    tatoeba = [("hau", n, ours, theirs) for n, (ours, theirs) in enumerate(pairs)]
    columns = ["lang", "id", "text", "english"]
    pd.DataFrame(tatoeba, columns=columns).to_parquet(tmp_path / "tatoeba.parquet")
    known = [("gatitos", theirs, lang, {"hau": ours, "eng": theirs}[lang])
             for ours, theirs in pairs for lang in ("hau", "eng")]  # fmt: skip
    columns = ["corpus", "key", "lang", "text"]
    pd.DataFrame(known, columns=columns).to_parquet(tmp_path / "parallel_text.parquet")
    encoder = save_tiny_encoder(tmp_path / "tiny", "bert", positions=128)
    out, speed = tmp_path / "result.json", tmp_path / "speed.json"
    for command in (
        ["run.py", "--data", tmp_path, "--encoder", encoder, "--json", out],
        ["speed.py", "--texts", "50", "--vectors", "500", "--width", "32", "--json", speed],
    ):
        script = [sys.executable, BENCHMARKS / "search" / command[0], *command[1:]]
        subprocess.run(script, check=True, timeout=300, capture_output=True)

    document = json.loads(out.read_text())
    assert document["lexicon"] == {"entries": 8, "languages": 2}
    assert document["tatoeba"]["mean"]["words and lexicon"] == 1
    assert document["tatoeba"]["mean"]["words"] < 1
    assert set(document["topics"]["hau, one language"]) == set(
        document["topics"]["eng, one language"]
    )
    times = json.loads(speed.read_text())["exact"][0]["ms_median_and_slowest"]
    assert 0 < times[0] <= times[1]
