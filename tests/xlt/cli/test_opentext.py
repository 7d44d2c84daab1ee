"""`xlt opentext`: the table that it writes, and a teacher without words."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models

from tests.xlt.pretrain.opentext.samples import one_of_each
from xlt.cli import opentext as command
from xlt_backend.cli import main


@pytest.fixture
def registries(tmp_path):
    """One archive for each reader, in a cache."""
    return one_of_each(tmp_path)


def test_the_command_says_what_it_wrote(registries, capsys, monkeypatch):
    """JSON on standard output, progress on standard error; the folder is made."""
    cache, sources = registries
    monkeypatch.setattr(command, "read_sources", lambda: sources)
    pieces = {"[UNK]": 0, "cat": 1, "dog": 2}
    Tokenizer(models.WordLevel(pieces, unk_token="[UNK]")).save(str(cache / "tokenizer.json"))
    out = cache / "new" / "out.parquet"

    status = main(["opentext", "--out", f"{out}", "--cache", f"{cache}", "--teacher", f"{cache}"])

    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert status == 0
    assert summary["out"] == str(out)
    assert summary["rows"] == pq.read_metadata(out).num_rows == 12
    assert "reading deu-eng" in said.err


def test_a_teacher_without_words_is_refused(tmp_path, capsys):
    """One line that names the missing file, before anything is fetched."""
    status = main(["opentext", "--out", f"{tmp_path / 'out'}", "--teacher", f"{tmp_path}"])

    assert status == 1
    expected = f"has no tokenizer.json: expected it at {tmp_path / 'tokenizer.json'}"
    assert expected in capsys.readouterr().err
