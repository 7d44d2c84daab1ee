"""Columns of a table: which is read as what, found by usual names or named by the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from xlt.data.examples import MOST_TEXTS
from xlt.data.label_names import canonical
from xlt.errors import DataError

# Usual names of columns, the likeliest first; compared without case, `_` and `-`.
_USUAL = {
    "text": (
        "text",
        "sentence",
        "content",
        "tweet",
        "document",
        "review",
        "utterance",
        "body",
        "texts",
    ),
    "lang": ("lang", "language", "languagecode", "langid", "locale"),
    "label": ("label", "category", "class", "sentiment", "topic", "intent", "choice", "target"),
    "id": ("id", "taskid", "uid", "key", "index", "indexid"),
    "group": ("group", "groupid", "parallelid", "translationid", "sentenceid"),
}
#: Usual names of texts that belong together; read if no column has a usual name of a text.
_PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("text1", "text2"),
    ("sentencea", "sentenceb"),
    ("texta", "textb"),
    ("question1", "question2"),
    ("question", "answer"),
    ("premise", "choice1", "choice2"),
    ("choice1", "choice2"),
    ("left", "right"),
)
#: Fields of the texts of an example, in their order.
TEXTS = ("text", "second text", "third text")[:MOST_TEXTS]
#: Names that are read only if an option asks for them.
_ASKED = {"weight": ("weight", "weights"), "split": ("split",)}
#: Names of columns with spans, read if their cells hold some (`xlt.data.marked.tables`).
_MARKED = {
    "spans": ("spans", "entities", "labels"),
    "tokens": ("tokens", "words"),
    "tags": ("nertags", "tags", "ner", "iobtags", "biotags"),
}

#: Largest number of columns in a message.
_NAMED = 20
#: Largest number of columns in the line on what is read.
_SHOWN = 8


def find_columns(
    names: Sequence[str], asked: Mapping[str, str | None], path: str
) -> dict[str, str]:
    """Finds the column of each field; leaves out fields without one.

    Args:
        names: All columns.
        asked: Field -> the column that the user named; None to find it by its usual names, empty
            for no column. For `text` it may name several columns, with commas between them.
        path: The table, for messages.

    Raises:
        DataError: If a column that the user named is missing, or if there is none with text.
    """
    named = {
        field: named_column(name, names, path)
        for field, name in asked.items()
        if name and field != "text"
    }
    free = [name for name in names if name not in named.values()]
    columns = dict(zip(TEXTS, _text_columns(asked.get("text"), names, free, path), strict=False))
    free = [name for name in free if name not in columns.values()]
    for field in (*_USUAL, "weight"):
        if field == "text":
            continue
        usual = usual_column(field, free) if field in _USUAL else None
        if field in named:
            columns[field] = named[field]
        elif asked.get(field) is None and usual is not None and usual not in columns.values():
            columns[field] = usual
    return columns


def _text_columns(
    asked: str | None, names: Sequence[str], free: Sequence[str], path: str
) -> list[str]:
    """Returns the columns of the texts of an example: those named, one of a usual name, or two."""
    if asked:
        return named_texts(asked, names, path)
    usual = usual_column("text", free)
    if usual is not None and asked is None:
        return [usual]
    plain = {_plain(name): name for name in reversed(free)}
    pair = next((pair for pair in _PAIRS if set(pair) <= set(plain)), None)
    if pair is None or asked is not None:
        raise DataError(
            f"{path} has no column with text; it has {list(names[:_NAMED])}, expected one of "
            f"{list(_USUAL['text'])}, or two such as {_PAIRS[0][0]} and {_PAIRS[0][1]}: name the "
            "column with --text"
        )
    return [plain[name] for name in pair]


def named_texts(asked: str, names: Sequence[str], path: str) -> list[str]:
    """Returns the columns that the user named, one or several with commas between them.

    Raises:
        DataError: If there are none of these names, or too many.
    """
    if "," not in asked or any(canonical(name) == canonical(asked) for name in names):
        return [named_column(asked, names, path)]
    columns = [named_column(name.strip(), names, path) for name in asked.split(",") if name.strip()]
    if not columns or len(columns) > MOST_TEXTS or len(set(columns)) != len(columns):
        raise DataError(
            f"expected one column with text or up to {MOST_TEXTS} different ones, got --text "
            f"{asked[:80]!r}"
        )
    return columns


def usual_column(field: str, names: Sequence[str]) -> str | None:
    """Returns the column that has a usual name of the field, by the likeliest one.

    Of columns that differ in case and the like alone it is the one written like the usual name, or
    else the first.
    """
    return next(iter(usual_columns(field, names)), None)


def usual_columns(field: str, names: Sequence[str]) -> list[str]:
    """Returns the columns that have a usual name of the field, the likeliest first."""
    plain = {_plain(name): name for name in reversed(names)} | {name: name for name in names}
    usual = (_USUAL | _ASKED | _MARKED)[field]
    return [plain[known] for known in usual if known in plain]


def named_column(name: str, names: Sequence[str], path: str) -> str:
    """Returns the column that the user means; how its letters are composed does not matter.

    Raises:
        DataError: If there is none.
    """
    if name in names:
        return name
    for column in names:
        if canonical(column) == canonical(name):
            return column
    raise DataError(f"{path} has no column {name!r}; it has {list(names[:_NAMED])}")


def describe(
    names: Sequence[str],
    columns: Mapping[str, str],
    asked: Mapping[str, str | None],
    details: Mapping[str, str],
) -> str:
    """Describes in a line which columns are read as what, and which are not used.

    Args:
        names: All columns.
        columns: Field -> column.
        asked: Field -> the column that the user named; a field with an empty name is not offered.
        details: Field -> something to say about it.
    """
    read = [
        (field if field == name else f"{field} from {name!r}") + details.get(field, "")
        for field, name in columns.items()
    ]
    unused = [name for name in names if name not in columns.values()]
    shown = [f"{name!r}{_offer(name, asked)}" for name in unused[:_SHOWN]]
    if len(unused) > _SHOWN:
        shown.append(f"{len(unused) - _SHOWN} more")
    return ", ".join(read) + (f"; not used: {', '.join(shown)}" if shown else "")


def without_labels(names: Sequence[str], columns: Mapping[str, str], path: str) -> str:
    """Says that a table has no column with labels, and how to name one of those it has."""
    unused = [name for name in names if name not in columns.values()]
    near = {_plain(name): name for name in unused}
    likely = [
        close for usual in _USUAL["label"] for close in get_close_matches(usual, near, 1, 0.8)
    ]
    example = near[likely[0]] if likely else unused[0] if len(unused) == 1 else "COLUMN"
    quoted = f"{example!r}" if " " in example else example
    option = f"; name one with --label {quoted}" if unused else ""
    return (
        f"no row of {path} has a label: none of its columns {list(names[:_NAMED])} is read as "
        f"label{option}"
    )


def _offer(name: str, asked: Mapping[str, str | None]) -> str:
    """Returns the option that reads a column as what its name says; empty without one."""
    marks = {"label": (*_MARKED["spans"], *_MARKED["tags"])}
    for offered in (_USUAL | _ASKED, marks):
        for field, usual in offered.items():
            if _plain(name) in usual and asked.get(field) != "":
                return f" (--{field})"
    return ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
