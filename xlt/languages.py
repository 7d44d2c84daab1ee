"""Language codes that mean the same, and which language a text is in."""

from __future__ import annotations

from collections.abc import Sequence


def normalise(code: str) -> str:
    """The key under which codes of one language are equal: `en`, `eng` and `eng_Latn` are `eng`."""
    raise NotImplementedError


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """The language of each text as (key as of `normalise`, probability in [0, 1])."""
    raise NotImplementedError
