"""Versioned model folders: whole or not at all, whatever happens."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xlt.errors import CorruptVersionError, NoVersionError, StoreError
from xlt.store import local as disk
from xlt.store.versions import ProjectStore, Store, VersionMeta

VERSION = "v0001-20261122T082011"
META = VersionMeta(data_hash="abc", label_counts={"ha": 3}, metrics={"accuracy": {"ha": 0.5}})


@pytest.fixture(params=["path", "file", "memory", "s3"])
def store(request, tmp_path):
    """The same promises on a path, behind file:// and behind an object store."""
    if request.param == "path":
        return Store(tmp_path / "models")
    if request.param == "file":
        return Store((tmp_path / "models").as_uri())
    if request.param == "s3":
        return Store(request.getfixturevalue("s3_url"), cache=tmp_path / "cache")
    return Store(f"memory://{tmp_path.name}-{os.getpid()}", cache=tmp_path / "cache")


@pytest.fixture
def project(store):
    """A project of that store."""
    return store.project("7")


def commit(project: ProjectStore, text: str = "weights", meta: VersionMeta = META) -> str:
    """Commits a version with two files, one of them in a folder."""
    with project.stage() as folder:
        (folder / "model.safetensors").write_text(text)
        (folder / "tokenizer").mkdir()
        (folder / "tokenizer" / "vocab.txt").write_text("a\nb\n")
        return project.commit(folder, meta)


def local(tmp_path: Path) -> ProjectStore:
    """A project on a plain path."""
    return Store(tmp_path / "models").project("7")


def test_what_is_committed_is_read_back(project):
    """Files, meta data and the name come back as they were given."""
    version = commit(project)
    folder = project.open(version)
    assert (folder / "model.safetensors").read_text() == "weights"
    assert (folder / "tokenizer" / "vocab.txt").read_text() == "a\nb\n"
    meta = project.meta(version)
    assert meta.name == version
    assert datetime.fromisoformat(meta.created_utc).tzinfo is not None
    assert replace(meta, name="", created_utc="") == META


def test_names_count_up_and_carry_the_time(tmp_path):
    """v0001-<utc>, v0002-<utc>: sorted by name is sorted by age."""
    times = iter(datetime(2026, 11, 22, 8, 20, 11, tzinfo=UTC) + timedelta(seconds=s)
                 for s in range(9))  # fmt: skip
    project = Store(tmp_path, now=lambda: next(times)).project("7")
    assert commit(project) == "v0001-20261122T082011"
    assert commit(project) == "v0002-20261122T082012"
    assert project.versions() == ("v0001-20261122T082011", "v0002-20261122T082012")


def test_a_new_project_is_empty(store):
    """Nothing is made by looking."""
    project = store.project("new")
    assert project.versions() == ()
    assert project.current() is None
    assert project.history() == ()
    assert store.projects() == ()
    commit(project)
    assert store.projects() == ("new",)


