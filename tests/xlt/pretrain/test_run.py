"""A whole tiny run of a recipe, killed and resumed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from tests.xlt.pretrain.toy import foreign, sentences, write_table
from xlt.errors import ConfigError, DataError, StoreError
from xlt.pretrain import run as module
from xlt.pretrain import stages
from xlt.pretrain.recipe import read_recipe
from xlt.pretrain.run import pretrain
from xlt.pretrain.teacher import load_teacher


def recipe_text(teacher, *, steps=60, bag=80):
    """A whole recipe of a few steps."""
    return f"""
teacher = "{teacher}"
corpora = ["pairs", "words"]
lexicons = ["words"]
held_out_percent = 5
embedding_size = 24
[vocabulary]
n_pieces = 190
n_english = 80
n_texts = 400
n_first_texts = 100
min_texts = 1
min_english_uses = 1
min_character_texts = 2
[bag]
steps = {bag}
batch_size = 64
learning_rate = 0.02
[distil]
minutes = 0
steps = {steps}
batch_tokens = 512
negatives = 32
precision = "no"
masked_weight = 0.1
body_learning_rate = 1e-3
row_learning_rate = 2e-3
[head]
minutes = 0
steps = 5
batch_size = 8
"""


def run(tmp_path, text, table, progress=lambda line: None, name="encoder", keep_work=False):
    """Makes the encoder of a recipe's text."""
    file = tmp_path / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return pretrain(
        read_recipe(file),
        tmp_path / name,
        tables=[table],
        progress=progress,
        recipe_text=text,
        keep_work=keep_work,
    )


def vectors(folder, texts):
    """Sentence vectors as any user of transformers computes them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    weight = batch["attention_mask"].unsqueeze(-1)
    return torch.nn.functional.normalize((hidden * weight).sum(1) / weight.sum(1), dim=-1)


def test_whole_run(teacher_folder, table, tmp_path):
    """Losses fall, translations come together, and the result loads with plain transformers."""
    lines = []
    out = run(tmp_path, recipe_text(teacher_folder, steps=150), table, lines.append)
    assert {file.name for file in out.iterdir()} >= {"model.safetensors", "recipe.toml"}
    assert sum(file.stat().st_size for file in out.iterdir()) < 2_000_000
    assert not (tmp_path / "encoder.work").exists()
    texts = sentences(np.random.default_rng(77), 12)
    english = vectors(out, texts)
    ours = vectors(out, [foreign(text) for text in texts])
    scores = ours @ english.T
    assert scores.diagonal().mean() > scores.mean() + 0.03
    nearest = scores.argmax(dim=1)
    assert (nearest == torch.arange(12)).float().mean() >= 0.3
    teacher = load_teacher(teacher_folder)
    assert AutoModel.from_pretrained(out).dtype == torch.float16
    assert teacher.body.config.hidden_size == english.shape[1]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["unread_share"]["zgh_Tfng"] == 0


def test_a_lexicon_is_not_needed(teacher_folder, table, tmp_path):
    """Sentences alone fill the batches."""
    text = recipe_text(teacher_folder, steps=3, bag=3).replace('lexicons = ["words"]', "")

    out = run(tmp_path, text.replace('["pairs", "words"]', '["pairs"]'), table)

    assert vectors(out, [foreign("moon")]).isfinite().all()


@pytest.mark.parametrize(
    ("english", "foreign_key", "message"),
    [
        (
            "the goat and the river sing",
            "",
            "no sentence with an English translation to train on in the corpora",
        ),
        ("goat", "p:1", "no English sentence of four words or more"),
    ],
)
def test_tables_that_teach_nothing_are_refused(
    teacher_folder, tmp_path, english, foreign_key, message
):
    """Without translations, or without English sentences, there is nothing to learn from."""
    rows = {
        "corpus": ["pairs"] * 2,
        "key": ["p:1", foreign_key],
        "lang": ["eng", "zgh"],
        "text": [english, foreign(english)],
    }
    pq.write_table(pa.table(rows), tmp_path / "pairs.parquet")
    text = recipe_text(teacher_folder).replace("held_out_percent = 5", "held_out_percent = 0")

    with pytest.raises(DataError, match=message):
        run(tmp_path, text, tmp_path / "pairs.parquet")


def test_two_processes_make_one_encoder(teacher_folder, table, tmp_path):
    """The first prepares and writes, both train, as `torchrun` starts them."""
    file = tmp_path / "recipe.toml"
    file.write_text(recipe_text(teacher_folder, steps=5, bag=5), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
         "-m", "xlt_backend.cli", "pretrain", file, "--data", table, "--out", tmp_path / "encoder"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "processes 2, device cpu" in done.stderr
    assert done.stderr.count("learning pieces") == 1
    assert done.stdout.count(str(tmp_path / "encoder")) == 1
    assert vectors(tmp_path / "encoder", [foreign("moon")]).isfinite().all()
    assert not (tmp_path / "encoder.work").exists()


class PowerCut(Exception):
    """Stands for a killed process."""


@pytest.mark.parametrize("stage", ["target", "rows"])
def test_a_stage_killed_while_it_was_written_is_made_again(
    teacher_folder, table, tmp_path, monkeypatch, stage
):
    """Half of a file is never taken for a finished stage."""
    real = stages.save_file

    def killed(tensors, path):
        if stage in tensors:
            Path(path).write_bytes(b"half")
            raise PowerCut
        real(tensors, path)

    text = recipe_text(teacher_folder, steps=1, bag=1)
    monkeypatch.setattr(stages, "save_file", killed)
    with pytest.raises(PowerCut):
        run(tmp_path, text, table)
    monkeypatch.setattr(stages, "save_file", real)

    assert vectors(run(tmp_path, text, table), [foreign("moon")]).isfinite().all()


@pytest.mark.parametrize("change", ["recipe", "table"])
def test_stages_of_another_run_are_refused(teacher_folder, table, tmp_path, monkeypatch, change):
    """Vectors of other sentences are never trained on; what only later steps use may change."""
    text = recipe_text(teacher_folder, steps=1, bag=1)
    real = module.learn_head

    def killed(*args, **kwargs):
        raise PowerCut

    monkeypatch.setattr(module, "learn_head", killed)
    with pytest.raises(PowerCut):
        run(tmp_path, text, table)
    monkeypatch.setattr(module, "learn_head", real)
    other = write_table(tmp_path / "other.parquet", np.random.default_rng(6))
    seeded = text.replace('lexicons = ["words"]', 'lexicons = ["words"]\nseed = 14')
    assert seeded != text

    with pytest.raises(ConfigError, match="holds the stages of another recipe"):
        run(tmp_path, *((seeded, table) if change == "recipe" else (text, other)))

    longer = recipe_text(teacher_folder, steps=2, bag=1)
    assert (run(tmp_path, longer, table) / "report.json").is_file()


def test_stages_of_nobody_knows_which_run_are_refused(teacher_folder, table, tmp_path):
    """A folder of stages without their key could be anybody's."""
    (tmp_path / "encoder.work").mkdir()
    (tmp_path / "encoder.work" / "target.safetensors").write_bytes(b"")

    with pytest.raises(ConfigError, match="remove it"):
        run(tmp_path, recipe_text(teacher_folder, steps=1, bag=1), table)


