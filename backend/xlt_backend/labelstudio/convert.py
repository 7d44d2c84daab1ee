"""Task JSON of Label Studio to examples, and predictions to its JSON. Pure functions.

The one place where the direction of a score turns round: inside xlt higher means less sure,
Label Studio serves the lowest score first.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt_backend.labelstudio.interface import Interface, check_prediction
from xlt_backend.options import ProjectOptions

#: Where Label Studio keeps the text of plain-text imports.
UNDEFINED_KEY = "$undefined$"

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
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    ground_truth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the votes of an example say together.

    Attributes:
        answer: None if there are no votes or the annotators disagree.
        weight: Share of the votes for the answer, in (0, 1]; 0 without an answer.
        reason: Why there is no answer; empty if there is one.
    """

    answer: str | None = None
    weight: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRow:
    """One prediction on its way to Label Studio.

    Attributes:
        task_id: Label Studio's id.
        score: Place in the queue, in (0, 1); lower = sooner.
        answer: What it suggests; None if it suggests nothing.
        result: The answer as regions; empty without one.
    """

    task_id: int
    score: float
    answer: str | None = None
    result: list[dict[str, Any]] = field(default_factory=list)


# Tasks and labels in ------------------------------------------------------------------------


def to_example(
    task: Json, interface: Interface, options: ProjectOptions, votes: Votes | None = None
) -> Example | Unusable:
    """Converts a task to an example, with the answer that its annotators agree on.

    Args:
        task: The task as Label Studio exports it; without a language it gets `UNKNOWN_LANGUAGE`.
        interface: The project's labelling interface.
        options: The project's options.
        votes: The task's votes, if they have been read already.
    """
    data = task.get("data")
    data = data if isinstance(data, Mapping) else {}
    key = options.text_field or interface.text_key
    text = _text_of(data, key)
    reason = _unusable_text(text, key)
    if reason:
        return Unusable(id=str(task.get("id")), reason=reason)
    votes = votes_of(task, interface) if votes is None else votes
    agreement = agree(votes.answers)
    return Example(
        id=str(task.get("id")),
        text=_clean(str(text)),
        lang=_word(data, options.language_field) or UNKNOWN_LANGUAGE,
        label=agreement.answer,
        group=_word(data, options.group_field),
        weight=agreement.weight or 1.0,
    )


def _text_of(data: Json, key: str) -> object:
    value: object = data.get(key)
    if value is None and "." in key:
        value = data
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    return data.get(UNDEFINED_KEY) if value is None else value


def _unusable_text(text: object, key: str) -> str:
    if text is None:
        return f"no text: task data has no {key!r}"
    if not isinstance(text, str):
        return f"no text: {key!r} is of type {type(text).__name__}, expected a string"
    if not text.strip() or text.strip() == UNDEFINED_KEY:
        return f"no text: {key!r} is empty"
    if _ADDRESS.match(text.strip()):
        return f"{key!r} holds an address, not a text: {text.strip()[:60]}"
    return ""


def _word(data: Json, key: str | None) -> str | None:
    """A short value of task data as a string, None where there is none."""
    value = data.get(key) if key else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return _clean(str(value)).strip() or None


