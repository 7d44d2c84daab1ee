"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from xlt.disk.durable import empty_beside, former, replace_file, replace_folder, replacement
from xlt.disk.fingerprints import fingerprint, fingerprint_of_file


def folder_with(path, text):
    """A folder of one file."""
    path.mkdir()
    (path / "file").write_text(text)
    return path


def test_a_folder_is_replaced_and_nothing_else_stays(tmp_path):
    """The new one stands where the old one stood, with nothing beside it."""
    place = folder_with(tmp_path / "model", "old")
    part = empty_beside(place)
    (part / "file").write_text("new")
    replace_folder(part, place)

    assert (place / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["model"]


def test_a_killed_replacement_leaves_the_old_folder(tmp_path, monkeypatch):
    """Between the two renames the old one is where `former` says."""
    place = folder_with(tmp_path / "model", "old")
    part = folder_with(tmp_path / "made", "new")
    rename = os.replace

    def killed(source, target):
        if source == part:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(part, place)

    assert (former(place) / "file").read_text() == "old"
    assert (part / "file").read_text() == "new"


def test_what_a_killed_run_left_is_not_in_the_next_part(tmp_path):
    """The folder in which a replacement is made is empty."""
    place = tmp_path / "deep" / "model"
    (empty_beside(place) / "half").write_text("…")

    assert list(empty_beside(place).iterdir()) == []


def test_a_file_is_replaced_or_stays(tmp_path, monkeypatch):
    """A write that fails leaves the old bytes, and nothing beside them."""
    path = tmp_path / "state.json"
    replace_file(path, b"old")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_block_that_fails_replaces_nothing(tmp_path):
    """What stood there stays, and what the block wrote goes."""
    path = tmp_path / "vectors.npy"
    path.write_text("old")

    with suppress(ZeroDivisionError), replacement(path) as beside:
        beside.write_text("half")
        raise ZeroDivisionError

    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["vectors.npy"]


def test_fingerprints_tell_apart_what_concatenation_does_not():
    """Where one part ends and the next begins counts."""
    assert fingerprint(["ab", "c"]) != fingerprint(["a", "bc"]) != fingerprint(["abc"])
    assert fingerprint(["a"]) == fingerprint(iter(["a"]))


def test_a_files_fingerprint_is_its_sha256(tmp_path):
    """`sha256sum` gives the same."""
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert fingerprint_of_file(tmp_path / "abc") == expected
