"""Sizes asked for against the sizes that there are, and labels with few examples."""

from __future__ import annotations

import json

import pytest

import xlt.encoder.encoder
from tests.xlt.cli.rows import ROWS, lines, table, without_labels
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.cli import main

SIMULATE = ("--source", "en", "--seeds", "2", "--encoder", "bundled")


@pytest.fixture
def no_encoder(monkeypatch):
    """Nothing slow may begin."""

    def load(*args, **kwargs):
        raise AssertionError("an encoder is loaded")

    monkeypatch.setattr(xlt.encoder.encoder, "load_encoder", load)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "in-target is asked for 20 labels at first, but a seed has"),
        (["--strategies", "zero-shot", "--budgets", "15"], "of 14 texts in the source languages"),
        (["--strategies", "margin@target", "--budgets", "15"], "in the target languages"),
        (["--strategies", "default", "--budgets", "25"], "default is asked for 25 labels at first"),
        (
            ["--strategies", "random", "--budgets", "3", "--pool-share", "0.01"],
            "a seed has 1 of 28",
        ),
        (["--test-split", "english", "--budgets", "2"], "no test text is in ha"),
    ],
    ids=["defaults", "source", "target", "all", "share", "test"],
)
@pytest.mark.usefixtures("no_encoder")
def test_a_simulation_of_too_few_texts_is_refused_first(options, said, tmp_path, capsys):
    """In one line that says what was asked for and what there is; nothing is written."""
    tests = [
        row | {"id": f"t{row['id']}", "split": "english"} for row in ROWS if row["lang"] == "en"
    ]
    rows = [row | {"split": "train"} for row in ROWS] + tests
    data = table(tmp_path, rows if "--test-split" in options else ROWS)
    out = tmp_path / "out"
    split = ["--split", "train"] if "--test-split" in options else []
    assert main(["simulate", data, "--out", str(out), *SIMULATE, *split, *options]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert not out.exists()


def test_budgets_that_no_pool_reaches_are_said(tmp_path, tiny_encoder, capsys):
    """The curves end where the texts end."""
    argv = ["simulate", table(tmp_path, ROWS), "--out", str(tmp_path / "out"), *SIMULATE]
    argv += ["--encoder", str(tiny_encoder), "--budgets", "4,500", "--json"]
    assert main([*argv, "--strategies", "random,zero-shot"]) == 0
    shown = capsys.readouterr()
    assert "budgets end at 22 labels" in shown.err
    assert list(json.loads(shown.out)["strategies"]["random"]["accuracy"]) == ["4", "22"]


def test_a_batch_larger_than_the_pool_is_the_pool(tmp_path, capsys):
    """The line on it says how many were asked for."""
    data = table(tmp_path, without_labels(ROWS[:5]))
    assert main(["select", "bundled", data, "--batch", "50"]) == 0
    shown = capsys.readouterr()
    assert len(lines(shown.out)) == 5
    assert "a batch of 5 (asked for 50)" in shown.err


def test_a_file_without_labels_is_refused_before_the_model_is_read(tmp_path, capsys):
    """The model is nothing but its task."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "task.json").write_text(json.dumps(SingleLabel(labels=("a", "b")).to_json()))
    assert main(["evaluate", str(model), table(tmp_path, without_labels(ROWS))]) == 1
    assert "no row of" in capsys.readouterr().err


#: Rows with a label that one of them has, in tables of either kind.
RARE = {
    "single": [row | {"label": "rare"} if n == 3 else row for n, row in enumerate(ROWS)],
    "several": [
        row | {"label": [row["label"], "rare"] if n == 3 else [row["label"]]}
        for n, row in enumerate(ROWS)
    ],
    "translated": [
        row | {"group": row["id"][2:]} | ({"label": "rare"} if row["id"][2:] == "3" else {})
        for row in ROWS
    ],
}


@pytest.mark.parametrize("kind", RARE)
@pytest.mark.parametrize("share", ["0.5", "1"])
def test_the_last_examples_of_a_label_train(kind, share, tmp_path, tiny_encoder, capsys):
    """However much is held out; one line names the label that cannot be judged."""
    argv = ["train", table(tmp_path, RARE[kind]), "--out", str(tmp_path / "m"), "--max-steps", "1"]
    argv += ["--encoder", str(tiny_encoder), "--held-out", share, "--json"]
    for seed in ("1", "2", "3"):
        out = ["--out", str(tmp_path / seed), "--seed", seed]
        assert main([*argv, *out]) == 0
        shown = capsys.readouterr()
        assert lines(shown.out)[0]["held_out"]["unjudged_labels"] == ["rare"]
        assert "cannot be judged, because no text has them: 'rare'" in shown.err


def test_nothing_held_out_is_said(tmp_path, tiny_encoder, capsys):
    """A share that is less than half a group."""
    argv = ["train", table(tmp_path, ROWS), "--out", str(tmp_path / "m"), "--max-steps", "1"]
    assert main([*argv, "--encoder", str(tiny_encoder), "--held-out", "0.01"]) == 0
    assert "the model is neither judged nor calibrated" in capsys.readouterr().err
