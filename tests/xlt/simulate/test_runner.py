"""Cells that are run once, in one process or in several."""

from __future__ import annotations

from tests.xlt.simulate.parallel import SMALL, replay
from xlt.simulate.runner import run_all


def test_finished_cells_are_not_run_again(tmp_path):
    """A second run gives the first one's cells, and adds the new ones."""
    reports = []
    given = {"setup": "s", "file": tmp_path / "cells.jsonl", "show": lambda *a: reports.append(a)}
    one = run_all(replay(), [("random", 0)], SMALL, processes=1, **given)
    two = run_all(replay(), [("random", 0), ("margin", 0)], SMALL, processes=1, **given)
    assert [c.strategy for c in two] == ["random", "margin"]
    assert two[0].points == one[0].points
    assert len((tmp_path / "cells.jsonl").read_text().splitlines()) == 2
    assert reports[-1] == ("simulated margin, seed 0", 2, 2)


def test_several_processes_find_the_same(tmp_path):
    """Cells do not depend on who runs them."""
    jobs = [("random", 0), ("random", 1)]
    found = [
        run_all(replay(), jobs, SMALL, setup="s", file=tmp_path / f"{n}", processes=n, show=print)
        for n in (1, 2)
    ]
    by_seed = [{c.seed: c.points for c in cells} for cells in found]
    assert by_seed[0] == by_seed[1]