def test_any_folder_can_be_committed_and_stays(project, tmp_path):
    """A folder from elsewhere is copied, not moved."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"\x00\xff")
    version = project.commit(folder, META)
    assert (project.open(version) / "a.bin").read_bytes() == b"\x00\xff"
    assert [file.name for file in folder.iterdir()] == ["a.bin"]


def test_staging_leaves_nothing_behind(tmp_path):
    """Neither a committed nor an abandoned stage leaves files beside the versions."""
    project = local(tmp_path)
    version = commit(project)
    with project.stage() as folder:
        (folder / "half.bin").write_text("x")
    found = {p.name for p in (tmp_path / "models" / "7").rglob("*") if p.is_file()}
    assert found == {".lock", "manifest.json", "model.safetensors", "vocab.txt"}
    assert project.versions() == (version,)


def test_promotions_and_rollbacks_walk_the_same_path(project):
    """Roll-back goes to what was active before, and further back the next time."""
    first, second, third = (commit(project, str(i)) for i in range(3))
    for version in (first, second, third):
        project.promote(version, f"better than before {version}")
        assert project.current() == version
    assert project.rollback() == second == project.current()
    assert project.rollback("still bad") == first == project.current()
    with pytest.raises(NoVersionError, match="no earlier version"):
        project.rollback()
    assert project.current() == first


def test_promoting_the_current_version_again_keeps_the_way_back(project):
    """A second promotion of the same version does not hide the one before it."""
    first, second = commit(project), commit(project)
    for version in (first, second, second):
        project.promote(version, "ok")
    assert project.rollback() == first


def test_the_history_says_what_was_done_and_why(project):
    """Promotions, refusals and roll-backs carry version, predecessor and reason."""
    first, second = commit(project), commit(project)
    project.promote(first, "the first")
    project.refuse(second, "worse: 3 right against 9, p = 0.01 – schlechter")
    project.promote(second, "forced")
    project.rollback("regret")
    seen = [(c.action, c.version, c.previous, c.reason) for c in project.history()]
    assert seen == [
        ("promoted", first, None, "the first"),
        ("refused", second, first, "worse: 3 right against 9, p = 0.01 – schlechter"),
        ("promoted", second, first, "forced"),
        ("rolled back", first, second, "regret"),
    ]


def test_the_history_is_bounded(tmp_path):
    """The oldest lines go; the file does not grow for ever."""
    project = local(tmp_path)
    version = commit(project)
    for number in range(205):
        project.refuse(version, str(number))
    reasons = [change.reason for change in project.history()]
    assert reasons == [str(number) for number in range(5, 205)]


def test_prune_keeps_the_current_version_and_the_way_back(project):
    """The newest stay, and so do the active version and the one before it, however old."""
    versions = [commit(project, str(i)) for i in range(6)]
    project.promote(versions[0], "")
    project.promote(versions[1], "")
    assert project.prune(keep=2) == (versions[2], versions[3])
    assert project.versions() == (versions[0], versions[1], versions[4], versions[5])
    assert project.rollback() == versions[0]
    with pytest.raises(NoVersionError):
        project.open(versions[2])
    with pytest.raises(StoreError, match="at least 1"):
        project.prune(keep=0)


def test_numbers_are_not_used_twice(project):
    """A version committed after a prune has a number of its own."""
    versions = [commit(project) for _ in range(3)]
    project.prune(keep=1)
    assert commit(project)[:5] == "v0004" > versions[2][:5]


@pytest.mark.parametrize(
    "version", ["v0009-20261122T082011", "", "..", "../8/v0001-20261122T082011", "latest"]
)
def test_unknown_versions_are_named(project, version):
    """Opening, reading or promoting what is not there says so, and touches nothing outside."""
    for ask in (project.open, project.meta, lambda v: project.promote(v, "")):
        with pytest.raises(NoVersionError):
            ask(version)


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "/etc", ".hidden", "a\x00b", "x" * 129, "a b"]
)
def test_project_names_cannot_leave_the_store(store, name):
    """A project is one plain folder name."""
    with pytest.raises(StoreError, match="project name"):
        store.project(name)


def test_a_version_without_manifest_is_not_there(tmp_path):
    """Half a version (files without a manifest) is neither listed nor opened."""
    project = local(tmp_path)
    version = commit(project)
    (tmp_path / "models" / "7" / version / "manifest.json").unlink()
    assert project.versions() == ()
    with pytest.raises(NoVersionError):
        project.open(version)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.safetensors").write_text("weightz"),
        lambda folder: (folder / "model.safetensors").write_text("weigh"),
        lambda folder: (folder / "tokenizer" / "vocab.txt").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: (folder / "manifest.json").write_text('{"format": 2}'),
        lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe"),
    ],
    ids=["flipped", "truncated", "missing", "cut", "list", "format", "binary"],
)
def test_damage_is_an_error_and_never_served(tmp_path, damage):
    """A file that is not what was written is named; nothing falls back silently."""
    project = local(tmp_path)
    version = commit(project)
    damage(tmp_path / "models" / "7" / version)
    with pytest.raises(CorruptVersionError, match=version):
        local(tmp_path).open(version)


@pytest.mark.parametrize(
    "path", ["../../x", "/etc/passwd", "a/../../x", "a//b", ".env", "a\\b", ""]
)
def test_a_manifest_cannot_name_files_outside(tmp_path, path):
    """A manifest that points out of its folder is damage, not a path to follow."""
    project = local(tmp_path)
    version = commit(project)
    manifest = tmp_path / "models" / "7" / version / "manifest.json"
    value = json.loads(manifest.read_text())
    value["files"][path] = {"sha256": "0" * 64, "size_bytes": 1}
    manifest.write_text(json.dumps(value))
    with pytest.raises(CorruptVersionError, match="not allowed"):
        project.open(version)


def test_links_are_refused(tmp_path):
    """A version holds plain files only: a link could show anything later."""
    project = local(tmp_path)
    with project.stage() as folder:
        (folder / "model.bin").symlink_to("/etc/passwd")
        with pytest.raises(StoreError, match="plain files"):
            project.commit(folder, META)


def test_an_empty_folder_is_refused(project):
    """A version without files is a mistake."""
    with project.stage() as folder, pytest.raises(StoreError, match="empty"):
        project.commit(folder, META)


def test_meta_data_must_be_json(project):
    """What could not be read back is refused before anything is written."""
    with pytest.raises(StoreError, match="JSON"):
        commit(project, meta=VersionMeta(metrics={"loss": float("nan")}))
    assert project.versions() == ()


def test_hashes_are_checked_once_per_process(tmp_path, monkeypatch):
    """The second opening reads no weights."""
    project = local(tmp_path)
    version = commit(project)
    project.open(version)
    monkeypatch.setattr(
        "xlt.store.manifest.fingerprint_of_file", lambda path: pytest.fail("read again")
    )
    assert project.open(version).is_dir()


def test_a_damaged_cache_of_a_remote_version_is_fetched_anew(tmp_path):
    """The remote files are the truth; a broken local copy is replaced."""
    url = f"memory://cache-{tmp_path.name}-{os.getpid()}"
    version = commit(Store(url, cache=tmp_path).project("7"))
    folder = Store(url, cache=tmp_path).project("7").open(version)
    (folder / "model.safetensors").write_text("broken!")
    folder = Store(url, cache=tmp_path).project("7").open(version)
    assert (folder / "model.safetensors").read_text() == "weights"


def test_a_remote_version_that_lost_a_file_is_corrupt(tmp_path):
    """A missing remote file is named as damage."""
    import fsspec

    url = f"memory://lost-{tmp_path.name}-{os.getpid()}"
    project = Store(url, cache=tmp_path).project("7")
    version = commit(project)
    fsspec.filesystem("memory").rm(f"{url}/7/{version}/model.safetensors")
    with pytest.raises(CorruptVersionError, match=version):
        project.open(version)


def test_an_unknown_protocol_is_named():
    """A URL that no installed package serves gets one clear line."""
    with pytest.raises(StoreError, match="nowhere://x"):
        Store("nowhere://x")


# --- what happens when it goes wrong -------------------------------------------------------------

CRASH = """
import os, sys
from pathlib import Path
from xlt.store import local
from xlt.store.versions import Store, VersionMeta
real = os.{call}
count = 0
def dying(*args, **kwargs):
    global count
    count += 1
    if count > {after}:
        os._exit(9)
    return real(*args, **kwargs)
