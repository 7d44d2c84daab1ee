"""Languages of a project: labels, accuracy, learning curve and gains of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlt_backend.queue.state import ProjectState
from xlt_backend.service.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimate with its 95 % interval.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A version on the learning curve of a language.

    Attributes:
        version: The version.
        labels: Number of labels that it was trained on, in all languages.
        own: Number of those in this language.
        judged: Number of audit labels that judged it.
        accuracy: Its accuracy on them, in [0, 1].
        refused: Whether it was kept back.
    """

    version: str
    labels: int
    own: int
    judged: int
    accuracy: Estimate
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageReport:
    """One language of a project.

    Attributes:
        code: Its code, as tasks have it.
        trained: Number of labels that train.
        audit: Number of labels that judge.
        judged: Number of audit labels behind the accuracy.
        accuracy: Accuracy of the active version in [0, 1]; None if it is not known.
        curve: The versions that audit labels of this language judged, oldest first.
        last_labels: Number of the last labels whose gain is measured.
        gain: Gain in accuracy by the last labels; None if it is too early to say.
        more: Number of labels that random choice would have needed more; None if it is too early.
        forecast: Number of further labels for the next 2 points; None if it is too early.
    """

    code: str
    trained: int
    audit: int
    judged: int
    accuracy: Estimate | None
    curve: tuple[Point, ...]
    last_labels: int
    gain: Estimate | None
    more: Estimate | None
    forecast: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """Gain by choosing labels, in all languages together.

    Attributes:
        fallen_back: Whether tasks are drawn at random because choosing lowered accuracy.
        labels: Number of chosen labels compared with the same number of random ones.
        gain: Accuracy with chosen labels minus that with random ones; None if it is too early.
        more: Number of labels that random choice would have needed more; None if it is too early.
    """

    fallen_back: bool
    labels: int
    gain: Estimate | None
    more: Estimate | None


def reports_of(state: ProjectState, versions: Sequence[Row]) -> tuple[LanguageReport, ...]:
    """Returns the languages of a project, in the order of their codes.

    Args:
        state: Its state.
        versions: Its versions, newest first.
    """
    measured = state.payoff.get("languages", {})
    known = {*state.labels, *state.audit_labels, *state.accuracy, *measured}
    known |= {lang for row in versions for lang in row.accuracy}
    return tuple(_report(state, versions, measured.get(lang, {}), lang) for lang in sorted(known))


def _report(
    state: ProjectState, versions: Sequence[Row], measured: Mapping[str, Any], lang: str
) -> LanguageReport:
    score, last = state.accuracy.get(lang, {}), measured.get("last_labels", {})
    return LanguageReport(
        code=lang,
        trained=state.labels.get(lang, 0),
        audit=state.audit_labels.get(lang, 0),
        judged=int(score.get("n", 0)),
        accuracy=_accuracy(score),
        curve=tuple(_curve(reversed(versions), lang)),
        last_labels=int(last.get("labels", 0)),
        gain=_estimate(last),
        more=_estimate(measured.get("saved", {}).get("more", {})),
        forecast=_estimate(measured.get("forecast", {})),
    )


def _curve(versions: Iterable[Row], lang: str) -> Iterable[Point]:
    for row in versions:
        score = row.accuracy.get(lang, {})
        accuracy = _accuracy(score)
        if accuracy is None:
            continue
        yield Point(
            version=row.name,
            labels=sum(row.labels.values()),
            own=row.labels.get(lang, 0),
            judged=int(score["n"]),
            accuracy=accuracy,
            refused=row.standing == "refused",
        )


def weeks_of(state: ProjectState) -> dict[str, dict[str, int]]:
    """Returns the labels by week and language, the oldest week first."""
    mondays = sorted({monday for counts in state.weeks.values() for monday in counts})
    return {
        monday: {
            lang: counts[monday] for lang, counts in sorted(state.weeks.items()) if monday in counts
        }
        for monday in mondays
    }


def choosing_of(state: ProjectState) -> Choosing:
    """Returns what choosing labels brings in all languages together."""
    choosing = state.payoff.get("choosing", {})
    return Choosing(
        fallen_back=bool(choosing.get("fallen_back", False)),
        labels=int(choosing.get("labels", 0)),
        gain=_estimate(choosing.get("gain", {})),
        more=_estimate(choosing.get("saved", {}).get("more", {})),
    )


def _accuracy(score: Mapping[str, float]) -> Estimate | None:
    if not score.get("n"):
        return None
    return Estimate(value=score["accuracy"], low=score["low"], high=score["high"])


def _estimate(value: Mapping[str, Any]) -> Estimate | None:
    if "value" not in value:
        return None
    return Estimate(value=value["value"], low=value["low"], high=value["high"])
