"""A store in real object storage that several processes write and read.

What s3fs does of its own accord (`findings/s3fs-move-folder.sh`): a move of a folder copies and
deletes nothing, listings and sizes are remembered, instances and their memory are shared within a
process, and a file that another process replaced cannot be read on.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.s3 import in_process
from tests.waiting import eventually
from xlt.errors import CorruptVersionError, NoVersionError, StoreError
from xlt.store.versions import ProjectStore, Store, VersionMeta

HEAD = """
import os, sys
from pathlib import Path
from xlt.store.versions import Store, VersionMeta
project = Store(sys.argv[1], cache=Path(sys.argv[2])).project("7")
def commit(text):
    with project.stage() as folder:
        (folder / "model.safetensors").write_text(text)
        (folder / "tokenizer").mkdir()
        (folder / "tokenizer" / "vocab.txt").write_text("a")
        return project.commit(folder, VersionMeta())
"""


@pytest.fixture
def project(s3_url, tmp_path) -> ProjectStore:
    """This process's view of the project; `other` is another process's."""
    return Store(s3_url, cache=tmp_path / "cache").project("7")


@pytest.fixture
def other(s3_url, tmp_path):
    """Runs code on the same project in another process."""
    return lambda code: in_process(HEAD + code, s3_url, str(tmp_path / "other"))


def listed(url: str) -> set[str]:
    """Paths of all objects below the URL, by a client that remembers nothing."""
    import s3fs

    fs = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    root = url.removeprefix("s3://")
    return {path.removeprefix(f"{root}/") for path in fs.find(root)}


def test_a_version_of_another_process_is_seen_at_once(project, other):
    """Whatever was listed before: the project did not exist, then it had one version less."""
    assert project.versions() == ()
    first = other("print(commit('one'))")
    assert project.versions() == (first,)
    second = other("print(commit('two'))")
    assert project.versions() == (first, second)
    assert (project.open(second) / "model.safetensors").read_text() == "two"
    assert project.meta(second).name == second


def test_the_pointer_that_another_process_moved_is_read_fresh(project, other):
    """A replaced small file has another size; neither the old bytes nor an error come back."""
    first = other("v = commit('one'); project.promote(v, 'short'); print(v)")
    assert project.current() == first
    second = other(f"v = commit('two'); project.promote(v, {'long ' * 50!r}); print(v)")
    assert project.current() == second
    assert [change.version for change in project.history()] == [first, second]
    assert project.rollback() == first
    assert other("print(project.current())") == first


def test_a_note_that_another_process_replaced_is_read_fresh(project, other):
    """One that was missing, one that grew, one that shrank."""
    assert project.note("draws.json") is None
    for text in ("one", "one and two", "3"):
        other(f"project.write_note('draws.json', {text.encode()!r})")
        assert project.note("draws.json") == text.encode()


def test_a_version_that_another_process_removed_is_gone(project, other):
    """No listing from before brings it back."""
    names = other("print(*(commit(str(i)) for i in range(3)))").split()
    assert project.versions() == tuple(names)
    other("project.prune(keep=1)")
    assert project.versions() == (names[2],)
    with pytest.raises(NoVersionError):
        project.open(names[0])


def test_what_other_code_of_the_process_remembers_does_not_matter(project, other, s3_url):
    """Clients with the same arguments share one instance, its memory of listings included."""
    import fsspec

    shared, root = fsspec.core.url_to_fs(s3_url)
    version = other("print(commit('one'))")
    shared.ls(f"{root}/7")
    new = other("project.write_note('draws.json', b'1'); print(commit('two'))")
    assert not shared.exists(f"{root}/7/draws.json")  # that is how it is
    assert project.note("draws.json") == b"1"
    assert project.versions() == (version, new)
    assert (project.open(new) / "model.safetensors").read_text() == "two"


def test_nothing_but_the_versions_is_left(project, s3_url):
    """A commit writes each file where it stays: nothing is moved, nothing lies beside it."""
    with project.stage() as folder:
        (folder / "tokenizer").mkdir()
        (folder / "tokenizer" / "vocab.txt").write_text("a")
        version = project.commit(folder, VersionMeta())
    project.promote(version, "first")
    assert listed(s3_url) == {
        f"7/{version}/tokenizer/vocab.txt",
        f"7/{version}/manifest.json",
        "7/current.json",
        "7/history.jsonl",
    }
    project.prune(keep=1)
    assert project.versions() == (version,)


KILLED = """
real, count = project._storage._fs.put_file, 0
def dying(*args, **kwargs):
    global count
    count += 1
    if count > {after}:
        os._exit(9)
    return real(*args, **kwargs)
