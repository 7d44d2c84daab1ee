"""The commands on files of labelling tools, with a tiny encoder."""

from __future__ import annotations

import json

import pytest

from tests.xlt.cli.rows import ROWS, lines, table
from tests.xlt.tasks.exported import annotation, csv_file, json_file, lines_file, rated, task
from xlt_backend.cli import main

#: Labelled twice each but for the last two: one was skipped, on one the annotators disagree.
TASKS = [
    task(
        number,
        annotation(2 * number, [row["label"]], 1),
        annotation(2 * number + 1, [row["label"]], 2),
        text=row["text"] + f" {number}",
        lang=row["lang"],
    )
    for number, row in enumerate(ROWS)
]
TASKS[-1]["annotations"] = [annotation(900, ["place"], was_cancelled=True)]
TASKS[-2]["annotations"] = [annotation(901, ["place"], 1), annotation(902, ["animal"], 2)]

READ = (
    "read 40 tasks of a Label Studio export: 38 labelled, 1 on which annotators disagree, "
    "1 skipped (labels from 'topic')"
)


def test_a_model_is_trained_on_an_export(tmp_path, tiny_encoder, capsys):
    """One line says what was read; tasks without an answer are texts without a label."""
    argv = ["train", str(json_file(tmp_path, TASKS)), "--label", "topic", "--json"]
    argv += ["--out", str(tmp_path / "m"), "--encoder", str(tiny_encoder), "--max-steps", "2"]
    assert main([*argv, "--held-out", "0"]) == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[0]["labels"] == ["animal", "place"]
    assert shown.err.splitlines().count(READ) == 1
    assert "38 labels, 0 held out, 2 texts without a label" in shown.err


def test_the_other_commands_read_exports(tmp_path, model, capsys):
    """Judged by the answers; the tasks without one are what is left to label."""
    data = str(json_file(tmp_path, TASKS))
    assert main(["evaluate", model, data, "--json"]) == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[0]["total"]["n"] == 38
    assert READ in shown.err
    assert main(["select", model, data, "--all"]) == 0
    assert {row["id"] for row in lines(capsys.readouterr().out)} == {"38", "39"}
    assert main(["predict", model, str(csv_file(tmp_path, TASKS))]) == 0
    shown = capsys.readouterr()
    assert [row["id"] for row in lines(shown.out)] == [str(n) for n in range(39)]
    assert "read 39 tasks of a Label Studio export\n" in shown.err


def test_a_simulation_replays_an_export(tmp_path, tiny_encoder, capsys):
    """As if the tasks of the project were labelled again, with nested fields."""
    tasks = [
        task(n, annotation(1, [label]), doc={"lang": lang, "group": f"{label}{n // 6}"})
        for n in range(72)
        for label in [["animal", "place"][n // 3 % 2]]
        for lang in [["en", "ha", "yo"][n % 3]]
    ]
    argv = ["simulate", str(json_file(tmp_path, tasks)), "--source", "en", "--lang", "doc.lang"]
    argv += ["--group", "doc.group", "--budgets", "6,12", "--seeds", "1", "--strategies", "random"]
    argv += ["--encoder", str(tiny_encoder), "--out", str(tmp_path / "s"), "--json"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[0]["source"] == ["en"]
    assert "read 72 tasks of a Label Studio export: 72 labelled" in shown.err


def test_ratings_of_an_export_need_no_option(tmp_path, tiny_encoder, capsys):
    """Their scale is that of the answers; a table's numbers are judged on it, others refused."""
    tasks = [task(n, rated(n, 1 + n % 4), text=f"{'very ' * (n % 4)}good {n}") for n in range(40)]
    argv = ["train", str(json_file(tmp_path, tasks)), "--encoder", str(tiny_encoder), "--json"]
    argv += ["--out", str(tmp_path / "m"), "--max-steps", "2", "--held-out", "0"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[0]["labels"] == ["1", "2", "3", "4"]
    assert "40 labelled (labels from 'stars')" in shown.err
    rows = [{"text": "good", "label": 1}, {"text": "very good", "label": "2"}]
    assert main(["evaluate", str(tmp_path / "m"), table(tmp_path, rows), "--json"]) == 0
    assert lines(capsys.readouterr().out)[0]["total"]["n"] == 2
    data = table(tmp_path, [*rows, {"text": "bad", "label": 5}])
    assert main(["evaluate", str(tmp_path / "m"), data]) == 1
    error = capsys.readouterr().err
    assert "'3': expected a number from 1 to 4 in steps of 1, got 5" in error.replace('"', "'")


def test_a_pool_can_be_a_file_of_tasks(tmp_path, tiny_encoder, capsys):
    """For --unlabelled, and for predictions."""
    pool = str(lines_file(tmp_path, [{"data": one["data"]} for one in TASKS], "pool.jsonl"))
    argv = ["train", str(json_file(tmp_path, TASKS)), "--unlabelled", pool, "--held-out", "0"]
    argv += ["--out", str(tmp_path / "m"), "--encoder", str(tiny_encoder), "--max-steps", "2"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert "read 40 tasks of a Label Studio task file" in shown.err
    assert "42 texts without a label" in shown.err


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (json.dumps(TASKS)[:-40], [], "is not JSON"),
        (json.dumps(TASKS), ["--label", "tone"], "no annotation has choices of a control 'tone'"),
        (json.dumps({"tasks": TASKS}), [], "no column with text"),
    ],
    ids=["truncated", "another project", "another form"],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, capsys, text, options, message):
    """No traceback, and nothing is written."""
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    assert main(["train", str(path), "--out", str(tmp_path / "m"), *options]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m").exists()
