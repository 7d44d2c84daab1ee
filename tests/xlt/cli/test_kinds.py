"""The commands on tables of every kind of task, with a tiny encoder."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from tests.xlt.cli.rows import ROWS, lines, table
from tests.xlt.tasks.samples import PROBED
from xlt.data.jsonl import as_row, from_row
from xlt.tasks.kinds import KINDS, infer_task, read_answers
from xlt_backend.cli import main


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> str:
    """Each kind of task."""
    return request.param


@pytest.fixture(scope="module")
def rows(kind) -> list[dict]:
    """A table of the kind, as it is after JSON."""
    examples = [from_row(row) for row in ROWS]
    made = KINDS[kind].demonstrate(examples, np.random.default_rng(0))
    return [json.loads(json.dumps(as_row(example))) for example in made]


@pytest.fixture(scope="module")
def trained(kind, rows, tiny_encoder, tmp_path_factory) -> str:
    """A model of the kind, trained by the command."""
    folder = tmp_path_factory.mktemp(kind)
    argv = ["train", table(folder, rows), "--out", str(folder / "m"), "--held-out", "0.2"]
    argv += ["--kind", kind]
    assert main([*argv, "--encoder", str(tiny_encoder), "--max-steps", "3"]) == 0
    return str(folder / "m")


def task_of(rows):
    """The task of a table."""
    return infer_task([from_row(row) for row in rows])


@pytest.mark.parametrize("command", [["train"], ["select", "--relabel"], ["simulate"]])
def test_the_kind_that_is_asked_for_must_fit_the_labels(kind, rows, command, tmp_path, capsys):
    """The other kinds refuse the table in one line."""
    other = next(name for name in ("multi_label", "single_label") if name != kind)
    words = [*command, *(["bundled"] if command[0] == "select" else []), table(tmp_path, rows)]
    out = [] if command[0] == "select" else ["--out", str(tmp_path / "out")]
    source = ["--source", "en"] if command[0] != "train" else []
    assert main([*words, *out, *source, "--kind", other]) == 1
    assert f"expected labels of the kind {other!r}" in capsys.readouterr().err


def test_a_model_predicts_answers_of_its_kind(kind, rows, trained, tmp_path, capsys):
    """One line per text, each with an answer as tables hold it, in [0, 1] sure of it."""
    task = task_of(rows)
    assert task.kind == kind
    assert main(["predict", trained, table(tmp_path, rows)]) == 0
    found = lines(capsys.readouterr().out)
    assert [row["id"] for row in found] == [row["id"] for row in rows]
    for row in found:
        assert task.plain(task.read(row["label"])) == row["label"]
        assert 0 <= row["confidence"] <= 1
        assert set(row["probabilities"]) == set(task.labels)


def test_a_model_is_judged_by_the_credit_of_its_kind(rows, trained, tmp_path, capsys):
    """The mean over all rows is that of the predictions; the table names the measure."""
    task, data = task_of(rows), table(tmp_path, rows)
    assert main(["predict", trained, data]) == 0
    predicted = [task.read(row["label"]) for row in lines(capsys.readouterr().out)]
    assert main(["evaluate", trained, data, "--json"]) == 0
    shown = capsys.readouterr()
    [found] = lines(shown.out)
    truth = [example.answer for example in read_answers([from_row(row) for row in rows], task)]
    assert found["total"]["n"] == len(rows)
    assert found["total"]["accuracy"] == pytest.approx(task.credit(truth, predicted).mean())
    assert f"{task.measure} = " in found["signature"]
    assert set(found["languages"]) == {"en", "ha"}


def test_what_to_label_next_is_chosen_by_the_measures_of_the_kind(rows, trained, tmp_path, capsys):
    """The rows without an answer, each with its uncertainty."""
    waiting = [
        {key: value for key, value in row.items() if key != "label"} if n % 3 == 0 else row
        for n, row in enumerate(rows)
    ]
    argv = ["select", trained, table(tmp_path, waiting), "--source", "en", "--all"]
    for measure in ("", *task_of(rows).measures):
        assert main([*argv, "--measure", measure]) == 0
        found = lines(capsys.readouterr().out)
        assert {row["id"] for row in found} == {row["id"] for row in rows[::3]}
        assert all(0 <= row["uncertainty"] <= 1 for row in found)
    assert main([*argv, "--measure", "bald"]) == 1
    assert "measure must be one of" in capsys.readouterr().err


def test_labels_of_every_kind_are_reviewed(kind, rows, trained, tmp_path, capsys):
    """All labelled rows, the most suspect first, with what they have and what is expected."""
    task = task_of(rows)
    argv = ["select", trained, table(tmp_path, rows), "--relabel", "--all", "--explain"]
    if kind not in PROBED:
        assert main([*argv, "--kind", kind]) == 1
        assert f"labels of {kind} are not reviewed" in capsys.readouterr().err
        return
    assert main([*argv, "--kind", kind]) == 0
    found = lines(capsys.readouterr().out)
    given = {row["id"]: row["label"] for row in rows}
    assert {row["id"] for row in found} == set(given)
    doubts = [row["doubt"] for row in found]
    assert doubts == sorted(doubts, reverse=True)
    assert all(0 <= doubt <= 1 for doubt in doubts)
    for row in found:
        assert row["label"] == given[row["id"]]
        assert task.plain(task.read(row["expected"])) == row["expected"]
        assert task.describe(task.read(row["label"])) in row["reason"]


def test_a_table_of_every_kind_is_simulated(kind, rows, tiny_encoder, tmp_path, capsys):
    """The default sampler against chance; accuracies are mean credits."""
    argv = ["simulate", table(tmp_path, rows), "--source", "en", "--out", str(tmp_path / "out")]
    argv += ["--kind", kind]
    argv += ["--encoder", str(tiny_encoder), "--budgets", "6,12", "--seeds", "1", "--json"]
    if kind not in PROBED:
        assert main([*argv, "--strategies", "default"]) == 1
        assert "give --learner joint" in capsys.readouterr().err
        return
    assert main([*argv, "--strategies", "default,stratified"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["strategies"]) == {"default", "stratified"}
    cells = [json.loads(line) for line in (tmp_path / "out/cells.jsonl").read_text().splitlines()]
    assert Counter(cell["strategy"] for cell in cells) == {
        "default": 1, "stratified": 1, "everything": 1
    }  # fmt: skip
    assert all(
        0 <= mean <= 1 for cell in cells for p in cell["points"] for mean in p["accuracy"].values()
    )


def test_labels_of_every_kind_are_explained(kind, rows, trained, capsys):
    """By the words of the text, for a label of the task; spans are refused in a line."""
    text = rows[0]["text"]
    texts = [text] if isinstance(text, str) else text
    status = main(["explain", trained, *texts, "--lang", "en", "--json"])

    shown = capsys.readouterr()
    if kind == "spans":
        assert status == 1
        assert "models of spans cannot be explained" in shown.err
        return
    assert status == 0
    (row,) = lines(shown.out)
    assert row["texts"] == texts
    for word in row["words"]:
        assert texts[word["number"]][word["start"] : word["end"]] == word["text"]
    assert 0 <= row["probability"] <= 1
