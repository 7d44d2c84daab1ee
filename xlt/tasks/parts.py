"""Parts of a task: the controls of one labelling interface that are learned together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np

from xlt.data.by_control import ByControl
from xlt.data.choice_trees import PATH
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.tags import Condition
from xlt.tasks.task import Agreement, AnyTask, Suggestion

#: Between the name of a control and one of its labels.
BEHIND = ": "


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A control of an interface, with its task.

    Attributes:
        name: Name of the control.
        task: What annotators decide with it.
        conditions: Conditions under which it is shown; all must hold.
        weight: Weight of its uncertainty, above 0. It belongs to a project's options, not to what
            a model learns: tasks that differ in it alone are equal.
    """

    name: str
    task: AnyTask
    conditions: tuple[Condition, ...] = ()
    weight: float = field(default=1.0, compare=False)


@runtime_checkable
class Composed(Protocol):
    """A task of several parts; its answers are of the type `ByControl`."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The controls, in the order of the interface."""

    def split(self, outputs: Outputs) -> list[Outputs]:
        """Returns the outputs, or the beliefs, of each control."""

    def join(self, each: Sequence[Outputs]) -> Outputs:
        """Returns the outputs, or the beliefs, of all controls as those of the task."""

    def suggest(self, each: Sequence[Sequence[Suggestion]], beliefs: Outputs) -> list[Suggestion]:
        """Returns the suggestions for each control as those of the task, given its beliefs."""


def controls_of(task: AnyTask) -> tuple[Part, ...]:
    """Returns the controls of a task; its only one has no name."""
    return task.parts if isinstance(task, Composed) else (Part(name="", task=task),)


def nothing_known(task: AnyTask, count: int) -> Outputs:
    """Returns the beliefs about N examples of a model that has learned nothing of a control."""
    zero = Outputs(np.zeros((count, task.width)))
    return task.beliefs(zero, ["und"] * count, Calibration())


def label_of(part: Part, label: str) -> str:
    """Returns the name of a control's label among those of the task."""
    return f"{part.name}{BEHIND}{label}"


def check_parts(parts: Sequence[Part]) -> None:
    """Refuses parts that make no task.

    Raises:
        DataError: If there are none, if two have the same name, or if a condition is about no
            other part, or in the end about its own.
    """
    names = [part.name for part in parts]
    if not names or len(set(names)) != len(names):
        raise DataError(f"expected controls with different names, got {names}")
    free: set[str] = set()
    while len(free) < len(parts):
        more = {p.name for p in parts if {c.control for c in p.conditions} <= free} - free
        if not more:
            stuck = [name for name in names if name not in free]
            raise DataError(f"no control is shown before {stuck}, by their conditions")
        free |= more


def shown(parts: Sequence[Part], answers: Mapping[str, Hashable]) -> set[str]:
    """Returns the names of the controls that are shown, given answers to some.

    As in Label Studio, what is selected in a control that is not shown is not selected.
    """
    by_name = {part.name: part for part in parts}
    found: dict[str, bool] = {}

    def is_shown(name: str) -> bool:
        if name not in found:
            found[name] = all(holds(condition) for condition in by_name[name].conditions)
        return found[name]

    def holds(condition: Condition) -> bool:
        selected = False
        if condition.control in answers and is_shown(condition.control):
            task = by_name[condition.control].task
            chosen = selected_labels(task, answers[condition.control])
            selected = bool(chosen & set(condition.labels) if condition.labels else chosen)
        return selected == condition.selected

    return {part.name for part in parts if is_shown(part.name)}


def selected_labels(task: AnyTask, answer: Hashable) -> set[str]:
    """Returns the labels that an answer selects; of a path in a tree, each of its nodes."""
    chosen = {label for label, has in task.decisions(answer) if has}
    return chosen | {node for label in chosen for node in label.split(PATH)}


def in_common(answer: Hashable, other: Hashable) -> Hashable:
    """Returns an answer without those to controls that another answer has none to."""
    if not isinstance(answer, ByControl) or not isinstance(other, ByControl):
        return answer
    names = {name for name, _ in other}
    return ByControl(tuple((name, own) for name, own in answer if name in names))


def together_of(found: Mapping[str, Agreement]) -> Agreement:
    """Returns the agreement about each control as one.

    A control on which annotators do not agree has no answer; without any there is a reason. The
    weight is the mean over the controls that have one.
    """
    agreed = {name: one for name, one in found.items() if not one.reason}
    if not agreed:
        return Agreement(reason=next((one.reason for one in found.values()), "nothing chosen"))
    return Agreement(
        answer=ByControl.of({name: one.answer for name, one in agreed.items()}),
        weight=sum(one.weight for one in agreed.values()) / len(agreed),
    )


def learnable(examples: Sequence[Example], task: AnyTask) -> list[Example]:
    """Leaves out answers to controls of which there are too few to learn them.

    A model of several controls learns the others, and suggests nothing for these. Examples that
    lose all answers are left out.
    """
    if not isinstance(task, Composed):
        return list(examples)
    kept = [part for part in task.parts if not lacking(part, examples)]
    names = {part.name for part in kept}
    if len(kept) == len(task.parts):
        return list(examples)
    answers = [
        ByControl(tuple((name, answer) for name, answer in example.answer if name in names))
        if isinstance(example.answer, ByControl)
        else example.answer
        for example in examples
    ]
    pairs = zip(examples, answers, strict=True)
    return [replace(example, answer=answer) for example, answer in pairs if answer]


def lacking(part: Part, examples: Sequence[Example]) -> str:
    """Names the answers to a control that its learning needs in addition; empty if none."""
    answers = [e.answer.get(part.name) for e in examples if isinstance(e.answer, ByControl)]
    return part.task.missing([answer for answer in answers if answer is not None])
