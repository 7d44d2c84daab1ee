"""Tables of texts as examples, and splits that keep translations together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.tables import Row, read_rows
from xlt.errors import DataError

# Names that columns usually have, the likelier first; compared without case, `_` and `-`.
_USUAL = {
    "text": ("text", "sentence", "content", "tweet", "document", "review", "utterance", "body"),
    "lang": ("lang", "language", "languagecode", "langid", "locale"),
    "label": ("label", "category", "class", "sentiment", "topic", "intent", "choice", "target"),
    "id": ("id", "taskid", "uid", "key", "index", "indexid"),
    "group": ("group", "groupid", "parallelid", "translationid", "sentenceid"),
}
_MAX_TEXT = 1_000_000
_MAX_FIELD = 1_000
_NAMED_COLUMNS = 20


def read_examples(
    path: str | Path,
    *,
    text: str | None = None,
    lang: str | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    split: str | None = None,
) -> list[Example]:
    """Reads a CSV, TSV, JSONL or Parquet file, or `owner/name:split` of a Hub data set.

    A column that is not named is looked for under its usual names (`text`, `sentence`, `tweet`
    ...); a column that is named must be there. Rows without text are refused; rows without a
    label are unlabelled, rows without a language have `UNKNOWN_LANGUAGE`.

    An id that stands in several languages (a parallel corpus) is taken for the group, unless the
    table has one, and the ids become `id/lang`; without an id column rows are numbered from 1.

    Args:
        path: The file, by suffix (`.csv`, `.tsv`, `.jsonl`, `.ndjson`, each also `.gz`, or
            `.parquet`), or a Hub data set as `owner/name:split`.
        text: Column with the text.
        lang: Column with the language code.
        label: Column with the label.
        id: Column with an id.
        group: Column whose equal values mean the same sentence.
        split: Keep only rows whose `split` column has this value.

    Raises:
        DataError: If there is no such file or column, or a row is bad (its number is named).
    """
    rows = read_rows(path)
    if not rows:
        raise DataError(f"{path} has no rows")
    asked = {"text": text, "lang": lang, "label": label, "id": id, "group": group}
    there = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = _columns(there, asked, str(path))
    if split is not None:
        rows = _of_split(rows, split, str(path))
    examples = [_example(number, row, columns, str(path)) for number, row in rows]
    return _distinct(examples, str(path))


def write_jsonl(path: Path, examples: Iterable[Example]) -> None:
    """Writes examples so that `read_examples` gives them back.

    Raises:
        DataError: If the file cannot be written.
    """
    try:
        with open(path, "w", encoding="utf-8") as file:
            for example in examples:
                file.write(json.dumps(as_row(example), ensure_ascii=False) + "\n")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def as_row(example: Example) -> dict[str, object]:
    """An example as a row of JSONL; what it does not have is left out."""
    row: dict[str, object] = {"id": example.id, "text": example.text, "lang": example.lang}
    if example.label is not None:
        row["label"] = example.label
    if example.group is not None:
        row["group"] = example.group
    if example.weight != 1.0:
        row["weight"] = example.weight
    return row


def split_by_group(
    examples: Sequence[Example], share: float, rng: np.random.Generator
) -> tuple[list[Example], list[Example]]:
    """Splits into (train, held out); no group is on both sides, order is kept.

    Args:
        examples: What to split.
        share: Share of the groups that is held out, in [0, 1].
        rng: Decides which.

    Raises:
        DataError: If the share is out of range.
    """
    if not 0.0 <= share <= 1.0:
        raise DataError(f"the held-out share must be in [0, 1], got {share}")
    groups = list(dict.fromkeys(example.group_key for example in examples))
    count = int(np.floor(len(groups) * share + 0.5))
    held = {groups[place] for place in rng.permutation(len(groups))[:count]}
    train = [example for example in examples if example.group_key not in held]
    return train, [example for example in examples if example.group_key in held]


def folds_by_group(
    examples: Sequence[Example], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """The fold of each example, (N,) from 0 on; texts that say the same are in one.

    Args:
        examples: N examples.
        count: Folds, of as many groups each, give or take one.
        rng: Draws them.
    """
    groups = {group: n for n, group in enumerate(dict.fromkeys(e.group_key for e in examples))}
    fold_of = rng.permutation(len(groups)) % count
    return np.array([fold_of[groups[example.group_key]] for example in examples], dtype=np.intp)


def _columns(there: list[str], asked: Mapping[str, str | None], path: str) -> dict[str, str]:
    """The column of each field; fields without one are left out."""
    plain = {
        name.lower().replace("_", "").replace("-", "").replace(" ", ""): name for name in there
    }
    found: dict[str, str] = {}
    for field, name in asked.items():
        if name is not None:
            if name not in there:
                raise DataError(f"{path} has no column {name!r}; it has {there[:_NAMED_COLUMNS]}")
            found[field] = name
            continue
        usual = next((plain[known] for known in _USUAL[field] if known in plain), None)
        if usual is not None and usual not in found.values():
            found[field] = usual
    if "text" not in found:
        raise DataError(
            f"{path} has no column with text; it has {there[:_NAMED_COLUMNS]}, expected one of "
            f"{list(_USUAL['text'])} or its name as an option"
        )
    return found


def _of_split(rows: list[Row], split: str, path: str) -> list[Row]:
    kept = [(number, row) for number, row in rows if row.get("split") == split]
    if not kept:
        known = sorted({str(row.get("split")) for _, row in rows})[:_NAMED_COLUMNS]
        raise DataError(f"{path} has no rows with split {split!r}; it has {known}")
    return kept


def _example(number: int, row: Mapping[str, object], columns: dict[str, str], path: str) -> Example:
    def value(field: str, most: int = _MAX_FIELD) -> str | None:
        seen = row.get(columns[field]) if field in columns else None
        if seen is None or (isinstance(seen, float) and np.isnan(seen)):
            return None
        if not isinstance(seen, str | int | float):
            raise DataError(
                f"{path}, row {number}: {columns[field]} must be text, got {type(seen).__name__}"
            )
        words = str(seen).strip()
        if len(words) > most:
            raise DataError(
                f"{path}, row {number}: {columns[field]} is longer than {most} characters"
            )
        return words or None

    text = value("text", _MAX_TEXT)
    if text is None:
        raise DataError(f"{path}, row {number}: {columns['text']} is empty")
    return Example(
        id=value("id") or str(number),
        text=text,
        lang=value("lang") or UNKNOWN_LANGUAGE,
        label=value("label"),
        group=value("group"),
        weight=_weight(row.get("weight"), number, path),
    )


def _weight(value: object, number: int, path: str) -> float:
    if value is None or value == "":
        return 1.0
    try:
        weight = float(str(value))
    except ValueError:
        weight = float("nan")
    if not 0.0 < weight <= 1.0:
        raise DataError(f"{path}, row {number}: weight must be in (0, 1], got {value!r}")
    return weight


def _distinct(examples: list[Example], path: str) -> list[Example]:
    """Distinct ids; an id that several languages share becomes their group."""
    counts = Counter(example.id for example in examples)
    if len(counts) == len(examples):
        return examples
    pairs = Counter((example.id, example.lang) for example in examples)
    (id, lang), most = pairs.most_common(1)[0]
    if most > 1:
        raise DataError(f"{path}: id {id!r} stands {most} times in language {lang!r}")
    return [
        Example(
            id=f"{example.id}/{example.lang}",
            text=example.text,
            lang=example.lang,
            label=example.label,
            group=example.group if example.group is not None else example.id,
            weight=example.weight,
        )
        for example in examples
    ]


def read_pairs(path: str | Path) -> list[tuple[str, str]]:
    """Reads translations: a table with columns `source` and `target`, or of two columns.

    Raises:
        DataError: If there are no such columns, or a row lacks one of its texts.
    """
    rows = read_rows(path)
    there = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = ["source", "target"] if {"source", "target"} <= set(there) else there
    if len(columns) != 2:
        raise DataError(
            f"{path} must have columns source and target, or two columns; it has "
            f"{there[:_NAMED_COLUMNS]}"
        )
    pairs = []
    for number, row in rows:
        left, right = (str(row.get(name) or "").strip() for name in columns)
        if not left or not right:
            raise DataError(f"{path}, row {number}: expected two texts, one is empty")
        pairs.append((left, right))
    return pairs
