"""`xlt select` on files, with a tiny encoder."""

from __future__ import annotations

import shutil

import pytest

from tests.xlt.cli.rows import ROWS, lines, table, without_labels
from xlt_backend.cli import main


@pytest.mark.parametrize("kind", ["model", "bundled"])
def test_select_orders_what_has_no_label(tmp_path, model, kind, capsys, monkeypatch):
    """Only unlabelled rows, the batch by default, all with --all, reasons with --explain."""
    import numpy as np

    vectors = np.random.default_rng(0).standard_normal
    monkeypatch.setattr("xlt.encoder.encoder.embed", lambda texts, **_: vectors((len(texts), 8)))
    data = table(tmp_path, [*ROWS[:5], *ROWS[20:25], *without_labels(ROWS[5:20] + ROWS[25:])])
    argv = ["select", model if kind == "model" else "bundled", data, "--source", "eng"]
    assert main([*argv, "--batch", "10", "--explain"]) == 0
    shown = capsys.readouterr()
    batch = lines(shown.out)
    assert [row["rank"] for row in batch] == list(range(10))
    assert sum(row["lang"] == "en" for row in batch) == 5
    assert all(row["reason"] and row["text"] for row in batch)
    assert any(row["neighbours"] for row in batch)
    assert (batch[0]["uncertainty"] is None) == (kind == "bundled")
    assert "a batch of 10" in shown.err
    assert main([*argv, "--all"]) == 0
    everything = lines(capsys.readouterr().out)
    assert len({row["id"] for row in everything}) == 30
    assert not {"reason", "neighbours"} & set(everything[0])


def test_select_relabel_orders_the_labels_by_doubt(
    tmp_path, model, tiny_encoder, capsys, monkeypatch
):
    """The labelled rows alone, the wrong one first, by an encoder that never saw the labels."""
    import numpy as np

    asked = []

    def vectors(texts, encoder="bundled"):
        asked.append(encoder)
        rng = np.random.default_rng(0)
        about = [[4.0 * (word in text) for word in ("goal", "law")] for text in texts]
        return (np.array(about) + 0.1 * rng.standard_normal((len(texts), 2))).astype(np.float32)

    monkeypatch.setattr("xlt.models.artifact.embed", vectors)
    rows = [
        {"id": f"r{i}", "text": ("goal", "law")[i % 2], "lang": "en", "label": ("s", "p")[i % 2]}
        for i in range(40)
    ]
    rows[7] |= {"label": "s"}
    data = table(tmp_path, [*rows, {"id": "new", "text": "goal", "lang": "en", "label": ""}])
    assert main(["select", model, data, "--relabel", "--batch", "5", "--explain"]) == 0
    found = lines(capsys.readouterr().out)
    assert [row["rank"] for row in found] == list(range(5))
    assert (found[0]["id"], found[0]["label"], found[0]["expected"]) == ("r7", "s", "p")
    assert "expects 'p'" in found[0]["reason"]
    assert asked == [str(tiny_encoder)]
    assert main(["select", "bundled", table(tmp_path, rows[:9], "few.jsonl"), "--relabel"]) == 1
    assert "9 labels: too few" in capsys.readouterr().err


def test_an_unknown_measure_is_refused_first(tmp_path, model, capsys, monkeypatch):
    """With the measures that the model's task has; without a model there are none."""
    monkeypatch.setattr("xlt.models.predictor.Predictor.load", None)
    data = table(tmp_path, without_labels(ROWS))
    assert main(["select", model, data, "--measure", "nonsense"]) == 1
    assert "measure must be one of ['margin'" in capsys.readouterr().err
    assert main(["select", "bundled", data, "--measure", "margin"]) == 1
    assert "--measure needs a trained model" in capsys.readouterr().err


@pytest.mark.parametrize("labels", [["animal"], ["animal", "animal"]])
def test_first_labels_may_all_be_the_same(tmp_path, model, capsys, labels):
    """They tell nothing of the languages yet, and need not."""
    rows = [row | {"label": label} for row, label in zip(ROWS, labels, strict=False)]
    data = table(tmp_path, [*rows, *without_labels(ROWS[len(labels) :])])
    assert main(["select", model, data, "--source", "en", "--batch", "4"]) == 0
    assert len(lines(capsys.readouterr().out)) == 4


def test_an_encoder_orders_texts_by_what_is_typical(tmp_path, tiny_encoder, capsys):
    """Any encoder, as long as there is no model; `--measure` needs one."""
    data = table(tmp_path, without_labels(ROWS))
    assert main(["select", str(tiny_encoder), data, "--batch", "10"]) == 0
    rows = lines(capsys.readouterr().out)
    assert len(rows) == 10
    assert {row["uncertainty"] for row in rows} == {None}
    assert main(["select", str(tiny_encoder), data, "--measure", "margin"]) == 1
    assert "--measure needs a trained model" in capsys.readouterr().err


def test_what_is_no_model_is_one_clear_line(tmp_path, model, tiny_encoder, capsys):
    """An encoder, nothing, a file; a model that has lost its task is no encoder."""
    data = table(tmp_path, ROWS)
    for command in ("predict", "evaluate"):
        for given, why in {
            str(tiny_encoder): "it has no task.json",
            "bundled": "there is no such folder",
            data: "there is no such folder",
        }.items():
            assert main([command, given, data]) == 1
            said = f"xlt: no model in {given}: {why}; `xlt train` writes models\n"
            assert capsys.readouterr().err == said
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    (broken / "task.json").unlink()
    pool = table(tmp_path, without_labels(ROWS), "pool.jsonl")
    assert main(["select", str(broken), pool]) == 1
    assert "no complete model in" in capsys.readouterr().err
