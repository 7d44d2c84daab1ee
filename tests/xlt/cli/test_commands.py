"""`xlt train | predict | select | evaluate` on files, with a tiny encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xlt import __version__
from xlt_backend.cli import main

ROWS = [
    {"id": f"{lang}{i}", "lang": lang, "text": f"{words} {'abcdefghij'[i % 10]}", "label": label}
    for lang in ("en", "ha")
    for i in range(20)
    for words, label in [("the cat sat", "animal") if i % 2 else ("red house", "place")]
]


def table(folder: Path, rows, name: str = "data.jsonl") -> str:
    """A file with the rows."""
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def without_labels(rows):
    """The same rows, unlabelled."""
    return [{key: value for key, value in row.items() if key != "label"} for row in rows]


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_encoder) -> str:
    """A model trained by the command."""
    folder = tmp_path_factory.mktemp("trained")
    out = folder / "model"
    argv = ["train", table(folder, ROWS), "--out", str(out), "--encoder", str(tiny_encoder)]
    assert main([*argv, "--max-steps", "3", "--held-out", "0.2"]) == 0
    return str(out)


def lines(text: str) -> list[dict]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


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
    import xlt.training.loop

    seen = {}

    class StopError(Exception):
        pass

    def spy(labelled, unlabelled, *args, **kwargs):
        seen.update(labelled=labelled, unlabelled=unlabelled)
        raise StopError

    monkeypatch.setattr(xlt.training.loop, "train", spy)
    rows = [row | {"group": row["id"][2:]} for row in ROWS]
    rows += [row | {"id": f"x{row['id']}", "lang": "yo"} for row in without_labels(rows)]
    with pytest.raises(StopError):
        main(["train", table(tmp_path, rows), "--out", str(tmp_path / "m"), "--held-out", "0.25"])
    kept = {example.group for example in seen["labelled"]}
    assert len(kept) == 15
    assert {example.group for example in seen["unlabelled"]} == kept


def test_predict_gives_one_line_per_row_in_order(tmp_path, model, capsys):
    """N rows in, n JSON lines out, in order, probabilities that sum to 1."""
    rows = without_labels(ROWS)[::-1]
    assert main(["predict", model, table(tmp_path, rows)]) == 0
    found = lines(capsys.readouterr().out)
    assert [row["id"] for row in found] == [row["id"] for row in rows]
    for row in found:
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert row["confidence"] == max(row["probabilities"].values())
        assert row["probabilities"][row["label"]] == row["confidence"]


@pytest.mark.parametrize("kind", ["model", "bundled"])
def test_select_orders_what_has_no_label(tmp_path, model, kind, capsys, monkeypatch):
    """Only unlabelled rows, the batch by default, all with --all, reasons with --explain."""
    import numpy as np

    vectors = np.random.default_rng(0).standard_normal
    monkeypatch.setattr("xlt.encoder.encoder.embed", lambda texts, **_: vectors((len(texts), 8)))
    data = table(tmp_path, [*ROWS[:5], *ROWS[20:25], *without_labels(ROWS[5:20] + ROWS[25:])])
    argv = ["select", model if kind == "model" else "bundled", data, "--source", "eng"]
    assert main([*argv, "--batch", "10", "--explain"]) == 0
    shown = capsys.readouterr()
    batch = lines(shown.out)
    assert [row["rank"] for row in batch] == list(range(10))
    assert sum(row["lang"] == "en" for row in batch) == 5
    assert all(row["reason"] and row["text"] for row in batch)
    assert any(row["neighbours"] for row in batch)
    assert (batch[0]["uncertainty"] is None) == (kind == "bundled")
    assert "a batch of 10" in shown.err
    assert main([*argv, "--all"]) == 0
    everything = lines(capsys.readouterr().out)
    assert len({row["id"] for row in everything}) == 30
    assert not {"reason", "neighbours"} & set(everything[0])


def test_evaluate_shows_a_table_and_a_signature(tmp_path, model, capsys):
    """Per language numbers with intervals, and one line that says what they are of."""
    assert main(["evaluate", model, table(tmp_path, ROWS), "--json"]) == 0
    shown = capsys.readouterr()
    [found] = lines(shown.out)
    assert set(found["languages"]) == {"en", "ha"}
    assert found["total"]["n"] == 40
    for score in found["languages"].values():
        assert score["low"] <= score["accuracy"] <= score["high"]
    assert found["signature"] in shown.err
    assert found["signature"].endswith(f"| langs:en,ha | n:40 | seed:13 | xlt:{__version__}")
    assert "95 % interval" in shown.err


def test_languages_that_nobody_named_are_identified(tmp_path, model, capsys):
    """Without a language column the text decides."""
    rows = [{"text": "Watoto walikwenda shule asubuhi wakati wa mvua."}]
    assert main(["predict", model, table(tmp_path, rows)]) == 0
    assert lines(capsys.readouterr().out)[0]["lang"] == "swa"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["predict", "{model}", "nothing.csv"], "there is no file nothing.csv"),
        (["predict", "nowhere", "{data}"], "nowhere"),
        (["select", "{model}", "{data}"], "every row"),
        (["select", "{model}", "{data}", "--batch", "0"], "batch must be at least 1"),
        (["evaluate", "{model}", "{pool}"], "no row"),
        (["evaluate", "{model}", "{other}"], "unknown label 'sport'"),
        (["train", "{pool}", "--out", "x"], "at least 2 different labels"),
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


def test_select_relabel_orders_the_labels_by_doubt(
    tmp_path, model, tiny_encoder, capsys, monkeypatch
):
    """The labelled rows alone, the wrong one first, by an encoder that never saw the labels."""
    import numpy as np

    asked = []

    def vectors(texts, encoder="bundled"):
        asked.append(encoder)
        rng = np.random.default_rng(0)
        about = [[4.0 * (word in text) for word in ("goal", "law")] for text in texts]
        return (np.array(about) + 0.1 * rng.standard_normal((len(texts), 2))).astype(np.float32)

    monkeypatch.setattr("xlt.encoder.encoder.embed", vectors)
    rows = [
        {"id": f"r{i}", "text": ("goal", "law")[i % 2], "lang": "en", "label": ("s", "p")[i % 2]}
        for i in range(40)
    ]
    rows[7] |= {"label": "s"}
    data = table(tmp_path, [*rows, {"id": "new", "text": "goal", "lang": "en", "label": ""}])
    assert main(["select", model, data, "--relabel", "--batch", "5", "--explain"]) == 0
    found = lines(capsys.readouterr().out)
    assert [row["rank"] for row in found] == list(range(5))
    assert (found[0]["id"], found[0]["label"], found[0]["expected"]) == ("r7", "s", "p")
    assert "expects 'p'" in found[0]["reason"]
    assert asked == [str(tiny_encoder)]
    assert main(["select", "bundled", table(tmp_path, rows[:9], "few.jsonl"), "--relabel"]) == 1
    assert "9 labels: too few" in capsys.readouterr().err
