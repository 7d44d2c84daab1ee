"""Archives that are made while they are sent."""

from __future__ import annotations

import io
import zipfile

from xlt.disk.archive import PIECE_BYTES, zipped


def test_an_archive_holds_the_files_and_nothing_else(tmp_path):
    """Folders inside too; no hidden file, no link out of the folder."""
    files = {"a.bin": b"\x00\xff" * 1000, "deep/b.txt": "ɓ".encode(), "empty": b""}
    for name, data in files.items():
        (tmp_path / "v1" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "v1" / name).write_bytes(data)
    (tmp_path / "v1" / ".lock").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "v1" / "link").symlink_to(tmp_path / "secret")
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(tmp_path / "v1", "v1")))) as archive:
        assert archive.testzip() is None
        found = {info.filename: archive.read(info) for info in archive.infolist()}

    assert found == {f"v1/{name}": data for name, data in files.items()}


def test_no_piece_is_much_larger_than_what_is_read_at_a_time(tmp_path):
    """A model of several gigabytes is sent by a server with little memory."""
    (tmp_path / "large.bin").write_bytes(bytes(5 * PIECE_BYTES))
    pieces = [len(piece) for piece in zipped(tmp_path, "v1")]

    assert len(pieces) >= 6
    assert max(pieces) < PIECE_BYTES + 1000
