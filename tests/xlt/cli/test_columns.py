"""The commands on tables as people have them: other columns, leftovers, gaps; a tiny encoder."""

from __future__ import annotations

import csv
import json
import unicodedata

import pytest

from tests.xlt.cli.rows import ROWS, lines, table
from xlt_backend.cli import main


def sheet(folder, rows, name="sheet.csv"):
    """The rows as a spreadsheet writes them: an empty column, empty rows at the end."""
    path = folder / name
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer.writerow([*names, ""])
        for row in [*rows, {}, {}]:
            writer.writerow([*(row.get(name, "") for name in names), ""])
    return str(path)


@pytest.fixture
def train(tmp_path, tiny_encoder, capsys):
    """Trains on a file; returns the status, the result and the lines for people."""

    def run(data, *options):
        argv = ["train", data, "--out", str(tmp_path / "trained"), "--encoder", str(tiny_encoder)]
        status = main([*argv, "--max-steps", "2", "--json", *options])
        shown = capsys.readouterr()
        return status, json.loads(shown.out) if shown.out else None, shown.err.splitlines()

    return run


#: With two texts that are missing, and a label that is no label.
GAPS = [
    *ROWS,
    {"id": "x1", "lang": "en", "text": "", "label": "animal"},
    {"id": "x2", "lang": "ha", "text": "a cat", "label": "NaN"},
    {"id": "x3", "lang": "ha", "text": " ", "label": ""},
]
LEFT_OUT = "left out 2 rows of sheet.csv without text: 42, 44"


def test_training_says_what_it_read(tmp_path, train):
    """Columns, rows without text, words for no label; the number is in the JSON too."""
    path = sheet(tmp_path, GAPS)
    status, result, shown = train(path)
    assert status == 0
    assert result["labels"] == ["animal", "place"]
    assert result["without_text"] == {path: 2}
    assert shown[:4] == [
        "columns of sheet.csv: text, lang, label, id",
        LEFT_OUT,
        "read as no label in sheet.csv: 'NaN' (1)",
        "36 labels, 4 held out, 1 texts without a label",
    ]


def test_the_other_commands_read_the_same_rows(tmp_path, model, capsys):
    """One empty cell ends none of them, and each says what it left out."""
    path = sheet(tmp_path, GAPS)
    assert main(["predict", model, path]) == 0
    shown = capsys.readouterr()
    assert [row["id"] for row in lines(shown.out)] == [*(row["id"] for row in ROWS), "x2"]
    assert LEFT_OUT in shown.err
    assert main(["select", model, path]) == 0
    shown = capsys.readouterr()
    assert [row["id"] for row in lines(shown.out)] == ["x2"]
    assert LEFT_OUT in shown.err
    labelled = sheet(tmp_path, GAPS[:-2], "labelled.csv")
    assert main(["select", model, labelled]) == 1
    assert capsys.readouterr().err.splitlines()[:2] == [
        "columns of labelled.csv: text, lang, label, id",
        "left out 1 row of labelled.csv without text: 42",
    ]
    assert main(["select", model, path, "--relabel", "--all"]) == 0
    shown = capsys.readouterr()
    assert len(lines(shown.out)) == len(ROWS)
    assert LEFT_OUT in shown.err
    assert main(["evaluate", model, path, "--json"]) == 0
    shown = capsys.readouterr()
    [found] = lines(shown.out)
    assert (found["total"]["n"], found["without_text"]) == (len(ROWS), {path: 2})
    assert LEFT_OUT in shown.err


