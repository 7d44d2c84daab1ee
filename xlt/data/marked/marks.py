"""Marks: spans as files write them, and the spans of the text that they mean."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from xlt.data.cells import as_text, printed_list
from xlt.data.label_names import canonical, is_missing
from xlt.data.rows import is_blank
from xlt.data.spans import Span, in_order
from xlt.errors import DataError

_MAX_CELL_CHARACTERS = 1_000_000

#: Names of the offsets: those of most tools, and doccano's.
_OFFSETS = (("start", "end"), ("start_offset", "end_offset"))

#: Reasons for leaving out a mark.
UNKNOWN_FORM = "of unknown form"
WITHOUT_LABEL = "without a label"
REVERSED = "with the end before the start"
EMPTY = "empty"
BEYOND = "beyond the text"
BLANK = "of white space alone"


@dataclass(frozen=True, slots=True)
class Mark:
    """A span as a file writes it.

    Attributes:
        start: Its first offset.
        end: The offset behind its last.
        label: Its label in canonical form; empty if it has none.
        text: Its text as the file has it; None if it has none.
    """

    start: int
    end: int
    label: str
    text: str | None = None


#: The marks of a text; None for one of unknown form.
Marks: TypeAlias = Sequence[Mark | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The spans that the marks of a file mean.

    Attributes:
        spans: Of each text.
        left_out: Reason -> number of marks that are no spans of their text.
        utf16: Whether offsets counted the 16-bit units of UTF-16.
        differing: Number of spans whose own text is another than that at their place.
    """

    spans: list[tuple[Span, ...]]
    left_out: Mapping[str, int]
    utf16: bool = False
    differing: int = 0


def marks_of(cell: object) -> list[Mark | None] | None:
    """Returns the marks in a cell; None if it holds no list of objects or lists.

    A mark is an object with `start`, `end` and `label` (or a list `labels`), or a list of the
    three. The cell is a list, an object of lists, or JSON of them.
    """
    if isinstance(cell, str):
        cell = _from_json(cell)
    if isinstance(cell, Mapping):
        cell = _rows(cell)
    if not isinstance(cell, list) or not all(isinstance(p, Mapping | list | tuple) for p in cell):
        return None
    return [mark for part in cell for mark in _marks(part)]


def are_marks(cell: object) -> bool:
    """Returns whether a cell holds at least one mark of a known form."""
    return any(mark is not None for mark in marks_of(cell) or [])


def placed(texts: Sequence[str], marks: Sequence[Marks]) -> Placed:
    """Returns the spans that marks mean.

    Offsets count code points. If some marks carry a text that is not at their place, and all of
    these and no other one have it at their place by UTF-16 code units, which JavaScript counts,
    then all offsets of the file count those.

    Args:
        texts: N texts.
        marks: The marks of each.
    """
    pairs = list(zip(texts, marks, strict=True))
    utf16 = _count_units(pairs)
    left_out: Counter[str] = Counter()
    spans, differing = [], 0
    for text, given in pairs:
        units = _Units(text) if utf16 else None
        found = []
        for mark in given:
            span = _span(mark, text, units)
            if isinstance(span, str):
                left_out[span] += 1
                continue
            found.append(span)
            differing += mark is not None and not _agrees(mark, text[span.start : span.end])
        spans.append(in_order(found))
    return Placed(spans=spans, left_out=left_out, utf16=utf16, differing=differing)


def check_found(found: Placed, path: str) -> None:
    """Refuses a file with marks of which none can be used.

    Raises:
        DataError: With the reasons.
    """
    if found.left_out and not any(found.spans):
        raise DataError(f"{path}: none of its spans can be used: {described(found.left_out)}")


def described(left_out: Mapping[str, int]) -> str:
    """Returns the reasons for leaving out marks with their numbers, the most frequent first."""
    reasons = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {reason}" for reason, count in reasons)


