"""`xlt train` on files, with a tiny encoder."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import ROWS, lines, table, without_labels
from xlt_backend.cli import main


def test_train_holds_out_calibrates_and_reports(tmp_path, tiny_encoder, capsys):
    """One JSON object on standard output: labels, steps, held-out numbers; words elsewhere."""
    out = tmp_path / "model"
    pool = table(tmp_path, without_labels(ROWS), "pool.jsonl")
    argv = ["train", table(tmp_path, ROWS), "--out", str(out), "--encoder", str(tiny_encoder)]
    argv += ["--unlabelled", pool, "--target", "hau", "--max-steps", "2", "--json"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    [found] = lines(shown.out)
    assert found["labels"] == ["animal", "place"]
    assert found["steps"] == 2
    assert found["held_out"]["total"]["n"] == 4
    assert (out / "calibration.json").is_file()
    assert "36 labels, 4 held out" in shown.err


def test_nothing_of_a_held_out_group_is_trained_on(tmp_path, monkeypatch, tiny_encoder):
    """Labels and unlabelled texts that say the same as a held-out one stay out."""
    import xlt.training.train

    seen = {}

    class StopError(Exception):
        pass

    def spy(labelled, unlabelled, *args, **kwargs):
        seen.update(labelled=labelled, unlabelled=unlabelled)
        raise StopError

    monkeypatch.setattr(xlt.training.train, "train", spy)
    rows = [row | {"group": row["id"][2:]} for row in ROWS]
    rows += [row | {"id": f"x{row['id']}", "lang": "yo"} for row in without_labels(rows)]
    with pytest.raises(StopError):
        main(["train", table(tmp_path, rows), "--out", str(tmp_path / "m"), "--held-out", "0.25"])
    kept = {example.group for example in seen["labelled"]}
    assert len(kept) == 15
    assert {example.group for example in seen["unlabelled"]} == kept


@pytest.fixture
def trained_on(tmp_path, monkeypatch):
    """Runs the command up to the training; returns what it would train on."""
    import xlt.training.train

    class StopError(Exception):
        pass

    def run(*argv):
        seen = {}

        def spy(labelled, unlabelled, *args, held_out, **kwargs):
            seen.update(labelled=labelled, unlabelled=unlabelled, held_out=held_out)
            raise StopError

        monkeypatch.setattr(xlt.training.train, "train", spy)
        with pytest.raises(StopError):
            main(["train", *argv, "--out", str(tmp_path / "m")])
        return seen

    return run


@pytest.mark.parametrize(
    ("pool", "options"),
    [
        ({"headline": "text", "tongue": "lang"}, ["--text", "headline", "--lang", "tongue"]),
        ({"text": "text", "lang": "lang"}, ["--text", "headline", "--lang", "tongue"]),
        ({"headline": "text", "language": "lang"}, ["--text", "headline"]),
    ],
)
def test_more_texts_are_read_by_the_columns_that_are_named(tmp_path, trained_on, pool, options):
    """If their file has them; a column that it lacks is found by its usual names."""
    names = {"text": "headline", "lang": "tongue"} if "--lang" in options else {"text": "headline"}
    data = [{names.get(name, name): cell for name, cell in row.items()} for row in ROWS]
    more = [{"text": f"pool {n}", "lang": "yo"} for n in range(50)]
    rows = [{name: row[field] for name, field in pool.items()} for row in more]
    argv = [table(tmp_path, data), "--unlabelled", table(tmp_path, rows, "pool.jsonl"), *options]
    found = [(e.text, e.lang) for e in trained_on(*argv)["unlabelled"]]
    assert found == [(row["text"], row["lang"]) for row in more]


def test_the_numbers_of_rows_mean_nothing_in_another_file(tmp_path, trained_on):
    """All of its texts are used, but for those that are held out; ids mean the same example."""
    data = [{"text": f"{row['text']} {n}", "label": row["label"]} for n, row in enumerate(ROWS)]
    more = [{"text": f"pool {n}"} for n in range(40)]
    argv = [table(tmp_path, data), "--lang", "", "--held-out", "0.5"]
    pool = table(tmp_path, [*more, *without_labels(data)], "pool.jsonl")
    seen = trained_on(*argv, "--unlabelled", pool)
    texts = [example.text for example in seen["unlabelled"]]
    assert texts[:40] == [row["text"] for row in more]
    assert set(texts[40:]) == {example.text for example in seen["labelled"]}
    argv[0] = table(tmp_path, [row | {"id": n} for n, row in enumerate(data)])
    pool = table(tmp_path, [row | {"id": n} for n, row in enumerate(more)], "pool.jsonl")
    seen = trained_on(*argv, "--unlabelled", pool)
    assert {e.id for e in seen["unlabelled"]} == {e.id for e in seen["labelled"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-steps", "5"], "max_steps: the learner frozen has no such setting; it has encoder"),
        (["--pairs", "no.csv"], "--pairs: the learner frozen does not learn from translations"),
    ],
)
def test_nothing_is_given_in_vain(tmp_path, tiny_encoder, capsys, options, message):
    """What the configured learner cannot use is refused before a file is read."""
    config = tmp_path / "config.toml"
    config.write_text('learner = "frozen"\n', encoding="utf-8")
    argv = ["train", "no.csv", "--out", str(tmp_path / "m"), "--encoder", str(tiny_encoder)]
    assert main([*argv, "--config", str(config), *options]) == 1
    assert message in capsys.readouterr().err
