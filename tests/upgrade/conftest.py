"""Fixtures that the tests of an upgrade share."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.upgrade.site import Site
from xlt_backend.worker import jobs


@pytest.fixture
def restored(
    tmp_path, redis, redis_socket, tiny_encoder, float32, monkeypatch
) -> Callable[[str], Site]:
    """Restores a folder of `tests/data/upgrade`, for workers of the code that is tested."""
    monkeypatch.chdir(tmp_path)  # paths are hashed: they are relative
    shutil.copytree(tiny_encoder, "tiny")
    settings = {"XLT_HOME": "home", "XLT_ENCODER": "tiny", "XLT_THREADS": "1", "XLT_NICE": "0"}
    for name, value in {**settings, "REDIS_URL": f"unix://{redis_socket}"}.items():
        monkeypatch.setenv(name, value)

    def restore(name: str) -> Site:
        site = Site(name, redis)
        monkeypatch.setattr(jobs, "_tools", lambda settings, states: site.world.tools)
        return site

    return restore
