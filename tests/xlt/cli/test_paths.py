"""The commands on tables of paths: several of them, inner nodes and none, and labels of paths."""

from __future__ import annotations

import json

import pytest

from tests.xlt.cli.rows import ROWS, lines, table
from xlt_backend.cli import main

#: Answers: several paths, one to an inner node, none, a leaf.
ANSWERS = ([["Home", "Kitchen", "food"], ["Market"]], [["Home"]], [], [["Market"]])


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    """The rows of a table, with paths in place of labels."""
    return [{**row, "label": ANSWERS[n % len(ANSWERS)]} for n, row in enumerate(ROWS)]


@pytest.fixture(scope="module", params=["frozen", "joint"])
def trained(request, rows, tiny_encoder, tmp_path_factory) -> str:
    """A model of the table, trained by the command."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "settings.toml").write_text(f'learner = "{request.param}"\n')
    argv = ["train", table(folder, rows), "--out", str(folder / "m"), "--held-out", "0.2"]
    argv += ["--encoder", str(tiny_encoder), "--config", str(folder / "settings.toml")]
    assert main([*argv, *(["--max-steps", "3"] if request.param == "joint" else [])]) == 0
    return str(folder / "m")


def test_a_model_of_several_paths_predicts_judges_chooses_and_reviews(
    rows, trained, tmp_path, capsys
):
    """Every command reads the table and writes paths as it holds them."""
    data = table(tmp_path, rows)
    assert main(["predict", trained, data]) == 0
    found = lines(capsys.readouterr().out)
    known = {"Home", "Home / Kitchen / food", "Market"}
    for row in found:
        assert {" / ".join(path) for path in row["label"]} <= known
        assert 0 <= row["confidence"] <= 1
        assert set(row["probabilities"]) == known
        assert row["probabilities"]["Home"] >= row["probabilities"]["Home / Kitchen / food"]
    assert main(["evaluate", trained, data, "--json"]) == 0
    [judged] = lines(capsys.readouterr().out)
    assert 0 <= judged["total"]["exact"] <= judged["total"]["accuracy"] <= 1
    assert main(["select", trained, data, "--relabel", "--all"]) == 0
    assert len(lines(capsys.readouterr().out)) == len(rows)
    waiting = [row if n % 3 else {k: v for k, v in row.items() if k != "label"}
               for n, row in enumerate(rows)]  # fmt: skip
    assert main(["select", trained, table(tmp_path, waiting), "--source", "en", "--all"]) == 0
    assert all(0 <= row["uncertainty"] <= 1 for row in lines(capsys.readouterr().out))


def test_labels_are_paths_if_the_kind_is_asked_for(tiny_encoder, tmp_path, capsys):
    """The model is then one of a taxonomy; without the option it is one of single labels."""
    rows = [{**row, "label": f"Topic / {row['label']}"} for row in ROWS]
    argv = ["train", table(tmp_path, rows), "--encoder", str(tiny_encoder), "--max-steps", "3"]
    for kind, more in (("taxonomy", ["--kind", "taxonomy"]), ("single_label", [])):
        assert main([*argv, "--out", str(tmp_path / kind), *more]) == 0
        capsys.readouterr()
        assert main(["evaluate", str(tmp_path / kind), table(tmp_path, rows), "--json"]) == 0
        [judged] = lines(capsys.readouterr().out)
        assert ("first_level" in judged["total"]) == (kind == "taxonomy")
        task = next(path for path in (tmp_path / kind).glob("*.json") if "task" in path.name)
        assert json.loads(task.read_text())["kind"] == kind
