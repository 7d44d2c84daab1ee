"""The kinds of tasks by name, and tasks from tables and from JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from xlt.data.examples import Example
from xlt.data.spans import Span
from xlt.errors import ConfigError, DataError
from xlt.tasks.task import AnyTask, Json, Kind

#: Every kind is a folder of this name beside this file. A new kind adds only its name here. Modules
#: are imported by name; this module does not import heads, which need torch.
KINDS: dict[str, Kind[Any]] = {
    name: import_module(f"xlt.tasks.{name}.kind").KIND
    for name in ("single_label", "multi_label", "rating", "taxonomy", "spans", "pairwise")
}
KINDS["multi_task"] = import_module("xlt.tasks.multi_task.kind").kind_of(dict(KINDS))


#: Largest number of labels of a form in a message.
_SHOWN = 3


@runtime_checkable
class OfTexts(Protocol):
    """A kind that infers its task from the texts of a table as well as from its answers.

    It is asked before the others, which would read its answers, too.
    """

    def of_texts(self, labelled: Sequence[Example], *, asked: bool) -> AnyTask | None:
        """Infers the task of examples; None if they are of another kind.

        Args:
            labelled: Examples with answers as tables hold them.
            asked: Whether this kind was asked for.
        """


def task_from_json(value: Json) -> AnyTask:
    """Reads a task that `Task.to_json` returned.

    Raises:
        DataError: If it is no task, or of a kind that this version of xlt does not know.
    """
    name = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or name not in KINDS:
        raise DataError(f"expected a task of one of the kinds {list(KINDS)}, got {value!r}")
    try:
        return KINDS[name].from_json(value)
    except (KeyError, TypeError) as error:
        raise DataError(f"expected a task of kind {name!r}, got {value!r}") from error


def infer_task(labelled: Sequence[Example], kind: str | None = None) -> AnyTask:
    """Infers the task of a table's answers.

    Args:
        labelled: Examples with answers as tables hold them.
        kind: Kind of the task; None for the first kind that has such answers.

    Raises:
        DataError: If the answers are not of the kind, or of none, or if they make no task.
    """
    cells = [example.answer for example in labelled]
    names = list(KINDS) if kind is None else [kind]
    for name in sorted(names, key=lambda name: not isinstance(KINDS[name], OfTexts)):
        made = KINDS[name]
        if isinstance(made, OfTexts):
            task = made.of_texts(labelled, asked=kind is not None)
        else:
            task = made.infer(cells)
        if task is not None:
            return task
    of = f"one of the kinds {names}" if kind is None else f"the kind {kind!r}"
    raise DataError(f"expected labels of {of}, got {_forms(labelled)}")


def _forms(labelled: Sequence[Example]) -> str:
    """Returns the forms of labels in words, each with the first example and some labels."""
    first: dict[str, str] = {}
    shown: dict[str, dict[str, None]] = {}
    for example in labelled:
        form = _form(example.answer)
        first.setdefault(form, example.id)
        shown.setdefault(form, {}).setdefault(f"{example.answer!r:.60}")
    return ", ".join(
        f"{form} first in example {first[form]!r} ({', '.join([*labels][:_SHOWN])}"
        f"{', …' if len(labels) > _SHOWN else ''})"
        for form, labels in shown.items()
    )


def _form(answer: object) -> str:
    if not isinstance(answer, tuple):
        return "one label"
    if not answer:
        return "an empty list"
    if isinstance(answer[0], Span):
        return "spans"
    return "a list of labels" if isinstance(answer[0], str) else "paths"


def read_answers(examples: Sequence[Example], task: AnyTask) -> list[Example]:
    """Returns the examples with their table cells read as answers of the task.

    Raises:
        DataError: If a cell is no answer of the task; names the example.
    """
    read = []
    for example in examples:
        if example.answer is None:
            read.append(example)
            continue
        try:
            read.append(replace(example, answer=task.read(example.answer)))
        except DataError as error:
            raise DataError(f"example {example.id!r}: {error}") from None
    return read


def check_measure(name: str, task: AnyTask) -> None:
    """Checks that a task has an uncertainty measure of this name; "" stands for its default.

    Raises:
        ConfigError: If it has not; lists those that it has.
    """
    if name and name not in task.measures:
        raise ConfigError(f"measure must be one of {list(task.measures)}, got {name[:60]!r}")