project._storage._fs.put_file = dying
project._storage._fs.pipe_file = dying if {after} == 2 else project._storage._fs.pipe_file
commit("half")
"""


@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_upload_that_was_killed_is_no_version(project, other, s3_url, tmp_path, after):
    """Killed before the first file, between two, before the manifest: only whole versions show."""
    old = other("v = commit('old'); project.promote(v, 'old'); print(v)")
    code = HEAD + KILLED.format(after=after)
    done = subprocess.run(
        [sys.executable, "-c", code, s3_url, str(tmp_path / "killed")],
        check=False,
        capture_output=True,
    )
    assert done.returncode == 9, done.stderr
    assert project.versions() == (old,)
    assert project.current() == old
    new = other("v = commit('new'); project.promote(v, 'new'); print(v)")
    assert project.versions() == (old, new)
    assert (project.open(project.current() or "") / "model.safetensors").read_text() == "new"


@pytest.mark.parametrize(("hours", "left"), [(0, True), (23, True), (25, False)])
def test_what_a_killed_upload_left_is_removed_after_a_day(s3_url, tmp_path, hours, left):
    """Until then it may be an upload of another process that still runs."""
    import s3fs

    now = datetime.now(UTC)
    then = now - timedelta(hours=hours)
    half = f"7/v0001-{then:%Y%m%dT%H%M%S}-0123abcd/model.safetensors"
    s3fs.S3FileSystem(skip_instance_cache=True).pipe_file(f"{s3_url}/{half}", b"half")
    project = Store(s3_url, cache=tmp_path, now=lambda: now).project("7")
    assert project.prune(keep=1) == ()
    assert listed(s3_url) == ({half} if left else set())


BUSY = """
from select import select
number = 0
while not select([sys.stdin], [], [], 0)[0]:
    number += 1
    version = commit(str(number % 10) * 3000)
    project.promote(version, "next")
    project.prune(keep=2)
print(version)
"""


def test_a_reader_never_sees_half_a_version(s3_url, tmp_path):
    """While another process commits, promotes and prunes, each current version is whole."""
    writer = subprocess.Popen(
        [sys.executable, "-c", HEAD + BUSY, s3_url, str(tmp_path / "writer")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    seen = set()

    def read() -> bool:
        project = Store(s3_url, cache=tmp_path / "cache").project("7")
        version = project.current()
        with suppress(NoVersionError):  # two newer ones came meanwhile
            if version is not None:
                text = (project.open(version) / "model.safetensors").read_text()
                assert len(text) == 3000
                seen.add(version)
        return len(seen) >= 5

    try:
        eventually(lambda: any(read() for _ in range(20)))  # without a pause: while it is written
        out, _ = writer.communicate("end", timeout=60)
    finally:
        writer.kill()
        writer.wait()
    assert Store(s3_url, cache=tmp_path / "cache").project("7").current() == out.strip()


def test_a_version_that_is_removed_while_it_is_read_is_missing_not_damaged(
    project, other, monkeypatch
):
    """Its manifest is gone too: nobody has to repair anything."""
    names = other("print(*(commit(str(i)) for i in range(2)))").split()
    real = project._storage.fetch

    def late(*args, **kwargs):
        other("project.prune(keep=1)")
        return real(*args, **kwargs)

    monkeypatch.setattr(project._storage, "fetch", late)
    with pytest.raises(NoVersionError, match=names[0]):
        project.open(names[0])


def test_copies_of_versions_that_were_pruned_are_removed(project, other, tmp_path):
    """A web server that fetches each new version does not fill its disk with the old ones."""
    for number in range(4):
        version = other(
            f"v = commit('{number}'); project.promote(v, ''); project.prune(keep=2); print(v)"
        )
        folder = project.open(version)
    copies = {path.name for path in folder.parent.iterdir() if path.name.startswith("v")}
    assert copies == set(project.versions())
    assert len(copies) == 2


# --- what goes wrong -----------------------------------------------------------------------------


def use(url: str, cache: Path) -> None:
    """Writes and reads a first file."""
    project = Store(url, cache=cache).project("7")
    project.write_note("draws.json", b"one")
    assert project.note("draws.json") == b"one"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "(?i)credentials"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
    ],
    ids=["down", "no credentials", "no such profile"],
)
def test_storage_that_does_not_answer_is_one_clear_line(
    s3_url, tmp_path, monkeypatch, environment, message
):
    """Errors of the client's own kinds become errors of the store, with what was being done."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=message) as caught:
        use(s3_url, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_chain_of_file_systems_is_refused():
    """Its copies of files outlive what they were copied from."""
    with pytest.raises(StoreError, match="simplecache::"):
        Store("simplecache::memory://models")


def test_a_file_that_was_lost_is_damage(project, other, s3_url):
    """The manifest is there and a file is not."""
    import s3fs

    version = other("print(commit('one'))")
    s3fs.S3FileSystem(skip_instance_cache=True).rm_file(f"{s3_url}/7/{version}/model.safetensors")
    with pytest.raises(CorruptVersionError, match=r"model\.safetensors"):
        project.open(version)
