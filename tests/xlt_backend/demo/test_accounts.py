"""Accounts and keys of our own Label Studio."""

from __future__ import annotations

import string

from xlt_backend.demo.accounts import keep_secret


def test_the_key_is_made_once_and_is_read_back_as_it_is(tmp_path):
    """Letters, digits, - and _: nothing that Label Studio takes for the name of a variable."""
    for number in range(50):
        folder = tmp_path / str(number)
        folder.mkdir()
        keep_secret(folder)
        text = (folder / ".env").read_text()
        name, _, key = text.strip().partition("=")
        assert name == "SECRET_KEY"
        assert set(key) <= {*string.ascii_letters, *string.digits, "-", "_"}
        keep_secret(folder)
        assert (folder / ".env").read_text() == text
        assert (folder / ".env").stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_there_stays(tmp_path):
    """Its tokens stay valid."""
    (tmp_path / ".env").write_text("SECRET_KEY=old")
    keep_secret(tmp_path)
    assert (tmp_path / ".env").read_text() == "SECRET_KEY=old"
