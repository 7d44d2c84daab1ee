"""Answers: those to the controls, by name; a control that is not filled in has none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from xlt.data.by_control import ByControl
from xlt.errors import DataError
from xlt.tasks.parts import Part, together_of
from xlt.tasks.task import Agreement, AnyTask, Json


def read(value: Json, parts: Sequence[Part]) -> ByControl:
    """Reads the answers to some of the controls.

    Raises:
        DataError: If there are none, if one is to another control, or not of its task.
    """
    given = dict(value.items) if isinstance(value, ByControl) else value
    if not isinstance(given, Mapping) or not given:
        names = [part.name for part in parts]
        raise DataError(f"expected answers to some of the controls {names}, got {value!r}")
    check_names(given, parts)
    return ByControl.of(
        {p.name: _read(given[p.name], p.name, p.task) for p in parts if p.name in given}
    )


def _read(value: Json, name: str, task: AnyTask) -> Hashable:
    try:
        answer: Hashable = task.read(value)
    except DataError as error:
        raise DataError(f"{name!r}: {error}") from None
    return answer


def check_names(given: Mapping[str, Hashable], parts: Sequence[Part]) -> None:
    """Refuses answers to a control that the task does not have.

    Raises:
        DataError: If there is one.
    """
    names = [part.name for part in parts]
    for name, answer in given.items():
        if name not in names:
            raise DataError(f"no control of the task: {name}: {answer}; controls: {names}")


def plain(answer: ByControl, parts: Sequence[Part]) -> dict[str, Json]:
    """Returns the answers as JSON by control.

    Raises:
        DataError: If one is to a control that the task does not have.
    """
    check_names(dict(answer.items), parts)
    tasks = {part.name: part.task for part in parts}
    return {name: tasks[name].plain(own) for name, own in answer}


def describe(answer: ByControl, parts: Sequence[Part]) -> str:
    """Describes the answers for people, in the order of the interface."""
    given = dict(answer.items)
    return ", ".join(
        f"{part.name}: {part.task.describe(given[part.name])}"
        for part in parts
        if part.name in given
    )


def agree(votes: Mapping[str, ByControl], parts: Sequence[Part]) -> Agreement:
    """Returns the agreement about each control of those who filled it in, see `together_of`."""
    found: dict[str, Agreement] = {}
    for part in parts:
        own = {who: vote.get(part.name) for who, vote in votes.items()}
        given = {who: vote for who, vote in own.items() if vote is not None}
        if given:
            found[part.name] = part.task.agree(given)
    return together_of(found)


def missing(answers: Sequence[ByControl], parts: Sequence[Part]) -> str:
    """Returns what is missing to train: empty if answers to one control suffice."""
    lacks = []
    for part in parts:
        own = [answer.get(part.name) for answer in answers]
        lack = part.task.missing([answer for answer in own if answer is not None])
        if not lack:
            return ""
        lacks.append(f"{lack} for {part.name!r}")
    return ", or ".join(lacks)
