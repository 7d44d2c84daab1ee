"""Cells with nothing in them, and the line on rows that are left out."""

from __future__ import annotations

import math

import pytest

from xlt.data.rows import is_blank, left_out, with_nested


@pytest.mark.parametrize(
    "cell", [None, math.nan, "", "  \t", "\u00a0", "\u200b", "\ufeff ", "\u200f", "\u00ad", "\r\n"],
    ids=ascii,
)  # fmt: skip
def test_nothing_that_can_be_seen_is_nothing(cell):
    """Spaces of every width, marks of direction, the mark at the start of a file."""
    assert is_blank(cell)


@pytest.mark.parametrize(
    "cell", ["0", "-", "\u0301", "\ue000", "\U00010dff", 0, 0.0, False, [], [""]], ids=ascii
)  # fmt: skip
def test_what_can_be_seen_is_something(cell):
    """A mark alone, glyphs of private fonts, letters newer than Python's tables, numbers."""
    assert not is_blank(cell)


def test_a_line_names_some_of_the_rows():
    """Their number is exact; the list is short."""
    assert left_out([7], "without text", "f.csv") == "left out 1 row of f.csv without text: 7"
    line = left_out(range(2, 40), "without text", "f.csv")
    assert line.startswith("left out 38 rows of f.csv without text: 2, 3, 4,")
    assert line.endswith(", 11, …")


def test_nested_values_are_columns_if_asked_for():
    """By dotted names; rows without one lack the column, and a column of that very name wins."""
    rows = [
        (1, {"doc": {"body": "deep", "meta": {"lang": "yo"}}}),
        (2, {"doc": "flat"}),
        (3, {"doc": {"body": "deep"}, "doc.body": "shallow"}),
    ]
    found = with_nested(rows, ["doc.body", "doc.meta.lang", "doc"])
    assert [row.get("doc.body") for _, row in found] == ["deep", None, "shallow"]
    assert [row.get("doc.meta.lang") for _, row in found] == ["yo", None, None]
    assert "doc.body" not in found[1][1]
    assert with_nested(rows, ["doc", "lang"]) == rows
