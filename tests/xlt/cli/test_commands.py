"""Mistakes and help of the commands on files."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import ROWS, table, without_labels
from xlt_backend.cli import main


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["predict", "{model}", "nothing.csv"], "there is no file nothing.csv"),
        (["predict", "nowhere", "{data}"], "nowhere"),
        (["select", "{model}", "{data}"], "every row"),
        (["select", "{model}", "{data}", "--batch", "0"], "batch must be at least 1"),
        (["evaluate", "{model}", "{pool}"], "no row"),
        (["evaluate", "{model}", "{other}"], "unknown label 'sport'"),
        (["train", "{pool}", "--out", "x"], "columns ['id', 'lang', 'text'] is read as label"),
        (["train", "{data}", "--out", "x", "--pairs", "{data}"], "source and target"),
        (["train", "{data}", "--out", "x", "--held-out", "2"], r"held-out share"),
        (["train", "{data}", "--out", "x", "--max-steps", "-1"], "max_steps"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else value[:12],
)  # fmt: skip
def test_what_a_user_gets_wrong_is_one_line_and_status_1(tmp_path, model, capsys, argv, message):
    """Every error names what was seen; no traceback, nothing on standard output."""
    names = {
        "model": model,
        "data": table(tmp_path, ROWS),
        "pool": table(tmp_path, without_labels(ROWS), "pool.jsonl"),
        "other": table(tmp_path, [ROWS[0] | {"label": "sport"}], "other.jsonl"),
    }
    assert main([argument.format(**names) for argument in argv]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err.splitlines()[-1]
    assert shown.err.splitlines()[-1].startswith("xlt: ")


@pytest.mark.parametrize("command", ["train", "predict", "select", "evaluate"])
def test_help_has_an_example(command, capsys):
    """--help shows the command as one would type it."""
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"\n  xlt {command} " in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["-1", "x", "1.5"])
def test_seeds_are_checked_first(seed, tmp_path, capsys):
    """Before anything is read."""
    with pytest.raises(SystemExit) as stopped:
        main(["select", "bundled", str(tmp_path / "none.csv"), "--seed", seed])
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith(f"argument --seed: expected a whole number from 0 on, got '{seed}'")
