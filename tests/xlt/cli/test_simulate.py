"""`xlt simulate` on a file, resumed, and with full trainings."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from tests.xlt.simulate.parallel import LANGS
from xlt_backend.cli import main


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> str:
    """A parallel data set as a file."""
    words = ("good game", "bad law", "the team won")
    rows = [
        {"id": str(i), "lang": lang, "text": f"{words[i % 3]} {'abcdefgh'[i % 8]}", "label": i % 3}
        for i in range(40)
        for lang in LANGS
    ]
    file = tmp_path_factory.mktemp("data") / "rows.jsonl"
    file.write_text("".join(json.dumps(row | {"label": f"l{row['label']}"}) + "\n" for row in rows))
    return str(file)


def test_the_command_writes_tables_and_plots_and_goes_on(table, tiny_encoder, tmp_path, capsys):
    """One line per cell, a summary, two SVG files; a second call only reads."""
    argv = ["simulate", table, "--source", "en", "--out", str(tmp_path / "out"), "--json"]
    argv += ["--encoder", str(tiny_encoder), "--budgets", "6,12", "--seeds", "2"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert set(found["strategies"]) == {"default", "random", "stratified", "in-target", "zero-shot"}
    assert found["targets"] == ["ha", "yo"]
    assert "against stratified" in shown.err
    lines = (tmp_path / "out/cells.jsonl").read_text().splitlines()
    assert len(lines) == 2 * 6
    for name in ("curves", "shares"):
        root = ElementTree.fromstring((tmp_path / f"out/{name}.svg").read_text())
        drawn = [element for element in root.iter() if element.tag.endswith("polyline")]
        assert len(drawn) >= 15
        assert not any("nan" in element.attrib["points"] for element in drawn)
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert (tmp_path / "out/cells.jsonl").read_text().splitlines() == lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--strategies", "nonsense"], "unknown strategy 'nonsense'"),
        (["--strategies", ""], "--strategies must be different names, got ''"),
        (["--strategies", "random,random"], "must be different names, got 'random,random'"),
        (["--budgets", "ten"], "--budgets must be numbers"),
        (["--seeds", "0"], "--seeds and --jobs must be at least 1"),
        (["--strategies", "default:quota=nonsense"], "quota must be one of"),
        (["--strategies", "default:quota=fixed"], "quota 'fixed' has no weights in a simulation"),
        (["--strategies", "random,default:measure=nonsense"], "measure must be one of ['margin'"),
        (["--targets", "xx", "--source", "yy"], "--source: no text is in 'yy'"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(change, message, table, tmp_path, capsys):
    """No traceback for a slip of the keyboard."""
    argv = ["simulate", table, "--source", "en", "--out", str(tmp_path / "out"), *change]
    assert main([*argv, "--encoder", str(tmp_path / "no encoder")]) == 1
    assert message in capsys.readouterr().err


JOINT = ["--learner", "joint", "--max-steps", "1", "--budgets", "12,24", "--batch", "12"]


@pytest.fixture
def trainings(monkeypatch) -> list[tuple[int, int]]:
    """Labelled and unlabelled texts of every training that begins."""
    import xlt.training.train

    seen = []
    real = xlt.training.train.train

    def train(labelled, unlabelled, *args, **kwargs):
        seen.append((len(labelled), len(unlabelled)))
        assert all(example.answer is None for example in unlabelled)
        return real(labelled, unlabelled, *args, **kwargs)

    monkeypatch.setattr(xlt.training.train, "train", train)
    return seen


def joint_simulation(table, tiny_encoder, out, *more):
    """The command's words."""
    argv = ["simulate", table, "--source", "en", "--out", str(out), "--encoder", str(tiny_encoder)]
    return [*argv, *JOINT, "--seeds", "1", "--json", *more]


def test_full_trainings_learn_in_every_round(table, tiny_encoder, tmp_path, capsys, trainings):
    """The real trainer, from all labels and with the texts that wait, in each round and at the end.

    Audit labels do not train; nothing but results is left.
    """
    argv = joint_simulation(table, tiny_encoder, tmp_path / "o", "--strategies", "default,margin")
    assert main(argv) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["strategies"]) == {"default", "margin"}
    assert found["settings"]["training"]["max_steps"] == 1
    cells = [json.loads(line) for line in (tmp_path / "o/cells.jsonl").read_text().splitlines()]
    for cell in cells:
        assert all(0 <= share <= 1 for p in cell["points"] for share in p["accuracy"].values())
    asked = [(p["trained"], p["labels"]) for cell in cells for p in cell["points"]]
    whole = max(labels for _, labels in asked)
    assert sorted(trainings) == sorted((n, whole - labels) for n, labels in asked)
    assert not (tmp_path / "o/rounds").exists()


def test_a_stopped_simulation_trains_only_what_it_had_not(
    table, tiny_encoder, tmp_path, capsys, trainings, monkeypatch
):
    """Stopped in the second round of a curve: the first one's training is not repeated."""
    import xlt.models.predictor

    argv = joint_simulation(table, tiny_encoder, tmp_path / "stopped", "--strategies", "margin")
    real = xlt.models.predictor.Predictor.score
    calls = []

    def score(self, texts, **kwargs):
        calls.append(len(texts))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, texts, **kwargs)

    monkeypatch.setattr(xlt.models.predictor.Predictor, "score", score)
    assert main(argv) == 130
    monkeypatch.setattr(xlt.models.predictor.Predictor, "score", real)
    assert len(trainings) == 2
    assert main(argv) == 0
    assert len(trainings) == 4  # the second round again, and the one with all labels
    going_on = json.loads(capsys.readouterr().out)
    whole = joint_simulation(table, tiny_encoder, tmp_path / "whole", "--strategies", "margin")
    assert main(whole) == 0
    assert json.loads(capsys.readouterr().out)["strategies"] == going_on["strategies"]


def test_trainings_run_in_several_processes(table, tiny_encoder, tmp_path, capsys):
    """The same curves, cell by cell."""
    found = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        names = ["--strategies", "random", "--jobs", jobs]
        assert main(joint_simulation(table, tiny_encoder, out, *names)) == 0
        found.append(json.loads(capsys.readouterr().out)["strategies"])
    assert found[0] == found[1]


def test_hyper_parameters_are_for_full_trainings_only(table, tmp_path, capsys):
    """They would change nothing."""
    argv = ["simulate", table, "--source", "en", "--out", str(tmp_path / "o"), "--max-steps", "3"]
    assert main(argv) == 1
    assert "for --learner joint" in capsys.readouterr().err
