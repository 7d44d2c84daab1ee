"""Values of settings have their declared types, and TOML gives back what was written."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xlt.disk.toml_values import typed, written
from xlt.errors import ConfigError

VALUES = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@given(VALUES)
@example("\x7f")
@example('\r\n\x00"\\')
def test_toml_gives_back_what_was_written(value: object):
    """Quotes, line ends and other controls included."""
    if isinstance(value, str) and any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        return
    assert tomllib.loads(f"value = {written(value)}")["value"] == value


@pytest.mark.parametrize(
    ("expected", "value", "converted"),
    [("float", 3, 3.0), ("int", 3.0, 3), ("str | float", "0:1", "0:1"), ("bool", True, True)],
)
def test_a_value_of_the_declared_type_is_taken(expected: str, value: object, converted: object):
    """Whole numbers may be written with or without `.0`."""
    assert typed("name", expected, value) == converted
    assert type(typed("name", expected, value)) is type(converted)


@pytest.mark.parametrize(
    ("expected", "value"), [("int", 3.5), ("int", True), ("bool", 1), ("str", 3), ("float", "3")]
)
def test_a_value_of_another_type_is_named(expected: str, value: object):
    """With its setting."""
    with pytest.raises(ConfigError, match=f"name must be {expected}, got"):
        typed("name", expected, value)
