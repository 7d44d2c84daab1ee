"""Commands on files give the recorded results with a model that the former code trained."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.same import differences
from tests.upgrade.site import DATA
from xlt_backend.cli import main

#: Sentences, a line that names the version of xlt, and what the former code did not measure.
OTHER = ("reason", "signature", "quality")

COMMANDS = {
    "predict": ["predict", "model", "pool.csv"],
    "select": ["select", "model", "all.csv", "--batch", "20", "--source", "en", "--explain"],
    "evaluate_json": ["evaluate", "model", "test.csv", "--json"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_gives_the_recorded_results(
    name, tmp_path, tiny_encoder, float32, monkeypatch, capsys
):
    """Labels, probabilities, the order with its chances, and the table."""
    shutil.copytree(DATA / "files", tmp_path, dirs_exist_ok=True)
    shutil.copytree(tiny_encoder, tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    expected = rows((DATA / "files" / f"{name}.out").read_text("utf-8"))

    assert main(COMMANDS[name]) == 0

    found = rows(capsys.readouterr().out)
    assert expected
    assert differences(expected, found, 1e-3) == []


def rows(text: str) -> list[dict]:
    """JSON lines without what cannot be the same."""
    values = [json.loads(line) for line in text.splitlines()]
    return [{k: v for k, v in value.items() if k not in OTHER} for value in values]