project = Store(Path(sys.argv[1])).project("7")
with project.stage() as folder:
    (folder / "model.safetensors").write_text("new weights")
    os.{call} = dying
    version = project.commit(folder, VersionMeta())
    project.promote(version, "new")
"""


@pytest.mark.parametrize(
    ("call", "after"),
    [("fsync", 0), ("fsync", 1), ("fsync", 2), ("rename", 0), ("replace", 0), ("replace", 1)],
)
def test_a_killed_commit_leaves_the_old_version_current(tmp_path, call, after):
    """Killed anywhere between write and rename: whole versions only, the pointer readable."""
    project = local(tmp_path)
    old = commit(project)
    project.promote(old, "old")
    code = textwrap.dedent(CRASH.format(call=call, after=after))
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "models")], check=False)
    assert done.returncode == 9
    project = local(tmp_path)
    for version in project.versions():
        assert project.open(version).is_dir()
    current = project.current()
    assert current == old or (call == "replace" and after == 1)
    new = commit(project)
    project.promote(new, "after the crash")
    assert project.current() == new
    left = [p.name for p in (tmp_path / "models" / "7" / ".staging").iterdir()]
    assert left == []


def _commit_and_promote(root: Path, barrier, results) -> None:
    project = Store(root).project("7")
    barrier.wait()
    names = []
    for number in range(8):
        names.append(commit(project, str(number)))
        project.promote(names[-1], f"{os.getpid()}")
    results.put(names)


def test_two_processes_at_once_lose_nothing(tmp_path):
    """Committing and promoting from two processes: distinct names, whole files, all noted."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    args = (tmp_path / "models", barrier, results)
    workers = [context.Process(target=_commit_and_promote, args=args) for _ in range(2)]
    for worker in workers:
        worker.start()
    names = results.get(timeout=60) + results.get(timeout=60)
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    project = local(tmp_path)
    assert len(set(names)) == 16
    assert sorted(names) == list(project.versions())
    assert sorted(change.version for change in project.history()) == sorted(names)
    assert project.current() == project.history()[-1].version
    for name in names:
        project.open(name)


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path, monkeypatch):
    """ENOSPC while saving: StoreError, the old version still current, no half version."""
    project = local(tmp_path)
    old = commit(project)
    project.promote(old, "old")

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(disk, "sync_tree", full)
        with pytest.raises(StoreError, match="disk is full"):
            commit(project)
    assert project.versions() == (old,)
    assert project.current() == old
    assert commit(project) in project.versions()


