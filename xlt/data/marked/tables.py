"""Tables with spans: a column with their offsets, or columns with tokens and their tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xlt.data.cells import as_text, printed_list, strings, written_list
from xlt.data.columns import named_column, named_texts, usual_column, usual_columns
from xlt.data.label_names import is_missing
from xlt.data.marked.iob import UNTAGGED, are_bare, is_tag, spans_of
from xlt.data.marked.lines import spans_line, tokens_lines
from xlt.data.marked.marks import are_marks, check_found, marks_of, placed
from xlt.data.marked.tokens import Places, joined, places_in
from xlt.data.rows import Row, is_blank
from xlt.errors import DataError

#: The kind of task whose answers are spans.
KIND = "spans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A table whose texts and spans are read.

    Attributes:
        rows: With texts in place of tokens, and with spans in place of marks and tags.
        asked: Field -> column, with those that were found; see `xlt.data.columns.find_columns`.
        exact: Whether texts are kept as they are, with the white space around them.
        lines: Lines on what was read, for users.
        places: The places of each row's tokens in its text; empty for a table without tokens.
    """

    rows: list[Row]
    asked: Mapping[str, str | None]
    exact: bool = False
    lines: tuple[str, ...] = ()
    places: Sequence[Places] = ()


def with_spans(
    rows: list[Row],
    names: Sequence[str],
    asked: Mapping[str, str | None],
    path: str,
    *,
    kind: str | None = None,
) -> Marked:
    """Reads the tokens and spans of a table; one without them stays as it is.

    Spans are read from the column that the user named for the label. If there is none, and no usual
    column with labels, they are read from a usual column with spans, or with tags of tokens.

    Args:
        rows: Rows of the table.
        names: All columns.
        asked: Field -> the column that the user named.
        path: Its file, for messages.
        kind: Kind of the answers, if it is known.

    Raises:
        DataError: If a cell is of another form than the others, or if there are more or fewer tags
            than tokens; names the row.
    """
    tokens = next((n for n in usual_columns("tokens", names) if _has_lists(rows, n)), None)
    label = _label_column(rows, names, asked, path, kind=kind, tags=tokens is not None)
    named = asked.get("text")
    text = named_texts(named, names, path)[0] if named else usual_column("text", names)
    marked = Marked(rows=rows, asked=asked, exact=kind == KIND)
    if label is not None and _has_marks(rows, label, kind):
        marked = _with_tokens(marked, tokens) if text is None and tokens else marked
        return _with_marks(marked, label, marked.asked.get("text") or text, path)
    if label is not None and tokens and _has_tags(rows, label, tokens):
        return _with_tags(marked, tokens, label, None if text == tokens else text, path)
    return _with_tokens(marked, tokens) if tokens and text in (None, tokens) else marked


# Columns --------------------------------------------------------------------------------------


def _label_column(
    rows: Sequence[Row],
    names: Sequence[str],
    asked: Mapping[str, str | None],
    path: str,
    *,
    kind: str | None,
    tags: bool,
) -> str | None:
    """Returns the column with the answers, which may be `tags` of tokens; None without one."""
    named = asked.get("label")
    if named is not None:
        return named_column(named, names, path) if named else None
    free = [name for name in names if name not in asked.values()]
    usual = usual_column("label", free)
    if kind not in (None, KIND) or (usual is not None and kind is None):
        return usual
    marked = usual_columns("spans", free)
    found = [name for name in marked if _has_marks(rows, name, None)]
    if tags:
        found += [name for name in usual_columns("tags", free) if _has_lists(rows, name)]
    if kind == KIND:
        found += [name for name in marked if _has_marks(rows, name, kind)]
    return found[0] if found else usual


def _has_marks(rows: Sequence[Row], name: str, kind: str | None) -> bool:
    """Returns whether a column has marks; if spans are asked for, empty lists are enough."""
    cells = [row.get(name) for _, row in rows]
    if any(map(are_marks, cells)):
        return True
    return kind == KIND and all(is_missing(cell) or marks_of(cell) == [] for cell in cells)


def _has_tags(rows: Sequence[Row], label: str, tokens: str) -> bool:
    """Returns whether a column has tags: by its name, or one in form for each token."""
    if not _has_lists(rows, label):
        return False
    pairs = [(_list(row.get(label)) or [], _list(row.get(tokens)) or []) for _, row in rows]
    fit = all(len(tags) == len(words) for tags, words in pairs if tags)
    return bool(usual_columns("tags", [label])) or (
        fit and any(is_tag(str(tag)) for tags, _ in pairs for tag in tags)
    )


def _has_lists(rows: Sequence[Row], name: str) -> bool:
    """Returns whether a column holds lists of words or numbers, and nothing else."""
    cells = [row.get(name) for _, row in rows]
    lists = [_list(cell) for cell in cells if not is_missing(cell)]
    return bool(lists) and all(
        part is not None and all(isinstance(p, str | int | float) for p in part) for part in lists
    )


