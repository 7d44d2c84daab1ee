"""`xlt versions`, `xlt pause` and `xlt resume`, as people type them."""

from __future__ import annotations

import json

import pytest

from xlt_backend.cli import main
from xlt_backend.manage import command
from xlt_backend.manage.parts import Parts
from xlt_backend.service.controls import Controls
from xlt_backend.service.versions import Versions

COMMANDS = ("list", "show", "compare", "promote", "rollback", "prune", "log", "export")


@pytest.fixture
def two(world, monkeypatch) -> tuple[str, str]:
    """Two versions, and commands that are about their project."""
    world.setup()
    first = world.trained()
    world.label_studio.label_next(12)
    world.round()
    common = {"states": world.states, "queue": world.queue, "store": world.store}
    parts = Parts(
        states=world.states,
        versions=Versions(work=world.home / "work", **common),
        controls=Controls(**common),
    )
    monkeypatch.setattr(command, "build", lambda settings: parts)
    monkeypatch.setattr("xlt_backend.manage.parts.build", lambda settings: parts)
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    return first, world.shown


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(name, capsys):
    """It can be copied."""
    with pytest.raises(SystemExit):
        main(["versions", name, "--help"])
    assert f"example:\n  xlt versions {name}" in capsys.readouterr().out


def test_rollback_is_one_command(world, two, capsys):
    """What was, what is, and what happens next; the log names the user of the shell."""
    assert main(["versions", "rollback", "--reason", "Hausa got worse"]) == 0
    assert capsys.readouterr().err == f"{two[1]} → {two[0]}; the round that waits shows it\n"
    world.round()
    assert world.shown == two[0]
    assert main(["versions", "log", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)[0]
    assert (line["by"], line["reason"]) == ("ada", "Hausa got worse")


def test_every_command_speaks_json(two, capsys):
    """One value on standard output."""
    for argv in (
        ["list"],
        ["show", "v0001"],
        ["compare", "v0001", "v0002"],
        ["prune", "--keep", "1"],
        ["promote", "v0001", "--seen", two[1]],
        ["log"],
    ):
        assert main(["versions", *argv, "--json", "--project", "1"]) == 0
        assert json.loads(capsys.readouterr().out)


def test_every_command_speaks_to_people(two, capsys):
    """Names, dates, intervals."""
    for argv, word in (
        (["list"], "active"),
        (["show", "v0001"], "was active"),
        (["compare", "v0001", "v0002"], "get another answer"),
        (["log"], "promoted"),
    ):
        assert main(["versions", *argv]) == 0
        assert word in capsys.readouterr().out
    assert main(["versions", "prune"]) == 0
    assert capsys.readouterr().err == "nothing to delete\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["show", "v0009"], "no version 'v0009'; the newest: v0001"),
        (["show", "v000"], "more than one version 'v000'"),
        (["list", "--project", "9"], "knows no project '9'; it knows 1"),
        (["promote", "v0001", "--seen", "v0001"], "expected v0001: look again"),
        (["prune", "--keep", "0"], "at least 1 version, got 0"),
    ],
)
def test_errors_are_one_line(two, capsys, argv, words):
    """With what there is."""
    assert main(["versions", *argv]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_export_of_a_folder_needs_no_project(tmp_path, capsys):
    """A folder is a model, or it is the name of a version."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "task.json").write_text("{}")
    argv = ["versions", "export", str(folder), str(tmp_path / "out"), "--format", "onnx"]
    assert main(argv) == 1
    assert "no complete model in" in capsys.readouterr().err


def test_pause_and_resume(world, two, capsys):
    """Each says what is so now."""
    for name, words in (
        ("pause", "paused; a round"),
        ("pause", "paused by ada already"),
        ("resume", "resumed"),
        ("resume", "it was not paused"),
        ("cancel", "no round of this project runs"),
    ):
        assert main([name, "1"]) == 0
        assert words in capsys.readouterr().err