def test_a_disk_that_fills_up_while_a_version_is_built(tmp_path):
    """The caller's own ENOSPC inside the stage is the same clear error; other errors pass."""
    project = local(tmp_path)
    with pytest.raises(StoreError, match="disk is full"), project.stage():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FileNotFoundError), project.stage() as folder:
        (folder / "not-there").read_text()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    """A path that is a file: one line, not a traceback of the operating system."""
    (tmp_path / "models").write_text("a file")
    with pytest.raises(StoreError, match="cannot make a folder"):
        commit(Store(tmp_path / "models").project("7"))


def test_a_failed_upload_leaves_no_version(tmp_path, monkeypatch):
    """Behind a URL: the manifest goes last, and what was uploaded before is taken back."""
    import fsspec

    url = f"memory://upload-{tmp_path.name}-{os.getpid()}"
    project = Store(url, cache=tmp_path).project("7")
    with monkeypatch.context() as patch:
        fs = type(fsspec.filesystem("memory"))
        patch.setattr(fs, "pipe_file", lambda *a, **k: (_ for _ in ()).throw(OSError("gone")))
        with pytest.raises(StoreError, match="gone"):
            commit(project)
    assert project.versions() == ()
    assert fsspec.filesystem("memory").find(f"{url}/7") == []


def test_a_damaged_pointer_is_an_error(tmp_path):
    """A pointer that cannot be read is named, and is not taken for "no version yet"."""
    project = local(tmp_path)
    project.promote(commit(project), "")
    for text in ("{", "[]", '{"version": "../x", "reason": "", "at_utc": "", "trail": []}'):
        (tmp_path / "models" / "7" / "current.json").write_text(text)
        with pytest.raises(StoreError, match=r"current\.json"):
            project.current()


def test_a_note_is_kept_beside_the_versions(project):
    """The last one written counts; versions know nothing of it."""
    assert project.note("draws.json") is None
    project.write_note("draws.json", b"one")
    version = commit(project)
    project.write_note("draws.json", b"two")
    assert project.note("draws.json") == b"two"
    assert project.versions() == (version,)


@pytest.mark.parametrize(
    "name", ["current.json", "history.jsonl", "manifest.json", "../x", ".lock", "", "a/b", VERSION]
)
def test_a_note_cannot_be_one_of_the_stores_files(tmp_path, name):
    """Nor lie elsewhere."""
    with pytest.raises(StoreError, match="expected a plain file name"):
        local(tmp_path).write_note(name, b"x")
    with pytest.raises(StoreError, match="expected a plain file name"):
        local(tmp_path).note(name)
