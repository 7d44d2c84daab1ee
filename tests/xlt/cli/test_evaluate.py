"""`xlt evaluate` on files, with a tiny encoder."""

from __future__ import annotations

from tests.xlt.cli.rows import ROWS, lines, table
from xlt import __version__
from xlt_backend.cli import main


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
