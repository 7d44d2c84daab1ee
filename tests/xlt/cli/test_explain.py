"""`xlt explain`, with a tiny encoder."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import ROWS, lines, table, without_labels
from xlt_backend.cli import main

TEXTS = ["the cat sat in a red house", "red house"]


@pytest.mark.parametrize("method", ["occlusion", "gradients"])
def test_each_text_has_its_words_with_places_and_scores(model, capsys, method):
    """One object per text; the label is the one that `xlt predict` gives."""
    argv = ["explain", model, *TEXTS, "--lang", "en", "--method", method, "--json"]
    assert main(argv) == 0

    rows = lines(capsys.readouterr().out)
    assert [row["texts"] for row in rows] == [[text] for text in TEXTS]
    for row, text in zip(rows, TEXTS, strict=True):
        assert row["label"] == row["answer"]
        assert [word["text"] for word in row["words"]] == text.split()
        assert all(text[word["start"] : word["end"]] == word["text"] for word in row["words"])
        assert (row["method"], row["nearest"]) == (method, [])
    if method == "gradients":
        sums = rows[0]["completeness"]
        assert sums["is_complete"] == (sums["gap"] <= 0.05)
        total = sum(word["score"] for word in rows[0]["words"])
        assert total == pytest.approx(sums["attributed"], abs=0.01)


def test_texts_of_a_file_with_the_labelled_ones_that_are_most_like_them(model, tmp_path, capsys):
    """Ids and languages are those of the file; a text is not like itself."""
    pool = table(tmp_path, without_labels(ROWS[:2]), "pool.jsonl")
    labelled = table(tmp_path, ROWS)
    argv = ["explain", model, "--file", pool, "--labelled", labelled, "--nearest", "3", "--json"]
    assert main(argv) == 0

    rows = lines(capsys.readouterr().out)
    assert [(row["id"], row["lang"]) for row in rows] == [(r["id"], r["lang"]) for r in ROWS[:2]]
    for row in rows:
        assert len(row["nearest"]) == 3
        assert row["texts"] not in [near["texts"] for near in row["nearest"]]
        cosines = [near["similarity"] for near in row["nearest"]]
        assert cosines == sorted(cosines, reverse=True)


def test_people_get_a_page_without_codes_in_a_pipe(model, tmp_path, capsys):
    """Label with probability, the text as it is, words, and texts like it; markup stays text."""
    text = "the [bold]cat[/bold] sat"
    argv = ["explain", model, text, "--lang", "en", "--labelled", table(tmp_path, ROWS)]
    assert main([*argv, "--nearest", "2"]) == 0

    shown = capsys.readouterr().out
    assert text in shown.splitlines()
    assert " %  (en" in shown.splitlines()[0]
    assert "\x1b" not in shown
    assert sum(line.startswith("  +") or line.startswith("  -") for line in shown.splitlines()) == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "expected a TEXT, or --file"),
        (["a", "--file", "x.csv"], "and not both"),
        ([" "], "expected a TEXT with words"),
        (["a", "--label", "fish"], "no label 'fish': expected one of animal, place"),
        (["a", "--nearest", "0"], "--nearest must be 1 to 100, got 0"),
        (["go " * 600], "has 600 words; at most 512 can be explained"),
        (["--file", "missing.csv"], "missing.csv"),
    ],
)
def test_bad_arguments_are_answered_in_a_line(model, capsys, argv, message):
    """With the value seen and what was expected."""
    assert main(["explain", model, *argv]) == 1

    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1]
    assert error[-1].startswith("xlt: ")


def test_a_folder_without_a_model_is_an_error(tmp_path, capsys):
    """Before any text is read."""
    assert main(["explain", str(tmp_path), "a"]) == 1
    assert "no model in" in capsys.readouterr().err
