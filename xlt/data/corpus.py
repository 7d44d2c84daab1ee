"""Corpora: reads tables of texts as examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from xlt.data.cells import as_text, by_control, labels_or_paths, language, strings
from xlt.data.columns import TEXTS, describe, find_columns, without_labels
from xlt.data.examples import MOST_TEXTS, Example
from xlt.data.groups import check_groups, describe_groups, with_distinct_ids
from xlt.data.label_names import is_missing
from xlt.data.languages import is_known, listed
from xlt.data.marked.tables import with_spans
from xlt.data.marked.tokens import Places
from xlt.data.rows import Row, is_blank, left_out
from xlt.data.splits import of_split
from xlt.data.tables import read_rows
from xlt.errors import DataError

_MAX_TEXT = 1_000_000
_MAX_FIELD = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The texts of a file.

    Attributes:
        path: The file.
        summary: One line on a labelling tool's export: its tool, how much of it is labelled, and
            why the rest is not; empty for a table.
        split: The split that was read; None for all rows.
        examples: One for each row with a text.
        names: All columns.
        columns: Field -> the column that it was read from.
        asked: Field -> the column that the user named, see `find_columns`.
        without_text: Numbers of the rows that hold something but no text; they are left out.
        missing: Word -> number of labels that are this word, which says that there is no label.
        notes: Lines on the spans that were read.
        tokens: The places of each example's tokens in its text; empty for a table without tokens.
    """

    path: str
    summary: str = ""
    split: str | None = None
    examples: Sequence[Example]
    names: Sequence[str]
    columns: Mapping[str, str]
    asked: Mapping[str, str | None]
    without_text: Sequence[int] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    tokens: Sequence[Places] = ()

    @property
    def lines(self) -> list[str]:
        """Returns lines for users: what the file is, which columns are read, what is left out."""
        name = Path(self.path).name + (f" (split {self.split})" if self.split else "")
        groups = describe_groups(self.examples)
        details = {"group" if "group" in self.columns else "id": groups}
        columns = describe(self.names, self.columns, self.asked, details)
        lines = [*filter(None, [self.summary]), f"columns of {name}: {columns}", *self.notes]
        if self.without_text:
            lines.append(left_out(self.without_text, "without text", name))
        if self.missing:
            words = ", ".join(f"{word!r} ({count})" for word, count in self.missing.items())
            lines.append(f"read as no label in {name}: {words}")
        unknown = Counter(e.lang for e in self.examples if not is_known(e.lang))
        if unknown:
            lines.append(f"unknown languages, each read as one of its own: {listed(unknown)}")
        return lines

    def check_groups(self) -> None:
        """Refuses a column with groups that was found by its name, if it has no translations.

        Raises:
            DataError: If two texts of a group are no translations of one another.
        """
        if "group" in self.columns and not self.asked.get("group"):
            check_groups(self.examples, self.columns["group"], self.path)

    @property
    def labelled(self) -> list[Example]:
        """Returns the examples with an answer.

        Raises:
            DataError: If there is none; names the option that names a column, if none was read.
        """
        found = [example for example in self.examples if example.answer is not None]
        if found:
            return found
        if self.summary:
            raise DataError(f"no row of {self.path} has a label: {self.summary}")
        if "label" in self.columns or self.asked.get("label") == "":
            raise DataError(f"no row of {self.path} has a label")
        raise DataError(without_labels(self.names, self.columns, self.path))


def read_examples(
    path: str | Path,
    *,
    text: str | None = None,
    lang: str | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    weight: str | None = None,
    split: str | None = None,
) -> list[Example]:
    """Reads a CSV, TSV, JSONL or Parquet file, or `owner/name:split` of a Hub data set.

    If you do not name a column, it is found by its usual names (`text`, `sentence`, `tweet` ...);
    an empty name reads none. Weights are read only from a column that you name. Rows without text
    are left out; rows without a label are unlabelled, rows without a language have
    `UNKNOWN_LANGUAGE`.

    If an id occurs in several languages (a parallel corpus), it becomes the group, unless the table
    has groups, and the ids become `id/lang`. Without an id column rows are numbered from 1.

    Args:
        path: The file, by suffix (`.csv`, `.tsv`, `.jsonl`, `.ndjson`, each also `.gz`, or
            `.parquet`), or a Hub data set as `owner/name:split`.
        text: Column with the text; several, with commas between them, for texts that belong
            together.
        lang: Column with the language code.
        label: Column with the label.
        id: Column with an id.
        group: Column with groups: rows with the same value have the same meaning.
        weight: Column with the trust in the label, in (0, 1].
        split: Keep only rows whose `split` column has this value.

    Raises:
        DataError: If there is no such file or column, or if a row is bad (names its number).
    """
    asked = {"text": text, "lang": lang, "label": label, "id": id, "group": group}
    asked["weight"] = weight
    return list(corpus_of(read_rows(path), str(path), asked, split=split).examples)


