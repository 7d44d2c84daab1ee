"""Tasks and answers of every kind, for tests that hold for all of them.

A new kind adds one entry to `ANSWERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tests.xlt.tasks.spans import samples as spans
from xlt.data.by_control import ByControl
from xlt.data.choice_trees import PATH
from xlt.data.examples import Example
from xlt.tasks.calibration import Calibration
from xlt.tasks.kinds import KINDS
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Composed
from xlt.tasks.tagging import count_tags
from xlt.tasks.tags import Tag
from xlt.tasks.task import AnyTask

SEEDS = st.integers(0, 2**31)
MANY = settings(max_examples=40)
FEW = settings(max_examples=10)

#: Labels that no format may spoil.
LABELS = ("health", "sport", 'a "quoted" & <odd> one', "Ẹ̀kọ́")

#: Kinds whose labels are not names that a project makes up -> labels, and others of another task.
GIVEN: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "rating": (("1", "2", "3", "4", "5"), ("7", "8", "9", "10")),
    "pairwise": (("left", "right"), ("first", "second")),
    "multi_task": (
        (*(f"topic: {label}" for label in LABELS), "stars & more: 1", "stars & more: 2"),
        ("x: a", "x: b", "y: 1", "y: 2", "y: 3"),
    ),
}
#: Kind -> texts of an example, and the keys of task data that its ready interface shows.
KEYS = {"pairwise": ("left", "right")}
#: All other kinds.
NAMED = tuple(kind for kind in KINDS if kind not in GIVEN)

#: Kind -> its answers to a task.
ANSWERS: Mapping[str, Callable[[AnyTask], st.SearchStrategy[Hashable]]] = {
    "single_label": lambda task: st.sampled_from(task.labels),
    "multi_label": lambda task: st.sets(st.sampled_from(task.labels)).map(
        lambda chosen: tuple(label for label in task.labels if label in chosen)
    ),
    "pairwise": lambda task: st.sampled_from(task.labels),
    "rating": lambda task: st.integers(0, task.scale.steps).map(task.scale.value),
    "taxonomy": lambda task: st.sampled_from(task.paths).map(lambda path: (path,)),
    "spans": spans.spans,
    "multi_task": lambda task: (
        st.fixed_dictionaries({}, optional={p.name: answers(p.task) for p in task.parts})
        .filter(bool)
        .map(ByControl.of)
    ),
}
#: Text of the examples, on which answers have their places.
TEXTS = (spans.TEXT,)
#: Kind -> how far its expected credit is off at most, where it is not exact: here of spans that
#: overlap as often as not, which real ones do not.
APPROXIMATE = {"spans": 0.03}
#: Kinds whose answers sentence vectors tell.
PROBED = tuple(kind for kind in KINDS if kind != "spans")


def texts_of(kind: str) -> tuple[str, ...]:
    """Keys of the texts of an example of the kind."""
    return KEYS.get(kind, ("text",))


def labels_of(kind: str) -> tuple[str, ...]:
    """Labels of a task of the kind."""
    return tuple(GIVEN.get(kind, (LABELS,))[0])


def others_of(kind: str) -> tuple[str, ...]:
    """Labels of another task of the kind."""
    return tuple(GIVEN.get(kind, ((), ("x", "y", "z", "w")))[1])


def task_of(kind: str, labels: Sequence[str] | None = None) -> AnyTask:
    """A task of the kind."""
    return KINDS[kind].task(labels_of(kind) if labels is None else labels)


def answers(task: AnyTask) -> st.SearchStrategy[Hashable]:
    """Any answer to the task."""
    return ANSWERS[task.kind](task)


def drawn(task: AnyTask, seed: int, count: int) -> list[Hashable]:
    """Answers for `count` examples; each label is chosen in some of them and missing in others."""
    if task.kind == "spans":
        return spans.drawn(task, seed, count)
    if isinstance(task, Composed):
        each = [drawn(part.task, seed + n, count) for n, part in enumerate(task.parts)]
        names = [part.name for part in task.parts]
        return [ByControl.of(dict(zip(names, row, strict=True))) for row in zip(*each, strict=True)]
    rng = np.random.default_rng(seed)
    alone = [certain(task, label) for label in task.labels]
    several = rng.integers(0, 2, (count, task.width))
    rows = [alone[n % len(alone)] if n < 2 * len(alone) else several[n] for n in range(count)]
    if task.classes([]) is not None:
        rows = [alone[number] for number in rng.integers(0, task.width, count)]
        rows[: task.width] = alone
    sure = 40.0 * np.array(rows[:count], dtype=float).reshape(count, task.width) - 20.0
    beliefs = task.beliefs(Outputs(sure), ["en"] * count, Calibration())
    return [suggestion.answer for suggestion in task.decode(beliefs)]


def certain(task: AnyTask, answer: Hashable) -> np.ndarray:
    """The beliefs (W,) of a model that is sure of an answer, or of one label."""
    if task.kind == "spans":
        return spans.certain(task, answer)
    if isinstance(task, Composed):
        return certain_of_parts(task, answer)
    if task.kind == "rating":
        return np.array([float(task.read(answer) > task.read(label)) for label in task.labels[:-1]])
    parts = [answer] if isinstance(answer, str) else answer
    chosen = {part if isinstance(part, str) else PATH.join(part) for part in parts}
    return np.array([float(label in chosen) for label in task.labels])


def certain_of_parts(task: Composed, answer: Hashable) -> np.ndarray:
    """The same of several controls, or of one label of one of them; unknown without an answer."""
    given = dict(answer.items) if isinstance(answer, ByControl) else {}
    if isinstance(answer, str):
        name, _, label = answer.partition(": ")
        given = {name: label}
    return np.concatenate(
        [
            certain(part.task, given[part.name])
            if part.name in given
            else uniform(part.task, 1).values[0]
            for part in task.parts
        ]
    )


def right_answers(task: AnyTask, beliefs: Outputs, rng: np.random.Generator) -> list[Hashable]:
    """Answers that are right as often as beliefs say."""
    if task.kind == "spans":
        return spans.right_answers(task, beliefs, rng)
    if isinstance(task, Composed):
        names, each, start = [part.name for part in task.parts], [], 0
        for part in task.parts:
            own = Outputs(beliefs.values[:, start : start + part.task.width])
            each.append(right_answers(part.task, own, rng))
            start += part.task.width
        return [ByControl.of(dict(zip(names, row, strict=True))) for row in zip(*each, strict=True)]
    n, width = beliefs.values.shape
    if task.classes([]) is None:
        # What is above a level is above all lower ones, but labels are right independently.
        draws = rng.random((n, 1 if task.kind == "rating" else width))
        truth = (draws < beliefs.values).astype(float)
    else:
        numbers = (beliefs.values.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
        truth = np.eye(width)[numbers]
    return [suggestion.answer for suggestion in task.decode(Outputs(truth))]


def certain_of(task: AnyTask, given: Sequence[Hashable]) -> Outputs:
    """The same of N answers."""
    rows = [certain(task, answer) for answer in given]
    return as_outputs(task, rows)


def uniform(task: AnyTask, count: int) -> Outputs:
    """Beliefs of a model that knows nothing."""
    if task.kind == "spans":
        p = 1 / count_tags(task.labels)
        return as_outputs(task, [np.full((len(spans.WHERE), task.width), p)] * count)
    if isinstance(task, Composed):
        return as_outputs(task, [certain_of_parts(task, None)] * count)
    level = 0.5 if task.classes([]) is None else 1 / task.width
    return as_outputs(task, [np.full(task.width, level)] * count)


def as_outputs(task: AnyTask, rows: Sequence[np.ndarray]) -> Outputs:
    """Outputs of N examples, from the values of each."""
    if task.kind == "spans":
        return spans.ragged(rows, task.width)
    return Outputs(np.array(rows).reshape(len(rows), task.width))


def believed(task: AnyTask, seed: int, count: int) -> Outputs:
    """Beliefs of a model that has drawn its outputs at random."""
    return task.beliefs(random_outputs(task, seed, count), ["en"] * count, Calibration())


def random_outputs(task: AnyTask, seed: int, count: int) -> Outputs:
    """Outputs of N examples, drawn at random."""
    shape = (count, *certain(task, task.labels[0]).shape)
    values = np.random.default_rng(seed).normal(0, 3, shape)
    return as_outputs(task, list(values.astype(np.float32)))


def in_other_order(task: AnyTask, beliefs: Outputs, order: Sequence[int]) -> Outputs:
    """Beliefs with the labels in another order."""
    if task.kind == "spans":
        return spans.turned(task, beliefs, order)
    return Outputs(beliefs.values[:, list(order)])


def vectors_of(task: AnyTask, given: Sequence[Hashable], seed: int = 0) -> np.ndarray:
    """Sentence vectors (N, 12) that tell what the answers are."""
    noise = np.random.default_rng(seed).normal(0, 0.05, (len(given), 12))
    noise[:, : task.width] += 3 * certain_of(task, given).values
    return noise.astype(np.float32)


def examples_of(given_answers, kind: str = "single_label"):
    """Examples with these answers, with as many texts as the kind has."""
    keys = texts_of(kind)
    return [
        Example(
            id=str(n),
            texts=TEXTS if len(keys) == 1 else tuple(f"{key} {n}" for key in keys),
            answer=answer,
        )
        for n, answer in enumerate(given_answers)
    ]


def empty(tag: Tag) -> Tag:
    """The control with nothing to choose from."""
    if tag.parts:
        return replace(tag, parts=(*tag.parts[:1], empty(tag.parts[1])))
    return replace(
        tag, labels=(), objects=tag.objects[:1], attributes={**tag.attributes, "maxRating": "0"}
    )


def same(task: AnyTask, one: Hashable, other: Hashable) -> bool:
    """Whether answers say the same: of several controls, those that both have an answer to."""
    return not contradict(task, one, other) and (one == other or bool(common(one, other)))


def contradict(task: AnyTask, one: Hashable, other: Hashable) -> bool:
    """Whether answers differ: of several controls, in one that both have an answer to."""
    if not isinstance(task, Composed):
        return one != other
    return any(one.get(name) != other.get(name) for name in common(one, other))


def common(one: Hashable, other: Hashable) -> set[str]:
    """The controls that both answers are to."""
    return {name for name, _ in one} & {name for name, _ in other}


def control_tag(config: str) -> Tag:
    """The one control of a labelling interface, or all of them as parts of one."""
    found = [tag for tag in ElementTree.fromstring(config).iter() if "toName" in tag.attrib]
    tags = tuple(
        Tag(
            name=control.attrib["name"],
            tag=control.tag,
            attributes=control.attrib,
            labels=tuple(child.get("alias") or child.attrib["value"] for child in control),
            objects=tuple(control.attrib["toName"].split(",")),
        )
        for control in found
    )
    return tags[0] if len(tags) == 1 else Tag(parts=tags)
