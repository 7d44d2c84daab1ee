"""Values of settings: checked against their declared types, and written as TOML."""

from __future__ import annotations

from xlt.errors import ConfigError


def typed(name: str, expected: str, value: object) -> object:
    """Converts a value to the declared type of a field ("int", "float", "bool", "str", ...)."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if expected == "str | float" and (number or isinstance(value, str)):
        return value
    if expected == "float" and number:
        return float(value)  # type: ignore[arg-type]
    if expected == "int" and number and float(value).is_integer():  # type: ignore[arg-type]
        return int(value)  # type: ignore[call-overload]
    if (expected == "bool" and isinstance(value, bool)) or (
        expected == "str" and isinstance(value, str)
    ):
        return value
    raise ConfigError(f"{name} must be {expected}, got {value!r}")


def written(value: object) -> str:
    """Returns a value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        shown = (c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)
        return '"' + "".join(shown) + '"'
    return repr(value)
