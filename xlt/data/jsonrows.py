"""Rows of JSON: a list of objects, or one object per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from xlt.data.rows import Row
from xlt.errors import DataError

_MAX_LINE_CHARACTERS = 16_000_000
_MAX_LIST_CHARACTERS = 512_000_000

#: Half of a character beyond U+FFFF, as JSON writes those: what a program left that cut a text.
_HALF = re.compile("[\ud800-\udfff]")


def json_rows(stream: TextIO, path: str) -> Iterator[Row]:
    """Yields the rows of a list or of lines, as the first character tells.

    Raises:
        DataError: If a row is no object, or if the file is no JSON; names the row or line.
    """
    head = stream.readline(_MAX_LINE_CHARACTERS)
    while head and not head.strip():
        head = stream.readline(_MAX_LINE_CHARACTERS)
    stream.seek(0)
    return _list(stream, path) if head.lstrip().startswith("[") else _lines(stream, path)


def _list(stream: TextIO, path: str) -> Iterator[Row]:
    text = stream.read(_MAX_LIST_CHARACTERS + 1)
    if len(text) > _MAX_LIST_CHARACTERS:
        raise DataError(
            f"{path} is a list of more than {_MAX_LIST_CHARACTERS} characters: write one object "
            "per line"
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise DataError(f"{path}, line {line} is not JSON: {error}") from error
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise DataError(f"{path}, row {number}: expected an object, got {_kind(value)}")
        yield number, _whole(value)


def _lines(stream: TextIO, path: str) -> Iterator[Row]:
    number = 0
    while line := stream.readline(_MAX_LINE_CHARACTERS):
        number += 1
        if not line.strip():
            continue
        if not line.endswith("\n") and len(line) >= _MAX_LINE_CHARACTERS:
            raise DataError(f"{path}, line {number}: longer than {_MAX_LINE_CHARACTERS} characters")
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path}, line {number} is not JSON: {error}; expected a list of objects or one "
                "object per line"
            ) from error
        if not isinstance(value, dict):
            raise DataError(f"{path}, line {number}: expected an object, got {_kind(value)}")
        yield number, _whole(value)


def _whole(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Returns the value with U+FFFD in place of halves of characters, which are no text.

    Texts keep their length, as offsets count characters.
    """
    if isinstance(value, str):
        return value if value.isascii() else _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(part) for name, part in value.items()}
    return value


def _kind(value: object) -> str:
    return type(value).__name__
