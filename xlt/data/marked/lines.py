"""Lines for users on the spans that were read, and on those that were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xlt.data.marked.iob import BEGUN, OUTSIDE, UNKNOWN, UNTAGGED
from xlt.data.marked.marks import Placed, described
from xlt.data.marked.tokens import are_unspaced

#: Least number of characters of a token that is taken for a sentence.
_SENTENCE = 15


def spans_line(
    name: str,
    answers: Sequence[Any],
    placed: Placed | None = None,
    counts: Mapping[str, int] | None = None,
    *,
    bare: bool = False,
) -> str:
    """Describes the spans that were read of a file.

    Args:
        name: The file.
        answers: The spans of each text, a tuple; None for a text without an answer.
        placed: How the offsets were read; None for tags.
        counts: How many spans and tags were read leniently; see `xlt.data.marked.iob.spans_of`.
        bare: Whether the tags are labels alone.
    """
    given = [spans for spans in answers if spans is not None]
    total, empty = sum(map(len, given)), sum(not spans for spans in given)
    parts = [
        f"read {total} span{_s(total)} of {name}, {empty} of {len(given)} "
        f"text{_s(len(given))} without one"
    ]
    counts = counts or {}
    if counts.get(BEGUN):
        parts.append(f"{counts[BEGUN]} {BEGUN}")
    if counts.get(UNKNOWN):
        parts.append(f"{counts[UNKNOWN]} {UNKNOWN}")
    if bare:
        parts.append("the tags are labels alone, so neighbours of one label are one span")
    if placed is not None and placed.left_out:
        parts.append(f"left out {described(placed.left_out)}")
    if placed is not None and placed.utf16:
        parts.append("the spans' own texts show that offsets count UTF-16 code units")
    if placed is not None and placed.differing:
        parts.append(f"{placed.differing} with another text of their own than is at their place")
    return "; ".join(parts)


def tokens_lines(
    name: str,
    tokens: Sequence[Sequence[str]],
    tags: Sequence[Sequence[str] | None],
    other: int,
) -> list[str]:
    """Describes what looks wrong about the tokens of a file; nothing if all is well.

    Args:
        name: The file.
        tokens: The tokens of each text.
        tags: Their tags; None for a text without any.
        other: Number of texts that do not consist of their tokens.
    """
    lines = []
    if other:
        lines.append(
            f"{other} text{_s(other)} of {name} {_do(other)} not consist of the tokens, which are "
            "joined instead"
        )
    whole = sum(_is_sentence(*pair) for pair in zip(tokens, tags, strict=True))
    if whole:
        lines.append(
            f"{whole} text{_s(whole)} of {name} in a script without spaces {_is(whole)} one token "
            "with a tag, as Label Studio's CONLL2003 export writes them: use its JSON export, "
            "which has the spans"
        )
    seen: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for words, own in zip(tokens, tags, strict=True):
        if own is not None:
            seen.setdefault(tuple(words), set()).add(tuple(own))
    twice = sum(len(versions) > 1 for versions in seen.values())
    if twice:
        lines.append(
            f"{twice} text{_s(twice)} of {name} {_is(twice)} there more than once, with different "
            "tags, as Label Studio's CONLL2003 export writes several annotators: its JSON export "
            "has their votes"
        )
    return lines


def _is_sentence(tokens: Sequence[str], tags: Sequence[str] | None) -> bool:
    """Returns whether a text in a script without spaces is one long token with a tag."""
    return (
        tags is not None
        and len(tokens) == 1
        and len(tokens[0]) >= _SENTENCE
        and tags[0] not in {*UNTAGGED, OUTSIDE}
        and are_unspaced(tokens)
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"
