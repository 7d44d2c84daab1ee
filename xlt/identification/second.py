"""py3langid, the second opinion: better than profiles between languages that it knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from functools import cache
from typing import TYPE_CHECKING

from xlt.data.languages import normalise

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]  # no stubs

#: py3langid's word for text without words.
_NO_LANGUAGE = "zxx"
_CHARACTERS = 1_000


def known() -> frozenset[str]:
    """Returns the keys of the languages that py3langid knows."""
    return frozenset(_codes())


def among(texts: Sequence[str], languages: Collection[str]) -> list[str]:
    """Returns the likeliest of these languages, which `known` has, for each text."""
    wanted = {code: lang for lang in languages for code in _codes()[lang]}
    identifier = copy(_identifier())  # shares the model's arrays; the restriction is its own
    identifier.set_languages(list(wanted))
    return [wanted[identifier.classify(text[:_CHARACTERS])[0]] for text in texts]


@cache
def _codes() -> dict[str, list[str]]:
    """Language key -> codes of py3langid."""
    codes: dict[str, list[str]] = {}
    for label in _identifier().labels:
        if label != _NO_LANGUAGE:
            codes.setdefault(normalise(str(label)), []).append(str(label))
    return codes


@cache
def _identifier() -> LanguageIdentifier:
    """Loads the identifier once per process (0.6 s); its model is plain arrays, no pickle."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)
