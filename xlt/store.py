"""Versioned model folders: written whole or not at all, never changed, with a pointer to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionMeta:
    """What is known of a version beside its files; all of it JSON.

    Attributes:
        name: The version's name (the store's doing; leave it empty in `commit`).
        created_utc: When it was committed, ISO 8601 (the store's doing).
        data_hash: Digest of the labels that it was trained on.
        label_counts: Language -> labels that it was trained on.
        metrics: What was measured, e.g. per-language accuracy on audit labels.
        details: Anything else worth keeping (encoder, seed, library version, reason of the round).
    """

    name: str = ""
    created_utc: str = ""
    data_hash: str = ""
    label_counts: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of a project's history.

    Attributes:
        at_utc: When, ISO 8601.
        action: What was done with the version.
        version: Which version.
        previous: Which version was current before; None for the first.
        reason: Why, for people.
    """

    at_utc: str
    action: Literal["promoted", "refused", "rolled back"]
    version: str
    previous: str | None
    reason: str


class Store:
    """The folder of all projects' versions, on a local or shared disk or behind an fsspec URL."""

    def __init__(self, url: str | Path, *, cache: Path | None = None) -> None:
        """Opens a store; nothing is read or written yet.

        Args:
            url: A path, or an fsspec URL (`s3://bucket/models`, `file:///srv/models`).
            cache: Where versions of a remote store are kept; default `~/.cache/xlt/versions`.
        """
        raise NotImplementedError

    def project(self, name: str) -> ProjectStore:
        """The versions of one project; it need not exist yet.

        Raises:
            StoreError: If the name is not 1-128 of `A-Za-z0-9._-` or begins with a dot.
        """
        raise NotImplementedError

    def projects(self) -> tuple[str, ...]:
        """Names of the projects that have a folder, sorted."""
        raise NotImplementedError


class ProjectStore:
    """The versions of one project; safe with several processes at once."""

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """A local folder to build a version in; removed at the end unless committed."""
        raise NotImplementedError
        yield

    def commit(self, folder: Path, meta: VersionMeta) -> str:
        """Makes the files of `folder` a version; returns its name.

        A staged folder is moved, any other copied. The version is there whole or not at all.

        Raises:
            StoreError: If the folder is empty, holds links, or cannot be written (disk full).
        """
        raise NotImplementedError

    def versions(self) -> tuple[str, ...]:
        """Names of all versions, oldest first."""
        raise NotImplementedError

    def meta(self, version: str) -> VersionMeta:
        """What is known of a version.

        Raises:
            NoVersionError: If it is not there.
            CorruptVersionError: If its manifest cannot be read.
        """
        raise NotImplementedError

    def open(self, version: str) -> Path:
        """A local folder with the version's files; their hashes are checked the first time.

        Raises:
            NoVersionError: If it is not there.
            CorruptVersionError: If a file is missing or not what was written.
        """
        raise NotImplementedError

    def current(self) -> str | None:
        """The active version; None before the first promotion."""
        raise NotImplementedError

    def promote(self, version: str, reason: str) -> None:
        """Makes a version the active one.

        Raises:
            NoVersionError: If it is not there.
        """
        raise NotImplementedError

    def refuse(self, version: str, reason: str) -> None:
        """Notes that a version was not promoted, and why."""
        raise NotImplementedError

    def rollback(self, reason: str = "rolled back by hand") -> str:
        """Makes the version active that was so before the current one; returns its name.

        Raises:
            NoVersionError: If there is none.
        """
        raise NotImplementedError

    def prune(self, keep: int) -> tuple[str, ...]:
        """Removes all but the newest `keep` versions; returns the names removed.

        The current version and the one that `rollback` would return to always stay.
        """
        raise NotImplementedError

    def history(self) -> tuple[Change, ...]:
        """The last promotions, refusals and roll-backs, oldest first (at most 200)."""
        raise NotImplementedError
