"""Outputs that are checked before the work, and kept after it."""

from __future__ import annotations

import os

import pytest

from xlt.disk.outputs import check_file, check_folder, check_new_folder, put_in_place
from xlt.errors import StoreError


def full(folder):
    """A folder with a file of somebody else's."""
    folder.mkdir()
    (folder / "theirs").write_text("kept")
    return folder


def file(path):
    """A file where a folder is wanted."""
    path.write_text("kept")
    return path


def inside_a_file(path):
    """A name below a file."""
    return file(path) / "deep" / "out"


def dangling(path):
    """A link to nothing."""
    path.symlink_to(path.parent / "nowhere")
    return path


def too_long(path):
    """A name that no disk takes."""
    return path.with_name("x" * 300)


def unwritable(path):
    """A name in a folder of the system that takes no folder, not even root's."""
    return path.__class__("/proc/sys/kernel") / path.name


NEW = {
    full: "is not empty: name another folder, or remove it first",
    file: "is not a folder",
    inside_a_file: "is not a folder",
    dangling: "is not a folder",
    too_long: "name too long",
    unwritable: "cannot write",
}


@pytest.mark.parametrize("made", NEW)
def test_a_new_folder_is_refused_in_one_line(made, tmp_path):
    """The message names the folder and what is wrong with it; nothing is changed."""
    out = made(tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError) as error:
        check_new_folder(out)
    assert NEW[made].lower() in str(error.value).lower()
    assert str(out) in str(error.value)
    assert "\n" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["out", "deep/er/out", "empty", "empty/.", "empty/../out", "link"])
def test_a_free_name_or_an_empty_folder_is_taken(name, tmp_path, monkeypatch):
    """Also below folders that do not exist; checking makes nothing."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    before = sorted(tmp_path.rglob("*"))
    check_new_folder(tmp_path / name)
    monkeypatch.chdir(tmp_path / "empty")
    check_new_folder(tmp_path.__class__("."))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_mount_point_is_refused(tmp_path, monkeypatch):
    """No folder can be moved over it, however empty it is."""
    monkeypatch.setattr(os.path, "ismount", lambda path: path == tmp_path)
    with pytest.raises(StoreError, match="is a mount point"):
        check_new_folder(tmp_path)
    check_folder(tmp_path)


@pytest.mark.parametrize("made", [made for made in NEW if made is not full])
def test_a_folder_that_may_hold_files_is_refused(made, tmp_path):
    """For the reasons of a new one, except that it may be full."""
    with pytest.raises(StoreError):
        check_folder(made(tmp_path / "out"))
    check_folder(full(tmp_path / "full"))


@pytest.mark.parametrize("made", [full, inside_a_file, too_long, unwritable])
def test_a_file_is_refused(made, tmp_path):
    """A folder has its name, or it can be nowhere; an older file is no obstacle."""
    with pytest.raises(StoreError):
        check_file(made(tmp_path / "out"))
    check_file(file(tmp_path / "old"))
    check_file(tmp_path / "new" / "file")


def test_what_is_finished_is_kept_if_its_place_is_taken(tmp_path):
    """The message names it; what stands in its place is untouched."""
    made, taken = full(tmp_path / "made"), full(tmp_path / "out")
    with pytest.raises(StoreError, match=f"the finished folder is kept as {made}"):
        put_in_place(made, taken)
    assert (made / "theirs").is_file()
    put_in_place(made, tmp_path / "free")
    assert (tmp_path / "free" / "theirs").is_file()
    assert not made.exists()


def test_a_replacement_that_fails_keeps_both(tmp_path, monkeypatch):
    """The old folder is in its place again, and the new one is named."""
    made, old = full(tmp_path / "made"), full(tmp_path / "out")
    (old / "old").touch()
    rename = os.replace

    def replace(source, target):
        if source == made:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(StoreError, match=f"No space left.*kept as {made}"):
        put_in_place(made, old, replaces=True)
    assert (old / "old").is_file()
    assert (made / "theirs").is_file()
    monkeypatch.setattr(os, "replace", rename)
    put_in_place(made, old, replaces=True)
    assert not (old / "old").exists()
    assert os.listdir(tmp_path) == ["out"]