def _list(cell: object) -> list[Any] | None:
    """Returns a list, or one that a string writes."""
    if isinstance(cell, str):
        found = written_list(cell.strip())
        return found if isinstance(found, list) else printed_list(cell)
    return cell if isinstance(cell, list) else None


# Offsets --------------------------------------------------------------------------------------


def _with_marks(marked: Marked, label: str, text: str | None, path: str) -> Marked:
    """Reads the column with marks."""
    read = []
    for number, row in marked.rows:
        cell = row.get(label)
        marks = None if is_missing(cell) else marks_of(cell)
        if marks is None and not is_missing(cell):
            raise DataError(
                f"{path}, row {number}: expected a list of spans, each with start, end and label, "
                f"got {str(cell)[:100]}"
            )
        read.append(marks)
    texts = [text_in(row.get(text)) if text is not None else "" for _, row in marked.rows]
    found = placed(texts, [marks or [] for marks in read])
    check_found(found, path)
    answers = [
        None if marks is None or is_blank(one) else spans
        for marks, spans, one in zip(read, found.spans, texts, strict=True)
    ]
    line = spans_line(Path(path).name, answers, found)
    cells = [
        row.get(label) if marks is None else spans
        for (_, row), marks, spans in zip(marked.rows, read, answers, strict=True)
    ]
    rows = _filled(marked.rows, label, cells)
    asked = {**marked.asked, "label": label}
    return replace(marked, rows=rows, asked=asked, exact=True, lines=(*marked.lines, line))


def text_in(cell: object) -> str:
    """Returns a text as examples have it; of several texts the first."""
    several = strings(cell, exact=True)
    if several is not None:
        return several[0] if several else ""
    return as_text(cell, exact=True) if isinstance(cell, str | int | float) else ""


# Tokens ---------------------------------------------------------------------------------------


def _with_tokens(marked: Marked, tokens: str) -> Marked:
    """Joins the tokens of each row to its text."""
    found = [joined(_words(row.get(tokens))) for _, row in marked.rows]
    rows = _filled(marked.rows, tokens, [text for text, _ in found])
    asked = {**marked.asked, "text": tokens}
    places = [places for _, places in found]
    return replace(marked, rows=rows, asked=asked, exact=True, places=places)


def _with_tags(marked: Marked, tokens: str, label: str, text: str | None, path: str) -> Marked:
    """Reads the column with tags; the text is that of the row, if it consists of the tokens."""
    words = [_words(row.get(tokens)) for _, row in marked.rows]
    tags = [_tags(row.get(label), number, path) for number, row in marked.rows]
    bare = are_bare([tag for one in tags for tag in one or []])
    counts: Counter[str] = Counter()
    texts, answers, standing = [], [], []
    other = 0
    for (number, row), own, given in zip(marked.rows, words, tags, strict=True):
        if given is not None and len(given) != len(own):
            raise DataError(
                f"{path}, row {number}: expected one tag for each token, got {len(given)} tags in "
                f"{label!r} and {len(own)} tokens"
            )
        written, places, agrees = _written(own, text_in(row.get(text)) if text else "")
        other += not agrees
        texts.append(written)
        standing.append(places)
        spans, found = spans_of(given, places, bare=bare) if given is not None else (None, {})
        answers.append(spans)
        counts.update(found)
    name = Path(path).name
    rows = _filled(_filled(marked.rows, text or tokens, texts), label, answers)
    lines = (
        spans_line(name, answers, None, counts, bare=bare),
        *tokens_lines(name, words, tags, other),
    )
    asked = {**marked.asked, "text": text or tokens, "label": label}
    return replace(marked, rows=rows, asked=asked, exact=True, lines=lines, places=standing)


def _written(words: Sequence[str], text: str) -> tuple[str, Places, bool]:
    """Returns the text of tokens and their places, and whether the row's text consists of them."""
    places = None if is_blank(text) else places_in(text, words)
    if places is not None:
        return text, places, True
    return *joined(words), is_blank(text)


def _words(cell: object) -> list[str]:
    """Returns the tokens of a cell, without white space around them."""
    return [as_text(word) for word in _list(cell) or []]


def _tags(cell: object, number: int, path: str) -> list[str] | None:
    """Returns the tags of a cell; None if nothing is tagged."""
    tags = _list(cell)
    if tags is None or all(str(tag).strip() in UNTAGGED for tag in tags):
        return None
    if not all(isinstance(tag, str) for tag in tags):
        raise DataError(
            f"{path}, row {number}: expected tags such as B-PER and O, got the numbers "
            f"{str(tags)[:60]}, which the file gives no names"
        )
    return [str(tag).strip() for tag in tags]


def _filled(rows: Sequence[Row], name: str, cells: Sequence[object]) -> list[Row]:
    """Returns the rows with these cells in a column."""
    return [(n, {**row, name: cell}) for (n, row), cell in zip(rows, cells, strict=True)]
