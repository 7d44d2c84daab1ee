"""Pinned archives: how they are fetched, and their members."""

from __future__ import annotations

import io

import pytest

from tests.stubserver import serving
from tests.xlt.pretrain.opentext.samples import deb, quiet, source, tarball, wheel
from xlt.errors import DataError
from xlt.pretrain.opentext.archives import fetch, members, open_url


class Registry:
    """Answers at addresses, and remembers which were asked."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def __call__(self, url):
        """Opens an address."""
        self.asked.append(url)
        answer = next(data for place, data in self.answers.items() if place in url)
        return answer if isinstance(answer, io.IOBase) else io.BytesIO(answer)


def test_an_archive_is_fetched_once(tmp_path):
    """The second time it is in the cache, and no registry is asked."""
    registry = Registry(npmjs=b"archive")
    wanted = source(b"archive", name="@scope/words", file="scope-words-1.0.tgz")

    paths = [fetch(wanted, tmp_path / "new", progress=quiet, opened=registry) for _ in "12"]

    assert paths[0] == paths[1] == tmp_path / "new" / "scope-words-1.0.tgz"
    assert paths[0].read_bytes() == b"archive"
    assert registry.asked == ["https://registry.npmjs.org/@scope/words/-/words-1.0.tgz"]


def test_a_file_of_the_python_index_is_found_by_its_name(tmp_path):
    """The index is asked under the normalised name; its links may be relative."""
    page = b'<a href="x-1.0.tar.gz">no</a><a href="../../f/My_W-1.0.whl#sha256=0">yes</a>'
    registry = Registry(**{"/simple/my-w/": page, "/f/My_W": b"wheel"})

    path = fetch(
        source(b"wheel", "pypi", "My_W", "My_W-1.0.whl"), tmp_path, progress=quiet, opened=registry
    )

    assert path.read_bytes() == b"wheel"
    assert registry.asked[1] == "https://pypi.org/f/My_W-1.0.whl"


def test_a_file_that_the_python_index_lacks_is_named(tmp_path):
    """A withdrawn release is told from a lost connection."""
    registry = Registry(simple=b"<html></html>")

    with pytest.raises(DataError, match=r"lists no file 'words-1.0.tgz' of words"):
        fetch(source(b"", "pypi"), tmp_path, progress=quiet, opened=registry)


def test_a_debian_package_is_taken_from_the_pool(tmp_path):
    """Its path in the pool is its file."""
    registry = Registry(debian=b"deb")
    wanted = source(b"deb", "debian", file="pool/main/w/words_1.0_all.deb")

    path = fetch(wanted, tmp_path, progress=quiet, opened=registry)

    assert path == tmp_path / "words_1.0_all.deb"
    assert registry.asked[0].endswith("/debian/pool/main/w/words_1.0_all.deb")


class Cut(io.BytesIO):
    """A connection that breaks after the first bytes."""

    def read(self, size=-1):
        """Some bytes, then an error."""
        if self.tell():
            raise ConnectionResetError("reset by peer")
        return super().read(3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"other", "SHA-256 is .*, expected"),
        (b"archi", "SHA-256 is .*, expected"),
        (b"archive and more", "more than the 10 bytes"),
        (Cut(b"archive"), "cannot download words 1.0: reset by peer"),
    ],
)
def test_nothing_is_kept_of_a_download_that_is_not_the_archive(answer, words, tmp_path):
    """Another, a cut, a too large or a broken download is refused and leaves no file."""
    with pytest.raises(DataError, match=words):
        fetch(
            source(b"archive"),
            tmp_path,
            progress=quiet,
            opened=Registry(npmjs=answer),
            most_bytes=10,
        )

    assert list(tmp_path.iterdir()) == []


def test_addresses_are_opened_over_http(tmp_path):
    """A page that is not there is an error of one line with its status."""

    def answer(request):
        return (200, "archive") if request.path.endswith("/words-1.0.tgz") else (404, "none")

    with serving(answer) as stub:

        def opened(url):
            return open_url(url.replace("https://registry.npmjs.org", stub.url))

        path = fetch(source(b"archive"), tmp_path, progress=quiet, opened=opened)
        with pytest.raises(DataError, match=r"cannot download words 2\.0: HTTP Error 404"):
            fetch(source(b"", version="2.0", file="w"), tmp_path, progress=quiet, opened=opened)

    assert path.read_bytes() == b"archive"
    assert list(tmp_path.iterdir()) == [path]


def test_a_wrong_file_in_the_cache_is_replaced(tmp_path):
    """What was cut by a full disk or exchanged is fetched anew."""
    (tmp_path / "words-1.0.tgz").write_bytes(b"half")

    path = fetch(source(b"whole"), tmp_path, progress=quiet, opened=Registry(npmjs=b"whole"))

    assert path.read_bytes() == b"whole"


FILES = {"i18n/de.json": b"{}", "i18n/fr.json": b"[]", "README.md": b"no"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tgz", tarball(FILES)),
        ("a.tar.gz", tarball(FILES, top="a-1.0/")),
        ("a.tar.xz", tarball(FILES, "xz")),
        ("a.whl", wheel(FILES)),
        ("a.deb", deb(FILES)),
    ],
)
def test_only_wanted_members_are_read(name, data, tmp_path):
    """The same names for every kind of archive, without a tarball's first folder."""
    (tmp_path / name).write_bytes(data)

    found = dict(members(tmp_path / name, r"\.json$"))

    assert found == {"i18n/de.json": b"{}", "i18n/fr.json": b"[]"}
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", ["a.tgz", "a.whl", "a.deb"])
def test_what_is_no_archive_is_refused(name, tmp_path):
    """One line with the path."""
    (tmp_path / name).write_bytes(b"!<arch>\n" + b"x" * 100)

    with pytest.raises(DataError, match=name):
        list(members(tmp_path / name, ""))
