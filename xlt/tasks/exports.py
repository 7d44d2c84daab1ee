"""Examples of tables and of labelling tools' exports, with the answers that annotators agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlt.data.choice_trees import PATH
from xlt.data.columns import find_columns, named_column, named_texts
from xlt.data.corpus import Corpus, corpus_of
from xlt.data.exports.items import UNANSWERED, Export, Item, flat, listed
from xlt.data.exports.recognise import recognise
from xlt.data.exports.tasks import is_tasks, read_tasks, whole_text_controls
from xlt.data.marked.lines import spans_line
from xlt.data.marked.marks import Placed, check_found, placed
from xlt.data.marked.tables import KIND as SPANS
from xlt.data.marked.tables import text_in
from xlt.data.rows import Row, with_nested
from xlt.data.spans import Span
from xlt.data.splits import of_split
from xlt.data.tables import read_rows
from xlt.errors import DataError
from xlt.tasks.agreement import DISAGREE, majority
from xlt.tasks.kinds import KINDS
from xlt.tasks.parts import together_of
from xlt.tasks.task import Agreement

#: Kind of answers that are numbers.
_RATING = "rating"
#: The kind of task whose answers are paths of a tree.
_TREE = "taxonomy"
#: The kind of task with several controls.
_CONTROLS = "multi_task"
#: Reason of items that are left out.
_NO_TEXT = "without text"
#: The kind of task with several labels.
_SEVERAL = "multi_label"
#: Reasons that need other words behind a number.
_PHRASES = {DISAGREE: f"on which {DISAGREE}"}


def read_file(
    path: str | Path,
    asked: Mapping[str, str | None],
    *,
    split: str | None = None,
    answers: bool = True,
    kind: str | None = None,
    beside: bool = False,
) -> Corpus:
    """Reads a table (`xlt.data.corpus.read_examples`) or an export of a labelling tool.

    Args:
        path: The file, or the name of a Hub data set.
        asked: Columns that the user named, by field.
        split: Keep only rows whose `split` column has this value.
        answers: Reads the answers; without them, or if the label's column is named "", only texts
            are wanted.
        kind: Kind of the answers; None if they decide it. An export's are ratings or spans if the
            tool says so, several labels if an annotator chose several, otherwise one label.
        beside: Whether the columns were named for another file. Those that this one lacks are found
            by their usual names.

    Raises:
        DataError: If the file cannot be read.
    """
    named = [part for name in asked.values() if name for part in (name, *name.split(","))]
    rows = with_nested(read_rows(path), map(str.strip, named))
    if beside:
        asked = _there(asked, rows, str(path))
    answers = answers and asked.get("label") != ""
    if not answers:
        asked = {**asked, **{field: asked.get(field) or "" for field in ("label", "weight")}}
    controls = _controls(rows, asked) if answers and kind == _CONTROLS else []
    if controls:
        asked = {**asked, "label": controls[0]}
    export = recognise(rows, str(path), asked, answers=answers, kind=kind) if rows else None
    if export is None:
        return corpus_of(rows, str(path), asked, split=split, kind=kind)
    table = [(item.number, item.fields) for item in export.items]
    read = table if split is None else of_split(table, split, str(path))
    columns = _columns(export, asked)
    if export.control is None:
        corpus = corpus_of(table, str(path), columns, split=split, kind=kind)
        unanswered = sum(example.answer is None for example in corpus.examples)
        reasons = Counter([UNANSWERED] * unanswered + [_NO_TEXT] * len(corpus.without_text))
        return replace(corpus, summary=_summary(export, len(read), reasons if answers else None))
    numbers = {number for number, _ in read}
    items = [item for item in export.items if item.number in numbers]
    kind = SPANS if export.spans else kind or (_RATING if export.ratings else None)
    items, placed = _with_spans(items, columns, str(path)) if export.spans else (items, None)
    agreements = (
        _of_controls(rows, str(path), controls, numbers)
        if controls
        else _agreements(items, kind, str(path))
    )
    pairs: dict[int, tuple[Hashable | None, float]] = {
        item.number: (agreement.answer, agreement.weight or 1.0)
        for item, agreement in zip(items, agreements, strict=True)
    }
    corpus = corpus_of(table, str(path), columns, split=split, answers=pairs, kind=kind)
    without_text = set(corpus.without_text)
    reasons = Counter(
        _NO_TEXT if item.number in without_text else agreement.reason
        for item, agreement in zip(items, agreements, strict=True)
        if agreement.reason or item.number in without_text
    )
    summary = _summary(export, len(read), reasons if answers else None, controls)
    notes = (
        [spans_line(Path(path).name, [e.answer for e in corpus.examples], placed)] if placed else []
    )
    return replace(corpus, summary=summary, notes=[*corpus.notes, *notes])


def _controls(rows: Sequence[Row], asked: Mapping[str, str | None]) -> list[str]:
    """Returns the controls that --label lists, or all whose answers are about whole texts."""
    if not is_tasks(rows):
        return []
    wanted = [name.strip() for name in (asked.get("label") or "").split(",")]
    return [name for name in wanted if name] or whole_text_controls(rows)


def _of_controls(
    rows: Sequence[Row], path: str, controls: Sequence[str], numbers: Collection[int]
) -> list[Agreement]:
    """Returns the agreement of each item's annotators about several controls."""
    each: dict[str, list[Agreement]] = {}
    for control in controls:
        export = read_tasks(rows, path, control, answers=True)
        items = [item for item in export.items if item.number in numbers]
        each[control] = _agreements(items, _RATING if export.ratings else None, path)
    return [
        together_of(dict(zip(each, found, strict=True)))
        for found in zip(*each.values(), strict=True)
    ]


