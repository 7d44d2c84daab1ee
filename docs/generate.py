"""Writes the generated parts of the documentation: tables of options, the map of the code.

    make docs

A page holds such a part between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from xlt.config import TrainConfig
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import VARIABLES, Settings

CLONE = Path(__file__).parents[1]

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Returns the README and all pages of the site."""
    return [CLONE / "README.md", *sorted((CLONE / "docs").rglob("*.md"))]


def render(page: str) -> str:
    """Returns a page with its generated parts as they are now."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n\n{part[3]}", page)


def options() -> str:
    """Returns the table of a project's options."""
    meanings = _attributes(ProjectOptions)
    rows = []
    for name, info in ProjectOptions.model_fields.items():
        default = _value(info.get_default(call_default_factory=True))
        rows.append((f"`{name}`", default, _range(info), meanings[name]))
    return _table(("option", "default", "allowed", "meaning"), rows)


def settings() -> str:
    """Returns the table of an installation's environment variables."""
    meanings, defaults = _attributes(Settings), Settings()
    variables = {field: f"`{name}`" for name, (field, _) in VARIABLES.items()}
    rows = [
        (
            f"`{name}`",
            _value(getattr(defaults, field)),
            re.sub(r"`(\w+)`", lambda word: variables.get(word[1], word[0]), meanings[field]),
        )
        for name, (field, _) in VARIABLES.items()
    ]
    return _table(("variable", "default", "meaning"), rows)


def hyperparameters() -> str:
    """Returns the table of a training's hyper-parameters."""
    meanings = _attributes(TrainConfig)
    rows = [
        (f"`{field.name}`", _value(field.default), meanings[field.name])
        for field in dataclasses.fields(TrainConfig)
    ]
    return _table(("name", "default", "meaning"), rows)


def layers() -> str:
    """Returns the rows of the import contracts as a drawing."""
    contracts = tomllib.loads((CLONE / "pyproject.toml").read_text())["tool"]["importlinter"]
    rows = {
        contract["containers"][0]: [layer.replace(" : ", " · ") for layer in contract["layers"]]
        for contract in contracts["contracts"]
        if contract["type"] == "layers"
    }
    drawing = [_box("xlt_backend, the service", rows["xlt_backend"])]
    drawing += [_box("xlt, the library", rows["xlt"])]
    return "\n".join(["```text", "\n          │ imports\n          ▼\n".join(drawing), "```"])


PARTS: Mapping[str, Callable[[], str]] = {
    "options": options,
    "settings": settings,
    "hyperparameters": hyperparameters,
    "map": layers,
}


def _box(title: str, rows: list[str]) -> str:
    width = max(map(len, rows)) + 2
    lines = [f"┌─ {title} {'─' * (width - len(title) - 3)}┐"]
    lines += [f"│ {row:{width - 1}}│" for row in rows]
    return "\n".join([*lines, f"└{'─' * width}┘"])


def _attributes(documented: type) -> dict[str, str]:
    """Returns attribute -> meaning, from the section "Attributes:" of a class's docstring."""
    _, section = inspect.cleandoc(documented.__doc__ or "").split("\nAttributes:\n")
    entries = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()).replace("|", r"\|") for name, text in entries}


def _value(value: Any) -> str:  # noqa: ANN401 - any default
    if value is None or value == "":
        return ""
    if isinstance(value, tuple):
        return f"`{', '.join(map(str, value))}`"
    if isinstance(value, (bool, dict)):
        return f"`{json.dumps(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _range(info: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = {key: getattr(m, key) for m in info.metadata for key in signs if hasattr(m, key)}
    if bounds.keys() == {"ge", "le"}:
        return f"{bounds['ge']} to {bounds['le']}"
    return ", ".join(f"{signs[key]} {bound}" for key, bound in bounds.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in row) for row in lines)


if __name__ == "__main__":
    for path in pages():
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
