"""A training whose texts are known: the same model, bit for bit, without the encoder."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.builders import save_tiny_encoder
from tests.xlt.training.test_loop import LABELLED, POOL, TASK
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.data.jsonl import write_jsonl
from xlt.disk.blobs import Blobs
from xlt.models.features import FeatureReader
from xlt.models.scorer import FrozenScorer
from xlt.training.train import train

EVERYTHING = [*LABELLED, *POOL]


@pytest.fixture
def config(tiny_encoder: Path) -> TrainConfig:
    """The learner, on the tiny encoder."""
    return TrainConfig(encoder=str(tiny_encoder), learner="frozen", precision="fp32")


@pytest.fixture
def cache(tmp_path: Path) -> Blobs:
    """An empty cache."""
    return Blobs(tmp_path / "texts.sqlite3", most_bytes=10**8)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that an encoder reads."""
    seen: list[str] = []
    read = FeatureReader._read_now
    monkeypatch.setattr(
        FeatureReader, "_read_now", lambda *args: seen.extend(args[1]) or read(*args)
    )
    return seen


def scores(folder: Path, cache: Blobs | None) -> np.ndarray:
    """What a model says of all texts."""
    return FrozenScorer.load(folder, cache=cache).score(EVERYTHING).outputs.values


def test_known_texts_give_the_same_model_and_predictions(
    config: TrainConfig, cache: Blobs, reads: list[str], tmp_path: Path
):
    """Bit for bit as without a cache; each text is read once, and then none."""
    without = train(LABELLED, POOL, TASK, config, tmp_path / "without")
    expected = scores(without.folder, None)
    reads.clear()
    first = train(LABELLED, POOL, TASK, config, tmp_path / "first", cache=cache)
    assert sorted(reads) == sorted({example.text for example in EVERYTHING})
    reads.clear()
    second = train(
        LABELLED, POOL, TASK, config, tmp_path / "second", cache=cache, sibling=first.folder
    )
    np.testing.assert_array_equal(scores(first.folder, cache), expected)
    np.testing.assert_array_equal(scores(second.folder, cache), expected)
    assert reads == []
    for file in (p.name for p in without.folder.iterdir() if p.name != "model.safetensors"):
        assert (second.folder / file).read_bytes() == (without.folder / file).read_bytes()
    weights = [(r.folder / "model.safetensors").read_bytes() for r in (without, second)]
    assert weights[0] == weights[1]
    assert second.precision == without.precision


def test_a_new_text_alone_is_read(
    config: TrainConfig, cache: Blobs, reads: list[str], tmp_path: Path
):
    """Twice the same text is read once."""
    train(LABELLED, POOL, TASK, config, tmp_path / "first", cache=cache)
    reads.clear()
    new = [Example(id=name, texts=("a new text",), lang="en") for name in ("n1", "n2")]
    train(LABELLED, [*POOL, *new], TASK, config, tmp_path / "second", cache=cache)
    assert reads == ["a new text"]


def test_a_damaged_entry_is_read_again_and_said(
    config: TrainConfig,
    cache: Blobs,
    reads: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    """And gives what it gave before."""
    first = train(LABELLED, POOL, TASK, config, tmp_path / "first", cache=cache)
    expected = scores(first.folder, cache)
    with sqlite3.connect(tmp_path / "texts.sqlite3") as db:
        row = "(SELECT min(rowid) FROM blobs)"
        db.execute(f"UPDATE blobs SET value = zeroblob(length(value)) WHERE rowid = {row}")
    db.close()
    reads.clear()
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(scores(first.folder, cache), expected)
    assert len(reads) == 1
    assert "1 values are damaged" in caplog.text
    scores(first.folder, cache)
    assert len(reads) == 1


@pytest.mark.parametrize("change", ["encoder", "max_length", "precision"])
def test_what_reads_otherwise_never_reuses(
    change: str, config: TrainConfig, cache: Blobs, reads: list[str], tmp_path: Path
):
    """Another encoder under the same name, too: its files count."""
    train(LABELLED, POOL, TASK, config, tmp_path / "first", cache=cache)
    reads.clear()
    encoder = tmp_path / "encoder"
    other = {
        "encoder": {"encoder": str(encoder)},
        "max_length": {"max_length": 64},
        "precision": {"precision": "auto"},
    }
    save_tiny_encoder(encoder)
    if change == "encoder":
        weights = encoder / "model.safetensors"
        data = weights.read_bytes()
        weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    changed = TrainConfig(**{"encoder": config.encoder, "precision": "fp32"} | other[change])
    second = train(
        LABELLED, POOL, TASK, changed, tmp_path / "b", cache=cache, sibling=tmp_path / "first"
    )
    assert sorted(reads) == sorted({example.text for example in EVERYTHING})
    assert second.folder.joinpath("model.safetensors").is_file()


def test_texts_of_pairs_are_known_one_by_one(cache: Blobs, tiny_encoder: Path, reads: list[str]):
    """A text that was read alone is not read again in a pair."""
    config = TrainConfig(encoder=str(tiny_encoder), learner="frozen", precision="fp32")
    from xlt.models.features import base_reader

    base_reader(config, cache).vectors(["good game", "bad law"])
    reads.clear()
    pairs = [("good game", "bad law"), ("bad law", "good game")]
    found = base_reader(config, cache).vectors(pairs)
    assert reads == []
    np.testing.assert_array_equal(found, base_reader(config).vectors(pairs))


def test_torch_is_not_imported_when_all_texts_are_known(
    config: TrainConfig, cache: Blobs, tmp_path: Path
):
    """Neither to train, nor to write the model, nor to score: its import takes seconds."""
    first = train(LABELLED, POOL, TASK, config, tmp_path / "first", cache=cache)
    write_jsonl(tmp_path / "labelled.jsonl", LABELLED)
    write_jsonl(tmp_path / "pool.jsonl", POOL)
    code = f"""
import sys
from pathlib import Path
from xlt.config import TrainConfig
from xlt.data.jsonl import read_jsonl
from xlt.disk.blobs import Blobs
from xlt.models.folder import read_task
from xlt.models.scorer import FrozenScorer
from xlt.tasks.kinds import read_answers
from xlt.training.train import train
here = Path({str(tmp_path)!r})
cache = Blobs(here / "texts.sqlite3", most_bytes=10**8)
task, config = read_task(here / "first"), TrainConfig.from_toml(here / "first" / "config.toml")
labelled = read_answers(read_jsonl(here / "labelled.jsonl"), task)
pool = read_jsonl(here / "pool.jsonl")
train(labelled, pool, task, config, here / "out", cache=cache, sibling=here / "first")
FrozenScorer.load(here / "out", cache=cache).score(pool)
print(sorted({{"torch", "transformers", "sklearn"}} & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]", told.stderr
    weights = [(folder / "model.safetensors").read_bytes() for folder in
               (first.folder, tmp_path / "out")]  # fmt: skip
    assert weights[0] == weights[1]
