"""The storage at a path or URL, and a trial whether it can be used."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from xlt.errors import StoreError
from xlt.store.local import LocalStorage
from xlt.store.remote import RemoteStorage
from xlt.store.storage import Storage, store_errors


def storage_at(url: str | Path) -> Storage:
    """Returns the storage at a path or fsspec URL without reading or writing.

    Raises:
        StoreError: If the URL's protocol is unknown, or its package is not installed.
    """
    if isinstance(url, Path) or "://" not in url:
        return LocalStorage(Path(url).expanduser().absolute())
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalStorage(Path(url2pathname(parts.path)))
    return RemoteStorage(url)


def try_out(url: str | Path) -> None:
    """Writes, reads and deletes a file.

    Raises:
        StoreError: If one of them fails, or the file changed.
    """
    storage = storage_at(url)
    name, content = f".trial-{secrets.token_hex(6)}", secrets.token_bytes(64)
    with store_errors(f"write to {url}"):
        storage.write(name, content)
        stored = storage.read(name)
        storage.delete(name)
    if stored != content:
        raise StoreError(f"a file in {url} changed after it was written")
