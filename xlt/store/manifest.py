"""The manifest of a version: its files with their hashes, and its metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from xlt.disk.fingerprints import fingerprint_of_file
from xlt.errors import CorruptVersionError, StoreError
from xlt.store.storage import MANIFEST

_FORMAT = 1
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionMeta:
    """Metadata of a version; all of it JSON.

    Attributes:
        name: The version's name. The store sets it; leave it empty for `commit`.
        created_utc: Time of the commit, ISO 8601. The store sets it.
        data_hash: Digest of the labels that it was trained on.
        label_counts: Language -> number of labels that it was trained on.
        metrics: Measurements, e.g. per-language accuracy on audit labels.
        details: Anything else to keep (encoder, seed, library version, reason of the round).
    """

    name: str = ""
    created_utc: str = ""
    data_hash: str = ""
    label_counts: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A version's metadata and files.

    Attributes:
        meta: The metadata.
        files: Relative path -> (SHA-256 in hex, size in bytes).
    """

    meta: VersionMeta
    files: Mapping[str, tuple[str, int]]

    def to_bytes(self) -> bytes:
        """Returns the manifest as JSON.

        Raises:
            StoreError: If a value in `meta` is not JSON.
        """
        files = {
            path: {"sha256": digest, "size_bytes": size}
            for path, (digest, size) in self.files.items()
        }
        value = {"format": _FORMAT, "meta": asdict(self.meta), "files": files}
        try:
            return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            raise StoreError(f"the metadata of a version must be JSON: {error}") from error

    @classmethod
    def from_bytes(cls, data: bytes, version: str) -> Manifest:
        """Reads a manifest.

        Raises:
            CorruptVersionError: If `data` is not a manifest, or names a file outside its folder.
        """
        try:
            value = json.loads(data)
            if value["format"] != _FORMAT:
                raise ValueError(f"format {value['format']!r}, expected {_FORMAT}")
            files = {
                _safe(path): (str(entry["sha256"]), int(entry["size_bytes"]))
                for path, entry in value["files"].items()
            }
            return cls(meta=VersionMeta(**value["meta"]), files=files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptVersionError(
                f"version {version}: its {MANIFEST} cannot be read ({error}); remove the version "
                "or restore the file"
            ) from error

    def verify(self, folder: Path, version: str) -> None:
        """Compares every file with its size and hash.

        Raises:
            CorruptVersionError: If a file is missing or differs; names the first one.
        """
        for path, (digest, size) in self.files.items():
            file = folder / path
            if not file.is_file() or file.is_symlink():
                raise CorruptVersionError(f"version {version}: its file {path} is missing")
            n_bytes = file.stat().st_size
            if n_bytes != size:
                raise CorruptVersionError(
                    f"version {version}: its file {path} has {n_bytes} bytes, expected {size}"
                )
            if fingerprint_of_file(file) != digest:
                raise CorruptVersionError(
                    f"version {version}: its file {path} was changed (its SHA-256 differs)"
                )


def describe(folder: Path, meta: VersionMeta) -> Manifest:
    """Lists and hashes the files of a folder.

    Raises:
        StoreError: If it is not a folder, is empty, or holds anything but plain files.
    """
    if not folder.is_dir():
        raise StoreError(f"expected a folder with a version's files, got {folder}")
    files: dict[str, tuple[str, int]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise StoreError(f"a version holds plain files only, got {name}")
        if path.is_file() and name != MANIFEST:
            try:
                files[_safe(name)] = (fingerprint_of_file(path), path.stat().st_size)
            except ValueError as error:
                raise StoreError(str(error)) from error
    if not files:
        raise StoreError(f"expected a folder with a version's files, {folder} is empty")
    return Manifest(meta=meta, files=files)


def _safe(path: object) -> str:
    """Returns the path.

    Raises:
        ValueError: If it leaves its folder or is not made of plain names.
    """
    if not isinstance(path, str) or not all(_PART.fullmatch(part) for part in path.split("/")):
        raise ValueError(f"file name {path!r} is not allowed; expected letters, digits and ._+-")
    return path
