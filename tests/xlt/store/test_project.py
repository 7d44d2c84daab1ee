"""Versions that people change: as they saw them, and only what can be spared."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from tests.xlt.store.test_versions import commit
from xlt.errors import NeededVersionError, NoVersionError, StaleVersionError
from xlt.store.versions import ProjectStore, Store


@pytest.fixture
def project(tmp_path) -> ProjectStore:
    """A project of a store on the disk."""
    return Store(tmp_path / "models").project("8")


def test_the_active_version_changes_only_as_it_was_seen(project):
    """Who saw another one is told which it is by now; nothing changes."""
    first, second = commit(project), commit(project)
    project.promote(first, "the first", seen=None)
    with pytest.raises(StaleVersionError, match=f"is {first} by now, expected none"):
        project.promote(second, "late", seen=None)
    project.promote(second, "better", seen=first, by="ada")
    with pytest.raises(StaleVersionError, match=f"expected {first}"):
        project.rollback(seen=first)

    assert project.current() == second
    assert [change.by for change in project.history()] == ["", "ada"]


def test_of_many_at_once_one_is_first(project):
    """Threads that saw the same active version: one promotes, the others are told."""
    start = commit(project)
    project.promote(start, "start")
    names = [commit(project, str(number)) for number in range(8)]
    done: list[str] = []
    stale: list[str] = []
    together = Barrier(len(names))

    def promote(name: str) -> None:
        together.wait()
        try:
            project.promote(name, "now", seen=start)
            done.append(name)
        except StaleVersionError:
            stale.append(name)

    threads = [Thread(target=promote, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(done), len(stale)) == (1, 7)
    assert project.current() == done[0]


def test_a_rollback_does_not_skip_what_was_deleted(project):
    """Going further back than the person expects would be a surprise."""
    first, second, third = (commit(project, str(number)) for number in range(3))
    for name in (first, second, third):
        project.promote(name, "")
    project.remove(second)
    with pytest.raises(NoVersionError, match=f"{second}, which was active .* another: {first}"):
        project.rollback()

    assert project.current() == third
    assert project.before() == second


def test_what_is_needed_is_not_deleted(project):
    """The active version, and the newest one."""
    first, second = commit(project), commit(project)
    project.promote(first, "")
    with pytest.raises(NeededVersionError, match="the active version"):
        project.remove(first)
    with pytest.raises(NeededVersionError, match="the newest version"):
        project.remove(second)
    with pytest.raises(NoVersionError):
        project.remove("v0009-20261122T082011")
    commit(project)
    project.remove(second)

    assert second not in project.versions()


def test_a_note_is_edited_in_one_step(project):
    """No edit of several at once is lost."""

    def add() -> None:
        project.edit_note("lines.txt", lambda data: (data or b"") + b"x")

    threads = [Thread(target=add) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert project.note("lines.txt") == b"x" * 20
