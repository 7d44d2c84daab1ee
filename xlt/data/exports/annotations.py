"""Annotations of Label Studio: which of a task's annotations count, one per annotator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


#: Reason for no vote on a task.
NOT_ANNOTATED = "not annotated"
#: Reasons of annotations that have no vote.
SKIPPED, MACHINE = "skipped", "annotated by the machine only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The annotations of a task that count.

    Attributes:
        by_annotator: Annotator -> the latest annotation.
        left_out: Reasons of the annotations that do not count, one for each. Those that an
            annotator replaced, or that a ground truth outranks, are not among them.
        ground_truth: Whether those that count are marked as ground truth.
    """

    by_annotator: Mapping[str, Json]
    left_out: tuple[str, ...]
    ground_truth: bool


def counted(task: Json) -> Counted:
    """Returns the annotations of a task that count.

    If some are marked as ground truth, only those count. Each annotator has one vote, the latest.
    Skips, drafts and predictions that became annotations without a review do not count.
    """
    annotations = objects(task.get("annotations"))
    given = [a for a in annotations if not a.get("was_cancelled") and not _machine_made(a)]
    skipped = sum(bool(a.get("was_cancelled")) for a in annotations)
    machine_made = len(annotations) - len(given) - skipped
    truth = [a for a in given if a.get("ground_truth")]
    return Counted(
        by_annotator=latest_by_annotator(truth or given),
        left_out=(SKIPPED,) * skipped + (MACHINE,) * machine_made,
        ground_truth=bool(truth),
    )


def latest_by_annotator(annotations: Iterable[Json]) -> dict[str, Json]:
    """Returns the latest annotation of each annotator; each unknown one is an annotator."""
    return {_annotator(annotation): annotation for annotation in sorted(annotations, key=_age)}


def results_of(annotation: Json) -> list[Json]:
    """Returns the results of an annotation."""
    return objects(annotation.get("result"))


def objects(value: object) -> list[Json]:
    """Returns the objects in a list; none if it is no list."""
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


def _machine_made(annotation: Json) -> bool:
    """Returns whether an annotation was made by "Create Annotations From Predictions".

    An annotator who accepts a suggestion sets `parent_prediction` too, but takes time.
    """
    return bool(annotation.get("parent_prediction")) and not annotation.get("lead_time")


def _age(annotation: Json) -> tuple[str, int]:
    stamp = annotation.get("updated_at") or annotation.get("created_at")
    identity = annotation.get("id")
    return str(stamp or ""), identity if isinstance(identity, int) else 0


def _annotator(annotation: Json) -> str:
    who = annotation.get("completed_by")
    who = who.get("id") if isinstance(who, Mapping) else who
    return f"unknown, annotation {annotation.get('id')}" if who is None else str(who)
