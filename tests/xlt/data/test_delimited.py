"""CSV as spreadsheets leave it: rows and columns with nothing in them are no data."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.delimited import delimited
from xlt.data.rows import is_blank
from xlt.errors import DataError


def read(content: str, delimiter: str | None = None):
    """The rows of a file with this content."""
    return list(delimited(delimiter)(io.StringIO(content, newline=""), "f.csv"))


ROW = {"text": "a", "lang": "en"}


@pytest.mark.parametrize(
    "content",
    [
        "text;lang\na;en\n;\n;\n",
        "text;lang;;\na;en;;\n;;;\n;;;\n",
        "text;lang;;\r\na;en;;\r\n;;;\r\n",
        "text;lang\na;en;;;\n;;;;\n",
        "text;lang;;\na;en\n",
        "text;lang\na;en\n \t;  \n\n",
        "sep=;\ntext;lang\na;en\n",
        '"sep=;"\r\ntext;lang\r\na;en\r\n',
        ";\n\ntext;lang\na;en\n",
        "text;;lang\na;;en\n;;\n",
    ],
    ids=repr,
)
def test_what_spreadsheets_leave_behind_is_no_data(content):
    """Empty rows at the end, empty columns beside the table, Excel's word on the delimiter."""
    assert [row for _, row in read(content)] == [ROW]


def test_rows_keep_their_line_in_the_file():
    """So that messages name the line that an editor shows."""
    assert [number for number, _ in read("sep=,\ntext,lang\na,en\n,\nb,en\n")] == [3, 5]
    assert [number for number, _ in read(",\ntext,lang\na,en\n")] == [3]


def test_an_unnamed_column_with_values_is_called_by_its_place():
    """As the row numbers that pandas writes."""
    assert read(",text,\n0,a,x\n1,b,\n")[1] == (3, {"column 1": "1", "text": "b", "column 3": ""})


@pytest.mark.parametrize(
    ("column", "read_as"),
    [
        (["1.0", "", "-2.0"], ["1", "", "-2"]),
        (["1.0", "2.0", "3.0"], ["1.0", "2.0", "3.0"]),
        (["1.0", "", "2.5"], ["1.0", "", "2.5"]),
        (["1.0", "", "v2"], ["1.0", "", "v2"]),
        (["1.00", "", "2.0"], ["1.00", "", "2.0"]),
        (["", "", ""], ["", "", ""]),
    ],
)
def test_whole_numbers_that_pandas_made_floats_are_whole(column, read_as):
    """It does where a value is missing: labels 1 and 0 of another file are the same then."""
    rows = read("text,label\n" + "".join(f"t,{cell}\n" for cell in column))
    assert [row["label"] for _, row in rows] == read_as


@pytest.mark.parametrize("row", ["a", "a,en,more", "a,en,,more", ",,more"])
def test_a_row_of_another_width_is_named(row):
    """Only nothing can be too much, or too little."""
    with pytest.raises(DataError, match=r"f.csv, line 3: expected 2 columns, got \d"):
        read(f"text,lang\nb,en\n{row}\n")


@pytest.mark.parametrize("content", ["", "\n", ",,\n", ",,\n,,\n", "sep=;\n"])
def test_a_file_with_nothing_in_it_has_no_header(content):
    """One clear line."""
    with pytest.raises(DataError, match="no header"):
        read(content)


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=5)


@given(
    st.lists(st.tuples(CELLS, CELLS).filter(lambda row: not all(map(is_blank, row))), max_size=5),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(",;\t"),
)
def test_nothing_beside_the_data_changes_what_is_read(rows, columns, below, delimiter):
    """Whatever number of empty rows and columns, with any delimiter."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    for row in [("text", "lang"), *rows, *[("", "")] * below]:
        writer.writerow([*row, *[""] * columns])
    found = [tuple(row.values()) for _, row in read(file.getvalue(), delimiter)]
    assert found == rows


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('"text, old, raw";label', ["text, old, raw", "label"]),
        ('"text\n(as heard)";label', ["text\n(as heard)", "label"]),
        ('label;"text\r\n\r\n(as heard; raw)"', ["label", "text\r\n\r\n(as heard; raw)"]),
        ('text 5" wide;label', ['text 5" wide', "label"]),
        ("\ufefftext;\u200blabel\u00a0", ["text", "label"]),
    ],
)
def test_headers_may_hold_delimiters_lines_and_invisible_characters(header, names):
    """Names in quotes, as forms write their questions; marks that were copied along."""
    [(number, row)] = read(f"{header}\na;x\n")
    assert list(row.items()) == list(zip(names, ["a", "x"], strict=True))
    assert number == 2 + header.count("\n")


def test_a_quote_in_the_header_that_never_ends_takes_nothing_away():
    """The rows after it are rows."""
    assert [row for _, row in read('text,"label\na,x\n')] == [{"text": "a", "label": "x"}]
