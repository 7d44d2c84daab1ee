"""Outputs of the commands, which are checked before anything is read."""

from __future__ import annotations

import pytest

from xlt_backend.cli import main

#: Words of each command that writes, with inputs that do not exist.
FOLDERS = {
    "train": ["train", "no.csv", "--out"],
    "adapt": ["adapt", "no-encoder", "no.csv", "--out"],
    "pretrain": ["pretrain", "no.toml", "--data", "no.parquet", "--out"],
    "simulate": ["simulate", "no.csv", "--source", "en", "--out"],
    "simulate --cache": ["simulate", "no.csv", "--source", "en", "--out", "free", "--cache"],
    "opentext --cache": ["opentext", "--out", "free", "--teacher", "no", "--cache"],
}
FILES = {
    "opentext": ["opentext", "--teacher", "no", "--out"],
}
#: Commands that go on in a folder of theirs.
SHARED = ("simulate", "simulate --cache", "opentext --cache")


def refused(argv, capsys) -> str:
    """The only line of a refusal."""
    assert main(argv) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    return line


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize("place", ["full", "file", "file/out", "x" * 300])
def test_a_folder_that_cannot_be_written_is_refused_first(
    command, place, tmp_path, monkeypatch, capsys
):
    """Before the inputs, which are wrong too, are looked at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "theirs").touch()
    (tmp_path / "file").touch()
    line = refused([*FOLDERS[command], place], capsys)
    if place == "full" and command in SHARED:
        assert "full" not in line
    else:
        assert place in line
    assert {path.name for path in tmp_path.rglob("*")} <= {"full", "theirs", "file"}


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("place", ["full", "file/out"])
def test_a_file_that_cannot_be_written_is_refused_first(
    command, place, tmp_path, monkeypatch, capsys
):
    """A folder is no file, and a file is no folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "file").touch()
    assert place in refused([*FILES[command], place], capsys)


def test_results_of_a_simulation_that_cannot_be_written_are_refused_first(tmp_path, capsys):
    """Each of its files, not only their folder."""
    (tmp_path / "out" / "summary.json").mkdir(parents=True)
    argv = ["simulate", "no.csv", "--source", "en", "--out", str(tmp_path / "out")]
    assert "summary.json is a folder" in refused(argv, capsys)


def test_the_stages_of_an_adaptation_take_no_folder_of_others(tmp_path, capsys):
    """The work folder beside the output is emptied, so that it must be the command's own."""
    theirs = tmp_path / "out.work" / "theirs"
    theirs.parent.mkdir()
    theirs.touch()
    line = refused(["adapt", "no-encoder", "no.csv", "--out", str(tmp_path / "out")], capsys)
    assert "out.work" in line
    assert theirs.is_file()
