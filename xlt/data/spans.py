"""Spans: parts of a text, each with a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xlt.errors import DataError

#: Fields of a span in JSON.
_FIELDS = ("start", "end", "label")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a text with a label. Spans are in order of start, end and label.

    Attributes:
        start: Position of its first code point, from 0.
        end: Position behind its last code point.
        label: Its label.
    """

    start: int
    end: int
    label: str

    def to_json(self) -> dict[str, Any]:
        """Returns the span as JSON, which `from_json` reads."""
        return {"start": self.start, "end": self.end, "label": self.label}

    @classmethod
    def from_json(cls, value: object) -> Span:
        """Reads a span; other keys than its three are ignored.

        Raises:
            DataError: If it is no span: without a label, or with other offsets than 0 <= start <
                end.
        """
        if isinstance(value, Span):
            value = value.to_json()
        if not is_span(value):
            raise DataError(f"expected a span {{'start', 'end', 'label'}}, got {value!r}")
        assert isinstance(value, Mapping)
        start, end, label = (value[field] for field in _FIELDS)
        whole = all(isinstance(at, int) and not isinstance(at, bool) for at in (start, end))
        if not whole or not isinstance(label, str) or not 0 <= start < end:
            raise DataError(f"expected a span with 0 <= start < end and a label, got {value!r}")
        return cls(start, end, label)


def is_span(value: object) -> bool:
    """Returns whether a value of JSON has the keys of a span."""
    return isinstance(value, Mapping) and set(_FIELDS) <= set(value)


def in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Returns an answer: each span once, in order."""
    return tuple(sorted(set(spans)))


def check_within(spans: Iterable[Span], text: str) -> None:
    """Checks that spans are parts of a text.

    Raises:
        DataError: If one is empty, or not within the text.
    """
    for span in spans:
        if not 0 <= span.start < span.end <= len(text):
            raise DataError(
                f"expected spans with 0 <= start < end <= {len(text)}, the length of the text, "
                f"got {span.start} to {span.end} ({span.label!r})"
            )