def corpus_of(
    rows: list[Row],
    path: str,
    asked: Mapping[str, str | None],
    *,
    split: str | None = None,
    answers: Mapping[int, tuple[Hashable | None, float]] | None = None,
    kind: str | None = None,
) -> Corpus:
    """Reads a table's rows as examples.

    Args:
        rows: Rows of the table.
        path: Its file, for messages.
        asked: Field -> the column that the user named, see `find_columns`.
        split: Keep only rows whose `split` column has this value.
        answers: Row number -> answer and weight, in place of a column with labels.
        kind: Kind of the answers; None if they decide it.

    Raises:
        DataError: If there are no rows, a column is missing, or a row is bad (names its number).
    """
    if not rows:
        raise DataError(f"{path} has no rows: expected at least one")
    if answers is not None:
        asked = {**asked, "label": ""}
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    if split is not None:
        rows = of_split(rows, split, path)
    marked = with_spans(rows, names, asked, path, kind=kind)
    columns = find_columns(names, marked.asked, path)
    examples = []
    without_text = []
    tokens: list[Places] = []
    for place, (number, row) in enumerate(marked.rows):
        example = _example(number, row, columns, path, exact=marked.exact)
        if example is None:
            without_text.append(number)
        else:
            given = None if answers is None else answers[number]
            examples.append(_answered(example, given))
            tokens += marked.places[place : place + 1]
    if not examples:
        read = " and ".join(repr(columns[field]) for field in TEXTS if field in columns)
        raise DataError(f"no row of {path} has a text in {read}; it has {names}")
    return Corpus(
        path=path,
        split=split,
        examples=with_distinct_ids(examples, path),
        names=names,
        columns=columns,
        asked=asked,
        without_text=without_text,
        missing=_missing(marked.rows, columns),
        notes=marked.lines,
        tokens=tokens,
    )


def _answered(example: Example, given: tuple[Hashable | None, float] | None) -> Example:
    if given is None:
        return example
    return replace(example, answer=given[0], weight=example.weight * given[1])


def _missing(rows: list[Row], columns: Mapping[str, str]) -> Counter[str]:
    """Counts the labels that are a word for no label."""
    cells = [row.get(columns["label"]) for _, row in rows] if "label" in columns else []
    return Counter(str(cell).strip() for cell in cells if not is_blank(cell) and is_missing(cell))


def _example(
    number: int, row: Mapping[str, object], columns: Mapping[str, str], path: str, *, exact: bool
) -> Example | None:
    """Returns the example of a row, its texts `exact` or stripped; None if it has no text."""

    def value(field: str, most: int = _MAX_FIELD) -> str | None:
        cell = row.get(columns[field]) if field in columns else None
        if is_blank(cell):
            return None
        if not isinstance(cell, str | int | float):
            raise DataError(
                f"{path}, row {number}: {columns[field]} must be text, got {type(cell).__name__}"
            )
        string = as_text(cell, exact=exact and field in TEXTS)
        if len(string) > most:
            raise DataError(
                f"{path}, row {number}: {columns[field]} is longer than {most} characters"
            )
        return string

    texts = _texts(row, columns, lambda field: value(field, _MAX_TEXT), exact=exact)
    if not texts or any(map(is_blank, texts)):
        return None
    if len(texts) > MOST_TEXTS:
        raise DataError(
            f"{path}, row {number}: expected at most {MOST_TEXTS} texts in {columns['text']!r}, "
            f"got {len(texts)}"
        )
    answer = None
    if "label" in columns:
        answer = _answer(row.get(columns["label"]), value, number, path)
    return Example(
        id=value("id") or str(number),
        texts=texts,
        lang=language(value("lang")),
        answer=answer,
        group=value("group"),
        weight=_weight(value("weight"), number, path),
    )


def _texts(
    row: Mapping[str, object],
    columns: Mapping[str, str],
    value: Callable[[str], str | None],
    *,
    exact: bool,
) -> tuple[str, ...]:
    """Returns the texts of a row, those of a list in one column, or one of each column."""
    several = None if TEXTS[1] in columns else strings(row.get(columns["text"]), exact=exact)
    if several is not None:
        return several
    return tuple(value(field) or "" for field in TEXTS if field in columns)


def _answer(
    cell: object, value: Callable[[str], str | None], number: int, path: str
) -> Hashable | None:
    """Returns a label, those of a list or of several controls, or spans, which are read already."""
    if is_missing(cell):
        return None
    if isinstance(cell, tuple):
        return cell
    several = by_control(cell) or labels_or_paths(cell)
    if several is None and isinstance(cell, list | dict):
        raise DataError(
            f"{path}, row {number}: expected a label or a list of labels, got {str(cell)[:100]}"
        )
    return value("label") if several is None else several


def _weight(value: str | None, number: int, path: str) -> float:
    if value is None:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        weight = float("nan")
    if not 0.0 < weight <= 1.0:
        raise DataError(f"{path}, row {number}: weight must be in (0, 1], got {value!r}")
    return weight