def test_a_simulation_and_an_adaptation_count_them_too(tmp_path, tiny_encoder, capsys):
    """In their reports."""
    path = sheet(tmp_path, GAPS)
    argv = ["simulate", path, "--out", str(tmp_path / "s"), "--source", "en", "--json"]
    argv += ["--encoder", str(tiny_encoder), "--strategies", "random", "--budgets", "4"]
    assert main([*argv, "--seeds", "1"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["without_text"] == {path: 2}
    assert LEFT_OUT in shown.err
    argv = ["adapt", str(tiny_encoder), path, "--out", str(tmp_path / "a"), "--json"]
    assert main([*argv, "--steps", "1", "--new-pieces", "0"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["without_text"] == {path: 2}
    assert "columns of sheet.csv: text, lang, id; not used: 'label'" in shown.err


@pytest.mark.parametrize("weight", [0.5, 70.5])
def test_a_column_called_weight_changes_nothing(tmp_path, train, weight):
    """Unless --weight names it; then it must be trust."""
    rows = [row | {"weight": weight if row["label"] == "animal" else 1} for row in ROWS]
    path = sheet(tmp_path, rows)
    status, _, shown = train(path)
    assert (status, shown[0]) == (
        0,
        "columns of sheet.csv: text, lang, label, id; not used: 'weight' (--weight)",
    )
    status, result, shown = train(path, "--weight", "weight", "--out", str(tmp_path / "weighed"))
    if weight > 1:
        assert (status, result) == (1, None)
        assert f"weight must be in (0, 1], got '{weight}'" in shown[0]
    else:
        assert (status, shown[0]) == (0, "columns of sheet.csv: text, lang, label, id, weight")


def test_numbers_of_sentences_are_no_groups(tmp_path, train, model, capsys):
    """Training is refused in one line; who does not need groups does not read them."""
    rows = [row | {"sentence_id": n % 5} for n, row in enumerate(ROWS)]
    path = sheet(tmp_path, rows)
    status, _, [line] = train(path)
    assert status == 1
    assert "'sentence_id' was taken for groups of translations" in line
    status, result, shown = train(path, "--group", "")
    assert (status, result["held_out"]["total"]["n"]) == (0, 4)
    assert shown[0].endswith("not used: 'sentence_id'")
    assert main(["predict", model, path]) == 0
    assert "lang, id; not used: 'label', 'sentence_id'\n" in capsys.readouterr().err
    assert main(["evaluate", model, path]) == 0
    assert "lang, label, id; not used: 'sentence_id'\n" in capsys.readouterr().err


def test_identified_languages_count_in_the_check(tmp_path, train):
    """A table without languages may hold translations, or texts of one language."""
    texts = [
        "The children walk to school every morning with their friends.",
        "The farmer sells maize and beans at the market in town.",
    ]
    rows = [{"text": f"{text} {n}", "group": 1, "label": n} for n, text in enumerate(texts)]
    status, _, [line] = train(table(tmp_path, rows))
    assert status == 1
    assert "'group' was taken for groups of translations" in line


@pytest.mark.parametrize("name", ["labels", "Labels", "gold_label"])
def test_the_option_for_labels_is_named(tmp_path, train, name):
    """With the columns that are there; what it says works."""
    rows = [{"text": row["text"], name: row["label"]} for row in ROWS]
    path = sheet(tmp_path, rows)
    status, _, [line] = train(path)
    assert status == 1
    assert line.endswith(
        f"columns ['text', '{name}'] is read as label; name one with --label {name}"
    )
    status, result, _ = train(path, *line.split()[-2:])
    assert (status, result["labels"]) == (0, ["animal", "place"])


def test_labels_that_look_the_same_are_one_label(tmp_path, train, capsys):
    """In training, where both forms occur, and in evaluation, where the other one does."""
    names = {"animal": "Động vật", "place": "Địa điểm"}

    def labelled(form):
        return [
            row | {"label": unicodedata.normalize(form(n), names[row["label"]])}
            for n, row in enumerate(ROWS)
        ]

    mixed = table(tmp_path, labelled(lambda n: ["NFC", "NFD"][n % 3 == 0]))
    status, result, _ = train(mixed)
    assert (status, result["labels"]) == (0, sorted(names.values()))
    for form in ("NFC", "NFD"):
        data = table(tmp_path, labelled(lambda n, form=form: form), f"{form}.jsonl")
        assert main(["evaluate", result["out"], data, "--json"]) == 0
        assert lines(capsys.readouterr().out)[0]["total"]["n"] == len(ROWS)


@pytest.mark.parametrize("options", [[], ["--group", "sentence_id"]])
def test_an_adaptation_needs_groups_of_translations(tmp_path, tiny_encoder, capsys, options):
    """It learns that the texts of a group say the same, whether the column was named or found."""
    rows = [row | {"sentence_id": n % 5} for n, row in enumerate(ROWS)]
    argv = ["adapt", str(tiny_encoder), sheet(tmp_path, rows), "--out", str(tmp_path / "a")]
    assert main([*argv, *options]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "'sentence_id' was taken for groups of translations" in line
    assert ("to keep such texts together" in line) == (not options)
