"""`xlt adapt` on a table."""

from __future__ import annotations

import json

import pytest

from tests.xlt.adapt.toy import save_english_encoder, translations
from xlt.adapt.options import AdaptOptions
from xlt_backend.cli import main


def test_a_table_with_groups_gives_an_encoder_and_a_report(tmp_path, capsys):
    """A table with groups in, a folder and one JSON object out."""
    table = tmp_path / "texts.csv"
    english, texts = save_english_encoder(tmp_path / "english"), translations()
    lines = ["text,lang,group"]
    for number, pair in enumerate(texts.pairs[:60]):
        lines += [f"{pair.source},en,{number}", f"{pair.text},zgh,{number}"]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "out"

    status = main(
        ["adapt", english, str(table), "--out", str(out), "--steps", "2", "--minutes", "0",
         "--json"]
    )  # fmt: skip

    report = json.loads(capsys.readouterr().out)
    assert status == 0
    assert report["languages"]["zgh"]["pairs"] > 50
    assert report == json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_help_tells_the_defaults(capsys):
    """What it says happens without a word from the user is what happens."""
    with pytest.raises(SystemExit):
        main(["adapt", "--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert f"time for training (default: {AdaptOptions().minutes:g})" in said
    assert f"stop after N steps (default: {AdaptOptions().steps})" in said
    assert f"0 adds none (default: {AdaptOptions().new_pieces})" in said
    assert f"--seed N default: {AdaptOptions().seed}" in said
