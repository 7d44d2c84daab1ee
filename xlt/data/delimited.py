"""Rows of CSV and TSV, as spreadsheets write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from xlt.data.rows import Row, is_blank, stripped
from xlt.errors import DataError

_MAX_FIELD_CHARACTERS = 2_000_000
_MAX_LINE_CHARACTERS = 16_000_000
_MAX_HEADER_CHARACTERS = 100_000

#: A name in quotes, whole or without its end.
_QUOTED = re.compile(r'"[^"]*"')
_OPEN = re.compile(r'(?:^|[,;\t])\s*"')

#: A whole number as pandas writes it in a column that lacks a value somewhere.
_FLOAT = re.compile(r"(-?\d+)\.0")

#: First line by which Excel names the delimiter.
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def delimited(known: str | None) -> Callable[[TextIO, str], Iterator[Row]]:
    """Returns a reader of rows; a delimiter that is not known is the header's most frequent.

    Rows and unnamed columns with nothing in them are left out. Other unnamed columns are called by
    their place: `column 4`. Whole numbers that pandas wrote as 1.0 are read as 1.
    """

    def read(stream: TextIO, path: str) -> Iterator[Row]:
        csv.field_size_limit(_MAX_FIELD_CHARACTERS)
        skipped, head, named = _header(stream)
        unquoted = _QUOTED.sub("", head)
        delimiter = known or named or max((",", ";", "\t"), key=unquoted.count)
        names = [stripped(name) for name in next(csv.reader([head], delimiter=delimiter), [])]
        rows = csv.reader(stream, delimiter=delimiter, strict=True)
        filled: list[tuple[int, list[str]]] = []
        try:
            for values in rows:
                if not all(map(is_blank, values)):
                    line = rows.line_num + skipped
                    filled.append((line, _fitted(values, names, f"{path}, line {line}")))
        except csv.Error as error:
            raise DataError(f"{path}, line {rows.line_num + skipped}: {error}") from error
        columns = _columns(names, [values for _, values in filled], path)
        floats = {place for place in columns if _of_pandas([row[place] for _, row in filled])}
        for line, values in filled:
            yield (
                line,
                {
                    name: _FLOAT.sub(r"\1", values[place]) if place in floats else values[place]
                    for place, name in columns.items()
                },
            )

    return read


def _header(stream: TextIO) -> tuple[int, str, str | None]:
    """Returns the number of lines up to the header, the header, and the delimiter if named."""
    lines, delimiter = 0, None
    while line := stream.readline(_MAX_LINE_CHARACTERS):
        lines += 1
        separator = _SEPARATOR.fullmatch(line) if lines == 1 else None
        if separator is not None:
            delimiter = separator[1]
        elif stripped(line).strip(' ,;\t\r\n"'):
            more = _rest(stream, line)
            return lines + len(more), "".join([line, *more]), delimiter
    return lines, "", delimiter


def _rest(stream: TextIO, line: str) -> list[str]:
    """Returns the lines after the header's first one, if a name in quotes goes over its end."""
    place, head, more = stream.tell(), line, list[str]()
    while _OPEN.search(_QUOTED.sub("", head)):
        more.append(stream.readline(_MAX_LINE_CHARACTERS))
        head += more[-1]
        if not more[-1] or len(head) > _MAX_HEADER_CHARACTERS:
            stream.seek(place)
            return []
    return more


def _fitted(values: list[str], names: Sequence[str], place: str) -> list[str]:
    """Returns one value for each name; only values without a name and empty ones can be missing."""
    missing = len(names) - len(values)
    if any(names[len(values) :]) or not all(map(is_blank, values[len(names) :])):
        raise DataError(f"{place}: expected {len(names)} columns, got {len(values)}")
    return values[: len(names)] + [""] * missing


def _of_pandas(cells: Sequence[str]) -> bool:
    """Returns whether all values of a column are 1.0 and the like, and some are missing."""
    filled = [cell for cell in cells if not is_blank(cell)]
    return 0 < len(filled) < len(cells) and all(map(_FLOAT.fullmatch, filled))


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]], path: str) -> dict[int, str]:
    """Returns the names by place, without columns that have neither a name nor a value."""
    if not any(names):
        raise DataError(f"{path} has no header with column names")
    columns = {
        place: name or f"column {place + 1}"
        for place, name in enumerate(names)
        if name or not all(is_blank(row[place]) for row in rows)
    }
    if len(set(columns.values())) != len(columns):
        raise DataError(f"{path}: column names must be distinct, got {list(names)}")
    return columns
