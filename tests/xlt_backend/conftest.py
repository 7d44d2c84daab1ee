"""Fixtures that the tests of the service share."""

from __future__ import annotations

import pytest

from tests.xlt_backend.world import World


@pytest.fixture
def world(tmp_path, redis) -> World:
    """A project without tasks."""
    return World(home=tmp_path / "home", redis=redis)
