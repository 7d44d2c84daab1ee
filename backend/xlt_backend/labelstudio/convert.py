"""Conversion of Label Studio's tasks to examples, and of suggestions to its predictions. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlt.data.by_control import ByControl
from xlt.data.cells import as_text, language
from xlt.data.examples import Example
from xlt.data.exports.annotations import NOT_ANNOTATED, counted, results_of
from xlt.data.rows import is_blank
from xlt.errors import DataError
from xlt.tasks.task import Agreement, Suggestion
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.lookup import look_up
from xlt_backend.options import ProjectOptions

#: Where Label Studio keeps the text of plain-text imports.
UNDEFINED_KEY = "$undefined$"

_SHOWN = 60  # characters of a name in a reason

_ADDRESS = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://|/?data/(?:upload|local-files)/)\S+$", re.IGNORECASE
)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A task that xlt cannot use, with the reason in one line."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """The answers of a task's annotators that count, one per annotator.

    Attributes:
        answers: Annotator -> answer.
        reason: Why there are none; empty if there are some.
        ground_truth: Whether they are marked as ground truth.
        unused: Reasons of the annotations that have no vote, one for each. Those that an annotator
            replaced, or that a ground truth outranks, are not among them.
    """

    answers: Mapping[str, Hashable] = field(default_factory=dict)
    reason: str = ""
    ground_truth: bool = False
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRow:
    """One prediction on its way to Label Studio.

    Attributes:
        task_id: Label Studio's id.
        score: Place in the queue, in (0, 1); lower = sooner.
        answer: The suggested answer as JSON; None if it suggests nothing.
        result: The answer as results of Label Studio; empty without one.

    Raises:
        ValueError: If the score is no number in [0, 1]. Label Studio stores any number, and none
            at all, and then serves tasks in another order on each database.
    """

    task_id: int
    score: float
    answer: Any = None
    result: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"task {self.task_id}: score must be in [0, 1], got {self.score}")


# Tasks and labels in ------------------------------------------------------------------------


def to_example(
    task: Json, interface: Interface, options: ProjectOptions, votes: Votes | None = None
) -> Example | Unusable:
    """Converts a task to an example, with the answer that its annotators agree on.

    Args:
        task: The task as Label Studio exports it. Without a language, or with a word for nothing in
            its place, it gets `UNKNOWN_LANGUAGE`, as in tables.
        interface: The project's labelling interface.
        options: The project's options.
        votes: The task's votes, if they have been read already.
    """
    texts = texts_of(task, interface)
    if isinstance(texts, Unusable):
        return texts
    data = _data(task)
    votes = votes_of(task, interface, texts) if votes is None else votes
    agreement = interface.task.agree(votes.answers) if votes.answers else Agreement()
    return Example(
        id=str(task.get("id")),
        texts=texts,
        lang=language(_word(data, options.language_field)),
        answer=agreement.answer,
        group=_word(data, options.group_field),
        weight=agreement.weight or 1.0,
    )


def texts_of(task: Json, interface: Interface) -> tuple[str, ...] | Unusable:
    """Returns the texts of a task that annotators label, or why one of them cannot be read."""
    data = _data(task)
    texts = {key: look_up(data, key) for key in interface.text_keys}
    if len(texts) == 1:
        texts = {k: data.get(UNDEFINED_KEY) if text is None else text for k, text in texts.items()}
    reason = next(filter(None, (_unusable_text(text, key) for key, text in texts.items())), "")
    if reason:
        return Unusable(id=str(task.get("id")), reason=reason)
    return tuple(_clean(str(texts[key])) for key in interface.text_keys)


def _data(task: Json) -> Json:
    data = task.get("data")
    return data if isinstance(data, Mapping) else {}


def _unusable_text(text: object, key: str) -> str:
    if text is None:
        return f"no text: task data has no {key!r}"
    if not isinstance(text, str):
        return f"no text: {key!r} is of type {type(text).__name__}, expected a string"
    if is_blank(text) or text.strip() == UNDEFINED_KEY:
        return f"no text: {key!r} is empty"
    if _ADDRESS.match(text.strip()):
        return f"{key!r} holds an address, not a text: {text.strip()[:60]}"
    return ""


def _word(data: Json, key: str | None) -> str | None:
    """Returns a language or a group of task data as a string; None if there is none."""
    value = look_up(data, key) if key else None
    if isinstance(value, bool) or not isinstance(value, str | int | float) or is_blank(value):
        return None
    return _clean(as_text(value))


def _clean(text: str) -> str:
    """Replaces lone surrogates, which JSON allows, by the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def first_used(tasks: Iterable[Json], interface: Interface) -> dict[str, str]:
    """Returns when each of several controls was first filled in, as the time stamp of Label Studio.

    Some controls are left empty to say "none". Before a control was used it may not have been in
    the interface: annotations of that time do not say "none".
    """
    first: dict[str, str] = {}
    names = {tag.name for tag in interface.tag.parts}
    for task in tasks if names else ():
        for annotation in counted(task).by_annotator.values():
            for name in names & {str(r.get("from_name")) for r in results_of(annotation)}:
                first[name] = min(first.get(name, _stamp(annotation)), _stamp(annotation))
    return first


