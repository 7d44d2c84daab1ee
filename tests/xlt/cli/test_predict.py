"""`xlt predict` on files, with a tiny encoder."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import ROWS, lines, table, without_labels
from xlt_backend.cli import main


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


def test_languages_that_nobody_named_are_identified(tmp_path, model, capsys):
    """Without a language column the text decides."""
    rows = [{"text": "Watoto walikwenda shule asubuhi wakati wa mvua."}]
    assert main(["predict", model, table(tmp_path, rows)]) == 0
    assert lines(capsys.readouterr().out)[0]["lang"] == "swa"
