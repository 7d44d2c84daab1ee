"""A check that raises one of our errors."""

from __future__ import annotations

import pytest

from xlt.errors import EncoderError
from xlt_backend.errors import RedisDownError
from xlt_backend.setup import installation_checks
from xlt_backend.setup.checks import Check, fail, guarded


def test_errors_of_ours_are_failures() -> None:
    """A check that raises one of our errors fails with its words; a bug is not hidden."""

    def down() -> None:
        raise RedisDownError("no Redis at all")

    found = guarded("Redis", "start it", lambda: installation_checks.check_redis(down, "here"))
    assert found == fail("Redis", "no Redis at all", "start it")

    def load(name: str) -> None:
        raise EncoderError(f"no encoder {name!r}")

    def again() -> Check:
        raise RedisDownError("no Redis: start it")

    assert guarded("Redis", "start it", again).detail == "no Redis"

    found = guarded("encoder", "set it", lambda: installation_checks.check_encoder("x/y", load))
    assert found.detail == "no encoder 'x/y'"

    def bug() -> Check:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        guarded("x", "y", bug)