def _there(
    asked: Mapping[str, str | None], rows: Sequence[Row], path: str
) -> dict[str, str | None]:
    """Returns the columns that the user named; None for those that are not in these rows."""
    names: dict[str, None] = {}
    for _, row in rows:
        data = row.get("data")
        names |= dict.fromkeys((*row, *(flat(data) if isinstance(data, Mapping) else ())))

    def found(field: str, name: str) -> bool:
        try:
            (named_texts if field == "text" else named_column)(name, [*names], path)
        except DataError:
            return False
        return True

    return {f: name if not name or found(f, name) else None for f, name in asked.items()}


def _with_spans(
    items: Sequence[Item], asked: Mapping[str, str | None], path: str
) -> tuple[list[Item], Placed]:
    """Returns the items of an export with spans as votes, and how their marks were read."""
    names = list(dict.fromkeys(name for item in items for name in item.fields))
    column = find_columns(names, {**asked, "label": ""}, path)["text"]
    texts = [text_in(item.fields.get(column)) for item in items for _ in item.marks]
    found = placed(texts, [marks for item in items for marks in item.marks.values()])
    check_found(found, path)
    spans = iter(found.spans)
    return [replace(i, votes={who: next(spans) for who in i.marks}) for i in items], found


def _columns(export: Export, asked: Mapping[str, str | None]) -> dict[str, str | None]:
    """Returns the columns of an export: the user's, and those that the tool has fixed names for."""
    names = {name for item in export.items for name in item.fields}
    columns = dict(asked)
    if columns.get("text") is None and export.text in names and "text" not in names:
        columns["text"] = export.text
    if columns.get("label") and (export.control is not None or columns["label"] not in names):
        columns["label"] = None
    return columns


def _agreements(items: Sequence[Item], kind: str | None, path: str) -> list[Agreement]:
    """Returns the agreement of each item's annotators; the reason is empty if there is one.

    Raises:
        DataError: If the answers are labels, but spans are wanted.
    """
    votes = [vote for item in items for vote in item.votes.values()]
    parts = {part for vote in votes for part in vote}
    names = {PATH.join(p) if isinstance(p, tuple) else p for p in parts if not isinstance(p, Span)}
    if kind == SPANS and names:
        raise DataError(
            f"{path}: expected spans, got labels of whole texts: {listed(sorted(names))}"
        )
    if kind == _TREE or any(isinstance(part, tuple) for part in parts):
        return _of_paths(items, parts)
    marked = {part.label for part in parts if isinstance(part, Span)}
    labels = tuple(sorted(marked | {part for part in parts if isinstance(part, str)}))
    if kind is None and any(len(vote) > 1 for vote in votes):
        kind = _SEVERAL
    if labels and kind in (_SEVERAL, SPANS):
        task = KINDS[kind].task(labels)
        return [_agreement(item, task.agree, item.votes) for item in items]
    if kind == SPANS:
        return [_agreement(item, majority, item.votes) for item in items]
    # As in the service, several choices are no answer to a question for one label.
    single = [{who: c[0] for who, c in item.votes.items() if len(c) == 1} for item in items]
    scale = KINDS[_RATING].infer(labels) if kind == _RATING and len(labels) > 1 else None
    if scale is not None:
        numbers = [{who: scale.read(vote) for who, vote in own.items()} for own in single]
        pairs = zip(items, numbers, strict=True)
        return [_agreement(item, scale.agree, own) for item, own in pairs]
    return [_agreement(item, majority, own) for item, own in zip(items, single, strict=True)]


def _of_paths(items: Sequence[Item], parts: Collection[object]) -> list[Agreement]:
    """Returns the agreement of each item's annotators on paths, one unless some chose several."""
    votes = [choices for item in items for choices in item.votes.values()]
    one = all(len(choices) <= 1 for choices in votes)
    given = [{who: c for who, c in item.votes.items() if c or not one} for item in items]
    task = None
    if len(parts) > 1:
        task = KINDS[_TREE].infer([c for each in given for c in each.values()])
    if task is None:
        return [_agreement(i, majority, each) for i, each in zip(items, given, strict=True)]
    return [
        _agreement(item, task.agree, {who: task.read(choices) for who, choices in each.items()})
        for item, each in zip(items, given, strict=True)
    ]


def _agreement(
    item: Item, agree: Callable[[Mapping[str, Any]], Agreement], votes: Mapping[str, Hashable]
) -> Agreement:
    return agree(votes) if votes else Agreement(reason=item.reason or UNANSWERED)


def _summary(
    export: Export, count: int, reasons: Counter[str] | None, controls: Sequence[str] = ()
) -> str:
    """Describes an export of which `count` items were read, by the reason for no answer."""
    line = f"read {count} {export.noun}{'' if count == 1 else 's'} of {export.title}"
    if reasons is None:
        return line
    parts = [f"{count - reasons.total()} labelled"]
    parts += [f"{n} {_PHRASES.get(reason, reason)}" for reason, n in reasons.most_common()]
    names = controls or ([export.control] if export.control else [])
    control = f" (labels from {listed(names)})" if names else ""
    return f"{line}: {', '.join(parts)}{control}"