def _span(mark: Mark | None, text: str, units: _Units | None) -> Span | str:
    """Returns the span that a mark means, or the reason for leaving it out."""
    if mark is None:
        return UNKNOWN_FORM
    start, end = mark.start, mark.end
    size = len(text) if units is None else units.size
    for reason, holds in (
        (WITHOUT_LABEL, not mark.label),
        (REVERSED, end < start),
        (EMPTY, start == end),
        (BEYOND, start < 0 or end > size),
    ):
        if holds:
            return reason
    if units is not None:
        start, end = units.points(start), units.points(end)
    if is_blank(text[start:end]):
        return BLANK
    return Span(start, end, mark.label)


class _Units:
    """The UTF-16 code units of a text."""

    def __init__(self, text: str) -> None:
        self._starts = [point for point, c in enumerate(text) for _ in range(1 + (ord(c) > 0xFFFF))]
        self._starts.append(len(text))
        self.size = len(self._starts) - 1

    def points(self, offset: int) -> int:
        """Returns an offset in code points; half of a character counts as its start."""
        return self._starts[offset]


def _count_units(pairs: Sequence[tuple[str, Marks]]) -> bool:
    """Returns whether the texts of marks are at their places by UTF-16 code units alone."""
    found = False
    for text, marks in pairs:
        units = _Units(text) if any(ord(c) > 0xFFFF for c in text) else None
        for mark in marks:
            by_points, by_units = _span(mark, text, None), _span(mark, text, units)
            if mark is None or mark.text is None:
                continue
            fits, fits_units = (
                isinstance(span, Span) and _agrees(mark, text[span.start : span.end])
                for span in (by_points, by_units)
            )
            if not fits_units:
                return False
            found = found or not fits
    return found


def _agrees(mark: Mark, text: str) -> bool:
    """Returns whether a mark's own text, if it has one, is this one.

    Label Studio writes a line end as a backslash and the letter n.
    """
    if mark.text is None:
        return True
    return canonical(text) in (canonical(mark.text), canonical(mark.text.replace("\\n", "\n")))


def _whole(offset: object) -> int | None:
    """Returns a whole number; pandas makes floats of integers beside missing values."""
    if isinstance(offset, bool) or not isinstance(offset, int | float):
        return None
    return int(offset) if offset == offset // 1 and abs(offset) < 2**53 else None


def _from_json(cell: str) -> object:
    """Returns what a cell writes as JSON, or a list as Python prints it."""
    if not cell.lstrip().startswith(("[", "{")) or len(cell) > _MAX_CELL_CHARACTERS:
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return printed_list(cell)


def _rows(cell: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Returns the objects of an object of lists, as some versions of `datasets` keep them."""
    columns = {name: column for name, column in cell.items() if isinstance(column, list)}
    sizes = {len(column) for column in columns.values()}
    if not any(start in columns for start, _ in _OFFSETS) or len(sizes) != 1:
        return None
    return [{name: columns[name][n] for name in columns} for n in range(sizes.pop())]


def _marks(part: Mapping[str, Any] | Sequence[Any]) -> Iterator[Mark | None]:
    """Yields the mark of each label of an object, or the mark of a list with offsets and label."""
    if not isinstance(part, Mapping):
        part = dict(zip(("start", "end", "label"), part, strict=True)) if len(part) == 3 else {}
    names = next((pair for pair in _OFFSETS if set(pair) <= set(part)), None)
    start, end = (_whole(part[name]) for name in names) if names else (None, None)
    if start is None or end is None:
        yield None
        return
    text = part.get("text")
    labels = part.get("label", part.get("labels"))
    for label in labels if isinstance(labels, list) and labels else [labels]:
        yield Mark(start, end, _label(label), text if isinstance(text, str) and text else None)


def _label(label: object) -> str:
    if not isinstance(label, str | int | float) or isinstance(label, bool) or is_missing(label):
        return ""
    return canonical(as_text(label))
