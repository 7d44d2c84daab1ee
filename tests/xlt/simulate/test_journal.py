"""The journal of finished cells."""

from __future__ import annotations

import pytest

from tests.xlt.simulate.parallel import cell
from xlt.errors import DataError
from xlt.simulate import journal


def test_a_torn_line_is_taken_off_and_the_rest_is_kept(tmp_path):
    """A machine that stopped while a line was written loses that cell only."""
    file = tmp_path / "cells.jsonl"
    journal.append(file, cell("random", 0, 0.1))
    with open(file, "ab") as stream:
        stream.write(b'{"setup": "s", "strategy": "ra')
    assert [c.seed for c in journal.finished(file, "s")] == [0]
    journal.append(file, cell("random", 1, 0.1))
    assert [c.seed for c in journal.finished(file, "s")] == [0, 1]
    assert journal.finished(file, "another") == []


def test_a_line_that_is_no_cell_is_named(tmp_path):
    """Somebody edited the file."""
    file = tmp_path / "cells.jsonl"
    file.write_text('{"seed": 1}\n')
    with pytest.raises(DataError, match="line 1"):
        journal.finished(file, "s")
