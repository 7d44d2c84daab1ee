"""Downloads pinned archives and reads files in them without unpacking to the disk."""

from __future__ import annotations

import hashlib
import html
import io
import re
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin
from urllib.request import urlopen

from xlt.disk.fingerprints import fingerprint_of_file
from xlt.errors import DataError
from xlt.pretrain.opentext.sources import Source

Progress = Callable[[str], None]
Open = Callable[[str], BinaryIO]
#: Names and contents of files in an archive.
Files = Sequence[tuple[str, bytes]]

_NPM = "https://registry.npmjs.org"
_PYPI = "https://pypi.org/simple"
_DEBIAN = "http://deb.debian.org/debian"
_MOST_BYTES = 300_000_000  # of an archive; the largest pinned archive has 231 million
_MOST_PAGE_BYTES = 20_000_000  # of a registry's list of files
_CHUNK = 1 << 20
_TIMEOUT_S = 60
_AR_MAGIC, _AR_HEADER = b"!<arch>\n", 60


def open_url(url: str) -> BinaryIO:
    """Opens a URL for reading."""
    response: BinaryIO = urlopen(url, timeout=_TIMEOUT_S)
    return response


def fetch(
    source: Source,
    cache: Path,
    *,
    progress: Progress,
    opened: Open = open_url,
    most_bytes: int = _MOST_BYTES,
) -> Path:
    """Returns the archive of a source, downloaded if the cache does not have it.

    Args:
        source: The source.
        cache: Folder of archives; a file in it is used only if its checksum is right.
        progress: Called with one line before a download.
        opened: Opens a URL.
        most_bytes: Largest size of an archive.

    Raises:
        DataError: If the archive cannot be downloaded, is too large or has another checksum.
    """
    path = cache / Path(source.file).name
    if path.is_file() and fingerprint_of_file(path) == source.sha256:
        return path
    progress(f"downloading {source.name} {source.version}")
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f".{path.name}-{uuid.uuid4().hex}"
    try:
        digest = _download(_url(source, opened), part, opened=opened, most_bytes=most_bytes)
        if digest != source.sha256:
            raise DataError(
                f"{source.name} {source.version}: the archive's SHA-256 is {digest}, "
                f"expected {source.sha256}"
            )
        part.replace(path)
    except (OSError, HTTPException) as error:
        raise DataError(f"cannot download {source.name} {source.version}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def members(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yields the name and content of each file in an archive whose name matches the pattern.

    The first folder in the names of a tarball (`package/`, `./`) is removed.

    Args:
        path: A .whl, .tgz, .tar.gz, .tar.xz or .deb.
        pattern: Regular expression that is searched for in the name.

    Raises:
        DataError: If the archive cannot be read.
    """
    wanted = re.compile(pattern)
    try:
        if path.suffix == ".whl":
            yield from _zip_members(path, wanted)
        elif path.suffix == ".deb":
            yield from _tar_members(io.BytesIO(_ar_member(path, b"data.tar")), wanted)
        else:
            with path.open("rb") as file:
                yield from _tar_members(file, wanted)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot read the archive {path}: {error}") from error


def _url(source: Source, opened: Open) -> str:
    """Returns the URL of an archive; that of a PyPI archive is looked up at PyPI."""
    if source.registry == "npm":
        base = source.name.rpartition("/")[2]
        return f"{_NPM}/{source.name}/-/{base}-{source.version}.tgz"
    if source.registry == "debian":
        return f"{_DEBIAN}/{source.file}"
    page = f"{_PYPI}/{re.sub(r'[-_.]+', '-', source.name).lower()}/"
    with closing(opened(page)) as response:
        text = response.read(_MOST_PAGE_BYTES).decode("utf-8", errors="replace")
    for link in re.findall(r'href="([^"]+)"', text):
        target = html.unescape(link).partition("#")[0]
        if target.rpartition("/")[2] == source.file:
            return urljoin(page, target)
    raise DataError(f"PyPI lists no file {source.file!r} of {source.name}: see {page}")


def _download(url: str, part: Path, *, opened: Open, most_bytes: int) -> str:
    """Downloads a URL to the file `part` and returns its SHA-256."""
    digest, size = hashlib.sha256(), 0
    with closing(opened(url)) as response, part.open("wb") as file:
        while chunk := response.read(_CHUNK):
            size += len(chunk)
            if size > most_bytes:
                raise DataError(f"{url} has more than the {most_bytes} bytes that are allowed")
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _zip_members(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if wanted.search(name):
                yield name, archive.read(name)


def _tar_members(file: BinaryIO, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if member.isfile() and wanted.search(name):
                content = archive.extractfile(member)
                if content is not None:
                    yield name, content.read()


def _ar_member(path: Path, prefix: bytes) -> bytes:
    """Returns the first member of a Unix `ar` archive whose name starts with `prefix`."""
    data = path.read_bytes()
    at = len(_AR_MAGIC)
    while data.startswith(_AR_MAGIC) and at + _AR_HEADER <= len(data):
        header = data[at : at + _AR_HEADER]
        if not header[48:58].strip().isdigit():
            break
        start, size = at + _AR_HEADER, int(header[48:58])
        if header.startswith(prefix):
            return data[start : start + size]
        at = start + size + size % 2  # members start at even offsets
    raise DataError(f"{path} has no member {prefix.decode()!r}: it is not a Debian package")
