"""The commands on tables whose rows have two texts, with a tiny encoder."""

from __future__ import annotations

import csv
import json

import pytest

from tests.xlt.cli.rows import ROWS, lines
from xlt_backend.cli import main

#: Two texts in a row, and whether both are in the same language.
PAIRS = [
    {
        "id": str(n),
        "premise": one["text"],
        "hypothesis": other["text"],
        "lang": one["lang"],
        "label": "same" if one["lang"] == other["lang"] else "other",
    }
    for n, (one, other) in enumerate(
        (one, ROWS[(place + step) % len(ROWS)])
        for step in (1, 2, 3)
        for place, one in enumerate(ROWS)
    )
]


def csv_table(folder, rows) -> str:
    """A table of these rows."""
    path = folder / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(PAIRS[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture(scope="module", params=["frozen", "joint"])
def trained(request, tiny_encoder, tmp_path_factory) -> str:
    """A model of pairs, by each learner."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "config.toml").write_text(f'learner = "{request.param}"\n')
    steps = ["--max-steps", "3"] if request.param == "joint" else []
    argv = ["train", csv_table(folder, PAIRS), "--out", str(folder / "m"), "--held-out", "0.2"]
    argv += ["--encoder", str(tiny_encoder), "--config", str(folder / "config.toml"), *steps]
    assert main(argv) == 0
    return str(folder / "m")


def test_predict_and_evaluate(trained, tmp_path, capsys):
    """One answer per row; the line says that both columns are read."""
    data = csv_table(tmp_path, PAIRS)
    assert main(["predict", trained, data]) == 0
    shown = capsys.readouterr()
    assert [row["id"] for row in lines(shown.out)] == [row["id"] for row in PAIRS]
    assert "text from 'premise', second text from 'hypothesis'" in shown.err
    assert main(["evaluate", trained, data, "--json"]) == 0
    assert lines(capsys.readouterr().out)[0]["total"]["n"] == len(PAIRS)


def test_columns_that_are_named_once_or_twice(trained, tmp_path, capsys):
    """`--text A,B` and `--text A --text B` are the same; the order counts."""
    data = csv_table(tmp_path, PAIRS)
    found = []
    for names in (
        ["--text", "premise,hypothesis"],
        ["--text", "premise", "--text", "hypothesis"],
        ["--text", "hypothesis,premise"],
    ):
        assert main(["predict", trained, data, *names]) == 0
        found.append(lines(capsys.readouterr().out))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_single_text_is_refused(trained, tmp_path, capsys):
    """By one line that says how many the model reads."""
    assert main(["predict", trained, csv_table(tmp_path, PAIRS), "--text", "premise"]) == 1
    assert "example '0' has 1 texts; the model reads 2" in capsys.readouterr().err


def test_select_shows_both_texts(trained, tmp_path, capsys):
    """In a list, which the commands read again; so does the review of labels."""
    waiting = [row | ({"label": ""} if n % 3 == 0 else {}) for n, row in enumerate(PAIRS)]
    data = csv_table(tmp_path, waiting)
    assert main(["select", trained, data, "--source", "en", "--all", "--explain"]) == 0
    found = lines(capsys.readouterr().out)
    texts = {row["id"]: [row["premise"], row["hypothesis"]] for row in PAIRS}
    assert {row["id"]: row["text"] for row in found} == {
        row["id"]: texts[row["id"]] for row in found
    }
    assert len(found) == len(PAIRS) // 3
    assert main(["select", trained, data, "--relabel", "--all"]) == 0
    review = lines(capsys.readouterr().out)
    assert all(row["text"] == texts[row["id"]] for row in review)
    again = tmp_path / "again.jsonl"
    again.write_text("".join(json.dumps(row) + "\n" for row in review), encoding="utf-8")
    assert main(["predict", trained, str(again)]) == 0


def test_select_without_a_model(tmp_path, capsys):
    """The bundled encoder orders pairs by what is typical."""
    rows = [row | {"label": ""} for row in PAIRS[:12]]
    assert main(["select", "bundled", csv_table(tmp_path, rows), "--all"]) == 0
    assert len(lines(capsys.readouterr().out)) == 12


@pytest.mark.parametrize("learner", ["head", "frozen"])
def test_simulate(learner, tiny_encoder, tmp_path, capsys):
    """Selection is replayed on pairs as on texts."""
    argv = ["simulate", csv_table(tmp_path, PAIRS), "--source", "en", "--learner", learner]
    argv += ["--encoder", str(tiny_encoder), "--budgets", "6,12", "--seeds", "1", "--json"]
    argv += ["--out", str(tmp_path / "out"), "--strategies", "default,stratified"]
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out)["pool"] > 0


def test_an_export_of_label_studio(trained, tmp_path, capsys):
    """The data of a task hold both texts; its annotations, the answer."""
    tasks = [
        {
            "id": n,
            "data": {key: row[key] for key in ("premise", "hypothesis", "lang")},
            "annotations": [
                {
                    "id": n,
                    "completed_by": 1,
                    "result": [
                        {
                            "from_name": "label",
                            "to_name": "hypothesis",
                            "type": "choices",
                            "value": {"choices": [row["label"]]},
                        }
                    ],
                }
            ],
        }
        for n, row in enumerate(PAIRS)
    ]
    tasks[3]["data"]["hypothesis"] = ""
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    assert main(["evaluate", trained, str(path), "--json"]) == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[0]["total"]["n"] == len(PAIRS) - 1
    assert "1 without text" in shown.err