def _stamp(annotation: Json) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def votes_of(
    task: Json,
    interface: Interface,
    texts: Sequence[str] = (),
    used: Mapping[str, str] | None = None,
) -> Votes:
    """Reads the answers that count from a task's annotations (`xlt.data.exports.annotations`).

    Args:
        task: The task as Label Studio exports it.
        interface: The project's labelling interface.
        texts: The task's texts (`texts_of`); empty if it has none.
        used: When each control was first filled in (`first_used`); None: before all annotations.
    """
    annotations = counted(task)
    answers: dict[str, Hashable] = {}
    refused: list[str] = []
    for annotator, annotation in annotations.by_annotator.items():
        results = results_of(annotation)
        try:
            answer = interface.answer(results, texts)
        except DataError as error:
            refused.append(str(error))
            continue
        if isinstance(answer, ByControl) and used is not None:
            answer = _given(answer, results, _stamp(annotation), used)
        if answer is None:
            refused.append(_no_answer(results, interface))
        else:
            answers[annotator] = answer
            refused += interface.faults(results, texts)
    unused = (*refused, *annotations.left_out)
    if answers:
        return Votes(answers=answers, ground_truth=annotations.ground_truth, unused=unused)
    return Votes(reason=unused[0] if unused else NOT_ANNOTATED, unused=unused)


def _given(
    answer: ByControl, results: Sequence[Json], stamp: str, used: Mapping[str, str]
) -> ByControl | None:
    """Leaves out controls that were left empty before anyone used them; None if none is left."""
    filled = {result.get("from_name") for result in results}
    asked = {name for name, first in used.items() if first <= stamp}
    given = {name: own for name, own in answer if name in filled | asked}
    return ByControl.of(given) if given else None


def _no_answer(results: Sequence[Json], interface: Interface) -> str:
    """Returns why results hold no answer to the controls that xlt learns."""
    tags = {tag.name: tag for tag in interface.tag.controls}
    for result in results:
        name = str(result.get("from_name"))
        value = result.get("value")
        content = value.get(str(result.get("type"))) if isinstance(value, Mapping) else value
        if name in tags and content:
            flat = isinstance(content, list) and all(isinstance(part, str) for part in content)
            if (flat or tags[name].paths) and len(content) > 1:
                return f"several choices of {name!r}, where one is learned"
            return f"an answer to {name!r} of a form that xlt does not read"
    others = sorted({str(result.get("from_name"))[:_SHOWN] for result in results} - set(tags))
    if others:
        names = " or ".join(map(repr, tags))
        return f"no answer to {names}, but to {', '.join(map(repr, others[:3]))}"
    return "nothing chosen"


# Predictions out ----------------------------------------------------------------------------


def to_row(
    task_id: int,
    interface: Interface,
    *,
    score: float,
    suggestion: Suggestion | None = None,
    texts: Sequence[str] = (),
) -> PublishRow:
    """Makes a prediction that is read back as the answer once an annotator accepts it.

    Without a suggestion, or with one that the interface does not have (it was edited meanwhile),
    the task keeps its place in the queue and suggests nothing.

    Args:
        task_id: Label Studio's id.
        interface: The project's labelling interface.
        score: Place in the queue, in (0, 1).
        suggestion: The model's answer; None without one.
        texts: Texts of the task that it is for.
    """
    result = None if suggestion is None else interface.results(suggestion, texts)
    if suggestion is None or result is None:
        return PublishRow(task_id=task_id, score=score)
    task = interface.task
    answer = task.plain(task.read(task.plain(suggestion.answer)))
    return PublishRow(task_id=task_id, score=score, answer=answer, result=result)
