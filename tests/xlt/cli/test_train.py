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
