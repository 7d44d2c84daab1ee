"""Finds texts not worth a label: without letters, or in another script than their language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xlt.data.languages import normalise
from xlt.data.letters import script

#: A language has a usual script if this share of its texts, and this number of them, are in it.
_SHARE, _LEAST = 0.9, 20


def held_back(
    ids: Sequence[str], texts: Sequence[str | tuple[str, ...]], langs: Sequence[str]
) -> dict[str, str]:
    """Finds texts that should be labelled after all others of their language.

    A text without letters has nothing to label. If nine in ten texts of a language share a script,
    a text in another script was probably imported under the wrong code. Languages in the same
    script are not told apart: language identification is too often wrong about low-resource
    languages.

    Args:
        ids: N ids.
        texts: N texts, or texts that belong together: their scripts are compared in order.
        langs: N language codes.

    Returns:
        The reason for each text to wait, by its id.
    """
    scripts = [_scripts(text) for text in texts]
    counts: dict[str, Counter[str]] = {}
    keys = {code: normalise(code) for code in set(langs)}
    for code, name in zip(langs, scripts, strict=True):
        if name:
            counts.setdefault(keys[code], Counter())[name] += 1
    usual = {}
    for key, in_language in counts.items():
        name, most = in_language.most_common(1)[0]
        if most >= max(_LEAST, _SHARE * in_language.total()):
            usual[key] = name
    reasons = {}
    for id, code, name in zip(ids, langs, scripts, strict=True):
        expected = usual.get(keys[code], name)
        if not name:
            reasons[id] = "has no letters"
        elif name != expected:
            reasons[id] = f"is in {name.lower()} script, texts in {code} are in {expected.lower()}"
    return reasons


def _scripts(texts: str | tuple[str, ...]) -> str:
    """Returns the scripts of texts in words; empty if none has a letter."""
    names = [script(text) for text in ((texts,) if isinstance(texts, str) else texts)]
    return " and ".join(name or "no" for name in names) if any(names) else ""
