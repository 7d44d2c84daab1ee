"""The `xlt` command: its help, its errors, and what it imports."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlt import __version__
from xlt_backend.cli import main

COMMANDS = (
    *("demo", "up", "serve", "worker", "cancel", "pause", "resume"),
    *("connect", "doctor", "versions", "report"),
    *("train", "predict", "explain", "search", "select", "evaluate", "simulate", "adapt"),
    *("pretrain", "opentext"),
)


def test_help_lists_every_command(capsys):
    """Without a command the help is shown."""
    assert main([]) == 0
    words = capsys.readouterr().out

    assert all(f"\n    {command} " in words for command in COMMANDS)
    assert "first steps" in words


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    """It says what the command does."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    words = capsys.readouterr().out
    assert words.startswith(f"usage: xlt {command}")
    assert len(words.splitlines()) > 4


def test_version(capsys):
    """The package's own."""
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"xlt {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "env", "words"),
    [
        (["serve"], {"XLT_PROT": "1"}, "unknown setting XLT_PROT; known: REDIS_URL"),
        (["worker", "--log-level", "loud"], {}, "must be one of DEBUG"),
        (["up", "--port", "http"], {}, "XLT_PORT='http'"),
        (["connect", "--project", "1"], {}, "no Label Studio token"),
    ],
)
def test_errors_are_one_line(argv, env, words, capsys, monkeypatch):
    """Status 1 and one line on standard error; nothing on standard output."""
    for name in ("LABEL_STUDIO_API_KEY", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    assert main(argv) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.startswith("xlt: ")
    assert err.count("\n") == 1


def test_unknown_command_lists_the_known(capsys):
    """A typing error costs one look."""
    with pytest.raises(SystemExit) as ended:
        main(["tain"])

    assert ended.value.code == 2
    assert "train" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "up"])
def test_help_and_service_start_without_torch(command):
    """Naming the commands imports nothing heavy, those of the library included."""
    code = (
        f"import sys; from xlt_backend.cli import build_parser; build_parser({command!r});"
        "print([m for m in ('torch', 'numpy', 'label_studio_sdk', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_errors_of_several_lines_become_one(tmp_path, capsys):
    """Libraries' messages may have more."""
    table = pa.Table.from_arrays([pa.array(["a"])] * 2, names=["text", "text"])
    pq.write_table(table, tmp_path / "twice.parquet")
    assert main(["select", "bundled", str(tmp_path / "twice.parquet")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
