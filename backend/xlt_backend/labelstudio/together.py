"""Controls that are learned together: those of one interface that are about the same texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xlt.tasks.kinds import KINDS
from xlt.tasks.parts import Composed
from xlt.tasks.probes import has_probe
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import AnyTask
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.controls import DECIDING, Found, named

_CHOOSES = "the option `control` chooses"


def learned_together(
    found: Sequence[Found], names: Sequence[str] | None = None
) -> tuple[list[Found], list[str]]:
    """Returns the controls that are learned, and a line for each of the others.

    The first one decides which texts are read. It is of the earliest kind in `KINDS`, so that a
    project keeps its control when xlt learns new kinds.

    Args:
        found: The controls that xlt can learn, in the order of the interface.
        names: Names of the controls to learn; None for all.

    Raises:
        UnsupportedConfigError: If one of the names is of no control in `found`.
    """
    notes: list[str] = []
    if names is not None:
        _check_names(names, found, "control")
        notes += [
            f"{named(one.tag)}: the option `control` leaves it out"
            for one in found
            if one.tag.name not in names
        ]
        found = [one for one in found if one.tag.name in names]
    found = _with_conditions(found, notes)
    if not found:
        return [], notes
    first = min(found, key=lambda one: list(KINDS).index(one.task.kind))
    learned = []
    for one in found:
        reason = "" if one is first else _apart(one, first)
        if reason:
            notes.append(f"{named(one.tag)} {reason}")
        else:
            learned.append(one)
    return _with_conditions(learned, notes), notes


def _apart(one: Found, first: Found) -> str:
    """Returns why a control is not learned together with the first one; empty if it is."""
    if not (has_probe(one.task) and has_probe(first.task)):
        spans = one if not has_probe(one.task) else first
        return f"is a second one beside parts of a text, {spans.tag.name!r}; {_CHOOSES}"
    if one.texts.keys != first.texts.keys:
        own, others = (", ".join(f"${key}" for key in each.texts.keys) for each in (one, first))
        return f"is read with {own}, but {first.tag.name!r} with {others}; {_CHOOSES}"
    return ""


def _with_conditions(found: Sequence[Found], notes: list[str]) -> list[Found]:
    """Leaves out controls that are shown by the choice in one that is not learned."""
    kept = list(found)
    while True:
        deciding = {one.tag.name for one in kept if one.tag.tag in DECIDING}
        lost = [one for one in kept if _needed(one.tag) - deciding]
        if not lost:
            return kept
        for one in lost:
            needed = ", ".join(map(repr, sorted(_needed(one.tag) - deciding)))
            notes.append(f"{named(one.tag)} is shown by a choice in {needed}, which is not learned")
        kept = [one for one in kept if one not in lost]


def _needed(tag: Tag) -> set[str]:
    return {condition.control for condition in tag.conditions}


def _check_names(names: Iterable[str], found: Sequence[Found], option: str) -> None:
    known = [one.tag.name for one in found]
    for name in names:
        if name not in known:
            learns = ", ".join(map(repr, known)) or "nothing"
            raise UnsupportedConfigError(
                f"the option {option}={name!r} names no control that xlt learns; it learns "
                f"{learns} of this labelling interface"
            )


def task_of(learned: Sequence[Found], weights: Mapping[str, float]) -> AnyTask:
    """Returns the task of the controls.

    Args:
        learned: The controls, at least one.
        weights: Name of a control -> weight of its uncertainty; 1 for the others.

    Raises:
        UnsupportedConfigError: If a weight is of no control that is learned, or if no answer
            shows some of the controls.
    """
    _check_names(weights, learned, "control_weights")
    if len(learned) == 1:
        return learned[0].task
    task = KINDS["multi_task"].control.task(Tag(parts=tuple(one.tag for one in learned)))
    if not isinstance(task, Composed):
        reason = task.reason if isinstance(task, Refusal) else ""
        raise UnsupportedConfigError(f"the labelling interface {reason}")
    return replace(
        task, parts=tuple(replace(p, weight=weights.get(p.name, 1.0)) for p in task.parts)
    )
