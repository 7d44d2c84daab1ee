"""Prodigy's JSONL: a label per row to accept or reject, options to choose from, or spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlt.data.exports.items import (
    IGNORED,
    REJECTED,
    UNANSWERED,
    Choices,
    Export,
    Item,
    choices,
    flat,
    listed,
)
from xlt.data.marked.marks import Marks, marks_of
from xlt.data.marked.tables import KIND as SPANS
from xlt.data.rows import Row
from xlt.errors import DataError

_REASONS = {"accept": UNANSWERED, "reject": REJECTED, "ignore": IGNORED}
#: Reason of answers to the question whether a single suggested span is right.
_PARTIAL = "about one span only"
#: Prodigy's own name of a text.
_HASH = "_input_hash"
#: Interface that asks this question.
_ONE_SPAN = "ner"
#: Fields of the interface; the others describe the text.
_INTERFACE = {"answer", "label", "options", "accept", "spans", "tokens", "config"}


def is_prodigy(rows: Sequence[Row]) -> bool:
    """Returns whether every row has one of Prodigy's answers, or waits for one."""
    answered = [_answer(row) in _REASONS for _, row in rows]
    asked = all(has or _HASH in row for has, (_, row) in zip(answered, rows, strict=True))
    return any(answered) and asked


def read_prodigy(
    rows: Sequence[Row],
    path: str,
    asked: Mapping[str, str | None],
    *,
    answers: bool,
    kind: str | None = None,
) -> Export:
    """Reads rows for which `is_prodigy` holds; those of one text become one item.

    Args:
        rows: Answers, in the order in which they were given.
        path: Their file, for messages.
        asked: Columns that the user named, by field. Texts without a hash are told apart by that
            with the text; the label `spans` reads spans from rows that have a label too.
        answers: Reads the answers; without them only texts are wanted.
        kind: Kind of the answers, if it is known.

    Raises:
        DataError: If no row has a label, options or spans, or none of those that are wanted.
    """
    labelled = any(_is_choice(row) or _label(row) for _, row in rows)
    spans = answers and (SPANS in (kind, asked.get("label")) or not labelled)
    marked = any(isinstance(row.get(SPANS), list) for _, row in rows)
    if answers and not (marked if spans else labelled):
        raise DataError(
            f"{path} is a Prodigy export without such answers: expected 'spans'"
            + ("" if labelled else ", 'label', or 'options' and 'accept'")
            + f", got {listed(list(rows[0][1]))}"
        )
    text = asked.get("text")
    texts: dict[str, list[Row]] = {}
    for number, row in rows:
        key = row.get(_HASH, row.get(text or "text"))
        texts.setdefault(repr(key), []).append((number, row))
    return Export(
        title="a Prodigy export",
        noun="text",
        items=tuple(_item(given, spans=spans) for given in texts.values()),
        control=SPANS if spans else "accept" if any(_is_choice(r) for _, r in rows) else "label",
        spans=spans,
    )


def _item(rows: Sequence[Row], *, spans: bool) -> Item:
    number, first = rows[0]
    data = {
        name: value
        for name, value in first.items()
        if name not in _INTERFACE and not name.startswith("_")
    }
    fields = flat(data)
    if spans:
        marks, reason = _marks([row for _, row in rows])
        return Item(number=number, fields=fields, marks=marks, reason=reason)
    votes = _votes([row for _, row in rows])
    if votes:
        return Item(number=number, fields=fields, votes=votes)
    return Item(number=number, fields=fields, reason=_reason(rows[-1][1]))


def _marks(rows: Sequence[Mapping[str, object]]) -> tuple[dict[str, Marks], str]:
    """Returns the marks of each annotator's last answer, if it is "accept"; if none, the reason."""
    last = {_annotator(row): row for row in rows}
    whole = {
        who: row
        for who, row in last.items()
        if row.get("_view_id") != _ONE_SPAN and not row.get("_is_binary")
    }
    if not whole:
        return {}, _PARTIAL
    accepted = {who: row for who, row in whole.items() if _answer(row) == "accept"}
    marks: dict[str, Marks] = {
        who: marks_of(row.get(SPANS) or []) or [] for who, row in accepted.items()
    }
    return marks, "" if marks else _reason([*whole.values()][-1])


def _votes(rows: Sequence[Mapping[str, object]]) -> dict[str, Choices]:
    """Returns the vote of each annotator: the labels whose last answer is "accept"."""
    last: dict[str, dict[str, tuple[str, Choices]]] = {}
    for row in rows:
        annotator = _annotator(row)
        question = "" if _is_choice(row) else _label(row)
        last.setdefault(annotator, {})[question] = (_answer(row), _chosen(row))
    accepted = {
        annotator: [chosen for answer, chosen in given.values() if answer == "accept"]
        for annotator, given in last.items()
    }
    return {
        annotator: choices([label for part in parts for label in part])
        for annotator, parts in accepted.items()
        if parts
    }


def _chosen(row: Mapping[str, object]) -> Choices:
    """Returns the options that were chosen, or the one label; numbered options by their text."""
    if not _is_choice(row):
        return choices([_label(row)])
    options = row.get("options")
    texts = {
        str(option["id"]): str(option.get("text", option["id"]))
        for option in (options if isinstance(options, list) else [])
        if isinstance(option, Mapping) and isinstance(option.get("id"), int)
    }
    accepted = row.get("accept")
    ids = [str(id) for id in accepted] if isinstance(accepted, list) else []
    return choices([texts.get(id, id) for id in ids])


def _annotator(row: Mapping[str, object]) -> str:
    return str(row.get("_annotator_id", row.get("_session_id", "")))


def _is_choice(row: Mapping[str, object]) -> bool:
    return isinstance(row.get("accept"), list) or isinstance(row.get("options"), list)


def _label(row: Mapping[str, object]) -> str:
    label = row.get("label")
    return label.strip() if isinstance(label, str) else ""


def _reason(row: Mapping[str, object]) -> str:
    return _REASONS.get(_answer(row), UNANSWERED)


def _answer(row: Mapping[str, object]) -> str:
    answer = row.get("answer")
    return answer if isinstance(answer, str) else ""
