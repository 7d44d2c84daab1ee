"""Values of task data by the paths that Label Studio's page understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"[^.\[\]]+")


def look_up(data: Mapping[str, Any], path: str) -> object:
    """Returns the value at a path such as `title`, `doc.lang` or `parts[0].text`.

    A key that contains the whole path comes first. None if there is no such value.
    """
    if data.get(path) is not None:
        return data[path]
    value: object = data
    for step in _STEP.findall(path):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return None if value is data else value
