"""Versions of a project, as people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from xlt.config import TrainConfig
from xlt.errors import CorruptVersionError, NoVersionError, XltError
from xlt.store.versions import Change, ProjectStore
from xlt_backend.rounds.known import comparison_of, past_of

#: Standing of a version.
Standing = Literal["active", "was active", "went back from", "refused", "not shown yet", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A version, as people see it.

    Attributes:
        name: The version.
        created_utc: When it was saved, ISO 8601; empty if it is damaged.
        standing: What became of it.
        labels: Number of labels that it was trained on, by language.
        accuracy: Scores on audit labels by language, as JSON: `n`, `accuracy`, `low`, `high`.
        trained: How it was trained.
        reason: Why it was trained.
        verdict: Why it was promoted, refused or replaced.
        by: Person who promoted it or went back to it; empty if no person did.
        details: All that the store knows of it.
    """

    name: str
    created_utc: str = ""
    standing: Standing
    labels: Mapping[str, int] = field(default_factory=dict)
    accuracy: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    trained: str = ""
    reason: str = ""
    verdict: str = ""
    by: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def full_name(versions: ProjectStore, name: str) -> str:
    """Returns the version whose name is or begins with `name`, such as `v0002`.

    Raises:
        NoVersionError: If there is none, or more than one.
    """
    found = [each for each in versions.versions() if name and each.startswith(name)]
    if name in found:
        return name
    if len(found) != 1:
        names = ", ".join(versions.versions()[-3:]) or "none"
        what = "more than one version" if found else "no version"
        raise NoVersionError(
            f"project {versions.name} has {what} {name[:40]!r}; the newest: {names}"
        )
    return found[0]


def row_of(versions: ProjectStore, name: str, active: str | None, history: Sequence[Change]) -> Row:
    """Returns a version as people see it; one whose manifest is damaged says so."""
    own = [change for change in history if change.version == name]
    last = own[-1] if own else None
    try:
        meta = versions.meta(name)
    except CorruptVersionError as error:
        return Row(name=name, standing="damaged", verdict=str(error))
    details = dict(meta.details)
    standing = _standing(name, active, history, refused=bool(details.get("refused")))
    left = next((c for c in reversed(history) if c.previous == name and c.version != name), None)
    judged = str(details.get("verdict", ""))
    verdict = judged if last is None else last.reason
    if standing == "went back from" and left is not None:
        verdict, last = left.reason, left
    scores = meta.metrics.get("audit")
    return Row(
        name=name,
        created_utc=meta.created_utc,
        standing=standing,
        labels=dict(meta.label_counts),
        accuracy={k: dict(v) for k, v in scores.items()} if isinstance(scores, dict) else {},
        trained=_how(details),
        reason=str(details.get("reason", "")),
        verdict=verdict,
        by="" if last is None else last.by,
        details={key: value for key, value in details.items() if key != "task"},
    )


def _standing(
    name: str, active: str | None, history: Sequence[Change], *, refused: bool
) -> Standing:
    past = past_of(history)
    if name == active:
        return "active"
    if name in past.replaced:
        return "went back from"
    if any(c.version == name and c.action != "refused" for c in history):
        return "was active"
    return "refused" if refused or name in past.refused else "not shown yet"


def _how(details: Mapping[str, Any]) -> str:
    """Returns how a version was trained, in words; empty if that is not known."""
    config = details.get("config")
    if not isinstance(config, Mapping):
        return ""
    try:
        known = TrainConfig.from_mapping(config).resolved()
    except XltError:
        return ""
    compared = comparison_of(details)
    learner = f"{compared['chosen']}, chosen by comparison" if compared else known.learner
    return f"{learner}, encoder {Path(known.encoder).name}"
