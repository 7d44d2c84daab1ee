"""Prodigy's JSONL: one label per row to accept or reject, or options to choose from."""

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
from xlt.data.rows import Row
from xlt.errors import DataError

_REASONS = {"accept": UNANSWERED, "reject": REJECTED, "ignore": IGNORED}
#: Fields of the interface; the others describe the text.
_INTERFACE = {"answer", "label", "options", "accept", "spans", "tokens", "config"}


def is_prodigy(rows: Sequence[Row]) -> bool:
    """Returns whether every row has one of Prodigy's answers."""
    return all(_answer(row) in _REASONS for _, row in rows)


def read_prodigy(rows: Sequence[Row], path: str, text: str | None, *, answers: bool) -> Export:
    """Reads rows for which `is_prodigy` holds; those of one text become one item.

    Args:
        rows: Answers, in the order in which they were given.
        path: Their file, for messages.
        text: Field with the text, None for `text`; texts without a hash are told apart by it.
        answers: Reads the answers; without them only texts are wanted.

    Raises:
        DataError: If the answers are about spans and not about texts.
    """
    if answers and not any(_is_choice(row) or _label(row) for _, row in rows):
        raise DataError(
            f"{path} is a Prodigy export without labels of whole texts: expected 'label', or "
            f"'options' and 'accept', got {listed(list(rows[0][1]))}"
        )
    texts: dict[str, list[Row]] = {}
    for number, row in rows:
        key = row.get("_input_hash", row.get(text or "text"))
        texts.setdefault(repr(key), []).append((number, row))
    return Export(
        title="a Prodigy export",
        noun="text",
        items=tuple(_item(given) for given in texts.values()),
        control="accept" if any(_is_choice(row) for _, row in rows) else "label",
    )


def _item(rows: Sequence[Row]) -> Item:
    number, first = rows[0]
    data = {
        name: value
        for name, value in first.items()
        if name not in _INTERFACE and not name.startswith("_")
    }
    fields = flat(data)
    votes = _votes([row for _, row in rows])
    if votes:
        return Item(number=number, fields=fields, votes=votes)
    return Item(number=number, fields=fields, reason=_REASONS[_answer(rows[-1][1])])


def _votes(rows: Sequence[Mapping[str, object]]) -> dict[str, Choices]:
    """Returns the vote of each annotator: the labels whose last answer is "accept"."""
    last: dict[str, dict[str, tuple[str, Choices]]] = {}
    for row in rows:
        annotator = str(row.get("_annotator_id", row.get("_session_id", "")))
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


def _is_choice(row: Mapping[str, object]) -> bool:
    return isinstance(row.get("accept"), list) or isinstance(row.get("options"), list)


def _label(row: Mapping[str, object]) -> str:
    label = row.get("label")
    return label.strip() if isinstance(label, str) else ""


def _answer(row: Mapping[str, object]) -> str:
    answer = row.get("answer")
    return answer if isinstance(answer, str) else ""
