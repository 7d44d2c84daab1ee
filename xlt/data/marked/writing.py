"""Texts with spans as lines of tokens: IOB2 and CoNLL-U, which `xlt.data.marked.conll` reads."""

from __future__ import annotations

from collections.abc import Sequence

from xlt.data.marked.conll import escaped
from xlt.data.marked.tokens import Places
from xlt.errors import DataError


def as_iob2(text: str, places: Places, tags: Sequence[str]) -> str:
    """Returns the lines of a text: a token and its tag, with a tab between; an empty line last."""
    words = (" ".join(text[start:end].split()) for start, end in places)
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


def as_conllu(
    text: str, places: Places, tags: Sequence[str], *, id: str, lang: str | None = None
) -> str:
    """Returns the lines of a text in CoNLL-U, with an empty line last.

    Tags are in MISC, as `NER=B-PER`; the white space between tokens is there too, as UDPipe writes
    it.

    Args:
        text: The text.
        places: Its tokens, in order.
        tags: One for each.
        id: The text's id.
        lang: Its language; None if it is unknown.

    Raises:
        DataError: If a tag has a character that MISC cannot have.
    """
    unfit = next((tag for tag in tags if "|" in tag), None)
    if unfit is not None:
        raise DataError(f"CoNLL-U has no room for a label with '|', got {unfit!r}: write IOB2")
    lines = [f"# sent_id = {_one_line(id)}"]
    lines += [f"# lang = {_one_line(lang)}"] if lang else []
    lines += [f"# text = {_one_line(text)}"]
    starts = [start for start, _ in places[1:]] + [len(text)]
    for n, ((start, end), tag, next_start) in enumerate(zip(places, tags, starts, strict=True), 1):
        misc = [f"NER={tag}", _after(text[end:next_start], last=n == len(places))]
        if n == 1 and start:
            misc.append(f"SpacesBefore={escaped(text[:start])}")
        cells = [str(n), _one_line(text[start:end]), *"_" * 7, "|".join(filter(None, misc))]
        lines.append("\t".join(cells))
    return "\n".join([*lines, "", ""])


def _after(gap: str, *, last: bool) -> str:
    """Returns what MISC says of the white space behind a token; nothing of the usual one."""
    if gap == ("" if last else " "):
        return ""
    return f"SpacesAfter={escaped(gap)}" if gap else "SpaceAfter=No"


def _one_line(text: str) -> str:
    return " ".join(text.split())
