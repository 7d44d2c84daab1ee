"""Local folders of a project's versions: the storage's own, or copies of what is behind a URL."""

from __future__ import annotations

import shutil
from pathlib import Path

from xlt.errors import CorruptVersionError
from xlt.store.manifest import Manifest
from xlt.store.names import is_version
from xlt.store.storage import MANIFEST, Storage


class Copies:
    """The local folders of one project's versions; hashes are checked once per process.

    Args:
        storage: The storage.
        project: The project's name.
        folder: The folder for copies.
        verified: Project and version of what this process has checked.
    """

    def __init__(
        self, storage: Storage, project: str, folder: Path, verified: set[tuple[str, str]]
    ) -> None:
        self._storage = storage
        self._project = project
        self._folder = folder
        self._verified = verified

    def open(self, version: str, manifest: Manifest) -> Path:
        """Returns a local folder with the version's files; copies them first if it must.

        Raises:
            CorruptVersionError: If a file is missing or has changed.
        """
        new = not (self._folder / version).is_dir()
        folder = self._fetch(version, manifest)
        if (self._project, version) not in self._verified:
            try:
                manifest.verify(folder, version)
            except CorruptVersionError:
                if folder != self._folder / version:
                    raise
                shutil.rmtree(folder)  # a damaged copy is fetched once more
                manifest.verify(self._fetch(version, manifest), version)
            self._verified.add((self._project, version))
        if new and folder == self._folder / version:
            self._remove_outdated()
        return folder

    def _fetch(self, version: str, manifest: Manifest) -> Path:
        try:
            name = f"{self._project}/{version}"
            return self._storage.fetch(name, sorted(manifest.files), self._folder / version)
        except FileNotFoundError as error:
            raise CorruptVersionError(f"version {version}: its file {error} is missing") from error

    def _remove_outdated(self) -> None:
        """Removes the copies of versions that the storage has no longer."""
        for copy in self._folder.iterdir():
            manifest = f"{self._project}/{copy.name}/{MANIFEST}"
            if is_version(copy.name) and self._storage.read(manifest) is None:
                shutil.rmtree(copy, ignore_errors=True)