@pytest.mark.parametrize("masked_weight", [0.0, 0.1])
def test_killed_run_goes_on_as_if_uninterrupted(
    teacher_folder, table, tmp_path, monkeypatch, masked_weight
):
    """Killed after some steps and started again, a run ends with the same weights."""
    text = recipe_text(teacher_folder, steps=12, bag=5)
    text = text.replace("masked_weight = 0.1", f"masked_weight = {masked_weight}")
    text = text.replace("[distil]", "[distil]\ncheckpoint_minutes = 0")
    whole = run(tmp_path, text, table, name="whole", keep_work=True)
    shutil.copytree(tmp_path / "whole.work", tmp_path / "resumed.work")  # ties between pieces
    shutil.rmtree(tmp_path / "resumed.work" / "checkpoint")
    real = module.save_checkpoint

    def killed(folder, model, optimizers, state, rng):
        real(folder, model, optimizers, state, rng)
        if state.step == 5:
            raise PowerCut

    monkeypatch.setattr(module, "save_checkpoint", killed)
    with pytest.raises(PowerCut):
        run(tmp_path, text, table, name="resumed")
    assert not (tmp_path / "resumed").exists()
    monkeypatch.setattr(module, "save_checkpoint", real)
    resumed = run(tmp_path, text, table, name="resumed")
    left, right = (AutoModel.from_pretrained(f, dtype=torch.float32) for f in (whole, resumed))
    for name, tensor in left.state_dict().items():
        torch.testing.assert_close(tensor, right.state_dict()[name], msg=name)


def test_an_encoder_is_neither_made_in_vain_nor_thrown_away(teacher_folder, table, tmp_path):
    """A place that is taken is refused first; if it is taken meanwhile, the encoder is kept."""
    text = recipe_text(teacher_folder, steps=3, bag=3)
    out, lines = tmp_path / "encoder", []

    def progress(line):
        lines.append(line)
        if line.startswith("masked-token head"):
            out.mkdir(exist_ok=True)
            (out / "theirs").touch()

    with pytest.raises(StoreError, match="the finished folder is kept as") as error:
        run(tmp_path, text, table, progress)
    assert vectors(str(error.value).rpartition(" ")[2], ["moon"]).isfinite().all()
    assert lines
    lines.clear()
    with pytest.raises(StoreError, match="is not empty"):
        run(tmp_path, text, table, progress)
    assert lines == []
    assert [path.name for path in out.iterdir()] == ["theirs"]
