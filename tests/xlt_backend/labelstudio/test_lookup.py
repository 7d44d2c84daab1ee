"""Task data is read by the paths that Label Studio's page understands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt_backend.labelstudio.lookup import look_up

DATA: dict[str, Any] = {
    "title": "A",
    "doc": {"lang": "ha", "parts": [{"text": "B"}, "C"], "none": None},
    "doc.lang": "yo",
    "list": ["D"],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "A"),
        ("doc.lang", "yo"),
        ("doc.parts[0].text", "B"),
        ("doc.parts.1", "C"),
        ("list[0]", "D"),
        *((path, None) for path in ("list[1]", "list.x", "doc.none", "title.x", "x.y", "", ".")),
    ],
)
def test_paths(path, value):
    """A key that is the whole path comes first; what is not there is None."""
    assert look_up(DATA, path) == value


@given(st.text(max_size=20))
def test_no_path_is_an_error(path):
    """Options hold any text."""
    look_up(DATA, path)
