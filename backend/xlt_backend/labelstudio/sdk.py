"""The parts of label_studio_sdk that xlt uses, imported without two large packages.

label_studio_sdk needs pandas to export tables, and jsf to make up sample answers; xlt does neither.
Importing them takes 1 s and 60 MB, in every web server and worker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["ApiError", "LabelInterface", "LabelStudio"]


class _Absent(ModuleType):
    """A package that is not imported: its names stand in annotations only."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Keeps packages from being imported, unless they are already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Absent(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with _without("jsf", "pandas"):
    from label_studio_sdk import LabelStudio
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.label_interface.interface import LabelInterface