def _clean(text: str) -> str:
    """Half a surrogate pair (legal in JSON) becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def votes_of(task: Json, interface: Interface) -> Votes:
    """Reads the answers that count from a task's annotations.

    If some are marked as ground truth, only those count. Each annotator has one vote, the latest.
    Skips, drafts and annotations that the machine made and nobody touched have none.
    """
    annotations = [a for a in task.get("annotations") or () if isinstance(a, Mapping)]
    if not annotations:
        return Votes(reason="not annotated")
    given = [a for a in annotations if not a.get("was_cancelled") and not machine_made(a)]
    if not given:
        skipped = any(a.get("was_cancelled") for a in annotations)
        return Votes(reason="skipped" if skipped else "annotated by the machine only")
    truth = [a for a in given if a.get("ground_truth")]
    chosen = {
        annotator: choice_of(annotation, interface)
        for annotator, annotation in _latest_by_annotator(truth or given).items()
    }
    answers = {who: label for who, label in chosen.items() if label and label in interface.labels}
    if not answers:
        unknown = next((label for label in chosen.values() if label is not None), None)
        return Votes(reason=f"unknown label {unknown!r}" if unknown else "nothing chosen")
    return Votes(answers=answers, ground_truth=bool(truth))


def agree(votes: Mapping[str, str]) -> Agreement:
    """Finds the label that most annotators chose; a tie is no agreement.

    Args:
        votes: Annotator -> label.
    """
    counted = Counter(votes.values())
    if not counted:
        return Agreement(reason="no votes")
    (label, most), *rest = counted.most_common()
    if rest and rest[0][1] == most:
        return Agreement(reason="annotators disagree")
    return Agreement(answer=label, weight=most / counted.total())


def machine_made(annotation: Json) -> bool:
    """Whether nobody looked at it ("Create Annotations From Predictions").

    Accepting a suggestion in the labelling stream sets `parent_prediction` too, but takes time.
    """
    return bool(annotation.get("parent_prediction")) and not annotation.get("lead_time")


def choice_of(annotation: Json, interface: Interface) -> str | None:
    """What an annotation chose in the interface's control; None: nothing, or not one thing."""
    for region in annotation.get("result") or ():
        if not isinstance(region, Mapping) or region.get("from_name") != interface.control:
            continue
        value = region.get("value")
        chosen = value.get("choices") if isinstance(value, Mapping) else None
        if isinstance(chosen, list) and len(chosen) == 1 and isinstance(chosen[0], str):
            return chosen[0]
    return None


def _latest_by_annotator(annotations: Iterable[Json]) -> dict[str, Json]:
    return {_annotator(annotation): annotation for annotation in sorted(annotations, key=_age)}


def _age(annotation: Json) -> tuple[str, int]:
    stamp = annotation.get("updated_at") or annotation.get("created_at")
    identity = annotation.get("id")
    return str(stamp or ""), identity if isinstance(identity, int) else 0


def _annotator(annotation: Json) -> str:
    who = annotation.get("completed_by")
    who = who.get("id") if isinstance(who, Mapping) else who
    return f"unknown, annotation {annotation.get('id')}" if who is None else str(who)


# Predictions out ----------------------------------------------------------------------------


def to_result(label: str, confidence: float, interface: Interface) -> list[dict[str, Any]]:
    """A label as Label Studio's regions; `confidence` in [0, 1] is the region's own score."""
    return [
        {
            "id": hashlib.blake2s(
                f"{interface.control}\0{label}".encode(), digest_size=5
            ).hexdigest(),
            "from_name": interface.control,
            "to_name": interface.object,
            "type": "choices",
            "value": {"choices": [label]},
            "score": round(float(confidence), 6),
            "origin": "prediction",
        }
    ]


def to_row(
    task_id: int,
    interface: Interface,
    *,
    score: float,
    label: str | None = None,
    confidence: float = 0.0,
) -> PublishRow:
    """Makes a prediction that Label Studio's own validator accepts.

    Without a label, or with one that the interface no longer has, the task keeps its place in the
    queue and gets no suggestion.
    """
    if label is None or label not in interface.labels or not math.isfinite(confidence):
        return PublishRow(task_id=task_id, score=score)
    if not _accepted(label, interface):
        return PublishRow(task_id=task_id, score=score)
    result = to_result(label, min(max(confidence, 0.0), 1.0), interface)
    return PublishRow(task_id=task_id, score=score, answer=label, result=result)


@lru_cache(maxsize=4096)
def _accepted(label: str, interface: Interface) -> bool:
    result = to_result(label, 0.5, interface)
    return not check_prediction({"result": result, "score": 0.5}, interface.label_config)
