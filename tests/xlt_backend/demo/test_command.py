"""The folder of a demo."""

from __future__ import annotations

import pytest

from xlt.errors import ConfigError
from xlt_backend.demo.command import own_folder


def test_a_second_demo_leaves_the_first_alone(tmp_path):
    """One at a time in a folder; a scripted one starts empty, a person's work is kept."""
    place = tmp_path / ".xlt" / "demo"
    with own_folder(place, empty=True) as folder:
        folder.mkdir()
        (folder / "work").write_text("mine")
        second = own_folder(place, empty=True)
        with pytest.raises(ConfigError, match="another demo is running"), second:
            pytest.fail("two at once")
        assert (folder / "work").read_text() == "mine"

    with own_folder(place, empty=False) as folder:
        assert (folder / "work").exists()
    with own_folder(place, empty=True) as folder:
        assert not folder.exists()
