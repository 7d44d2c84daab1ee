"""Rows of files with a token per line: CoNLL-2003, IOB2, CoNLL-U and CoNLL-U Plus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from xlt.data.marked.iob import OUTSIDE, UNTAGGED, is_tag
from xlt.data.marked.tokens import places_in
from xlt.data.rows import Row
from xlt.errors import DataError

_MAX_LINE_CHARACTERS = 1_000_000

_CONLLU = ["ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"]
_COLUMNS = "# global.columns ="
_DOCUMENT = "-DOCSTART-"
_COMMENT = re.compile(r"#\s*([^=\s][^=]{0,100}?)\s*=\s*(.*)")
#: A word, the words of a token, and a word that is not in the text.
_WORD, _HIDDEN = re.compile(r"[0-9]{1,9}"), re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
#: Keys of entities in MISC: of the treebanks of Serbian, Danish and Norwegian, and of Stanza.
_MISC = ("ner", "ne", "name", "entity")
#: Names of columns with entities in CoNLL-U Plus.
_ENTITIES = re.compile(r"(^|[:_])(ner|ne|entity|entities|iob2?|bio)([:_]|$)", re.IGNORECASE)
#: White space in SpacesAfter and SpacesBefore, as UDPipe writes it.
_ESCAPES = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "p": "|", "\\": "\\"}


@dataclass(slots=True)
class _Sentence:
    """The lines of a sentence: the number of its first token's, comments, the tokens' cells."""

    number: int = 0
    comments: dict[str, str] = field(default_factory=dict)
    cells: list[list[str]] = field(default_factory=list)


def conll_rows(stream: TextIO, path: str) -> Iterator[Row]:
    """Yields a row for each sentence: its `tokens`, `tags`, `text` if known, and comments.

    The other columns of tokens are lists in `column 2` and so on, or have the names of CoNLL-U.

    Raises:
        DataError: If a line has another number of columns than the first.
    """
    names, sentences = _sentences(stream, path)
    if not sentences:
        return
    width = len(sentences[0].cells[0])
    named = names or (_CONLLU if width == len(_CONLLU) and _are_numbered(sentences, 1) else [])
    if named:
        if "FORM" not in named:
            raise DataError(f"{path}: expected a column FORM in {_COLUMNS!r}, got {named[:20]}")
        yield from (_conllu_row(sentence, named) for sentence in sentences)
        return
    first = int(width > 1 and _are_numbered(sentences, 2))
    tags = _tag_column(sentences, first)
    for sentence in sentences:
        row: dict[str, object] = dict(sentence.comments)
        columns = list(zip(*sentence.cells, strict=True))
        row |= {
            f"column {place}": list(cells)
            for place, cells in enumerate(columns, start=1)
            if place - 1 not in (first, tags) and not (first and place == 1)
        }
        row["tokens"] = list(columns[first])
        if tags is not None:
            row["tags"] = list(columns[tags])
        yield sentence.number, row


def _sentences(stream: TextIO, path: str) -> tuple[list[str], list[_Sentence]]:
    """Returns the names of the columns, if the file has them, and the sentences."""
    names: list[str] = []
    found: list[_Sentence] = []
    current = _Sentence()
    width = number = 0
    while line := stream.readline(_MAX_LINE_CHARACTERS + 1):
        number += 1
        if len(line) > _MAX_LINE_CHARACTERS:
            raise DataError(f"{path}, line {number}: longer than {_MAX_LINE_CHARACTERS} characters")
        line = line.rstrip("\r\n")
        if line.startswith(_COLUMNS):
            names = line.removeprefix(_COLUMNS).split()
        elif not line.strip():
            found += [current] if current.cells else []
            current = _Sentence(comments={} if current.cells else current.comments)
        elif _is_comment(line, current):
            comment = _COMMENT.fullmatch(line)
            current.comments |= {comment[1].replace("sent_id", "id"): comment[2]} if comment else {}
        elif not line.startswith(_DOCUMENT):
            cells = _cells(line)
            width = width or len(cells)
            if len(cells) != (len(names) or width):
                raise DataError(
                    f"{path}, line {number}: expected {len(names) or width} columns, as in the "
                    f"first line of a token, got {len(cells)}: {line[:60]!r}"
                )
            current.number = current.number or number
            current.cells.append(cells)
    return names, [*found, *([current] if current.cells else [])]


def _is_comment(line: str, sentence: _Sentence) -> bool:
    """Returns whether a line is a comment and not a token like #tag, which has a tag behind it."""
    if not line.startswith("#") or sentence.cells:
        return False
    return _COMMENT.fullmatch(line) is not None or not is_tag(_cells(line)[-1])


def _cells(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _are_numbered(sentences: Sequence[_Sentence], least: int) -> bool:
    """Returns whether the first column counts the words of each sentence, from 0 or 1 on.

    Args:
        sentences: All of the file.
        least: Number of words that one of them must have.
    """
    longest = 0
    for sentence in sentences:
        ids = [cells[0] for cells in sentence.cells]
        words = [int(id) for id in ids if _WORD.fullmatch(id)]
        others = [id for id in ids if not _WORD.fullmatch(id)]
        if not words or words != list(range(words[0], words[0] + len(words))) or words[0] > 1:
            return False
        if not all(_RANGE.fullmatch(id) or _HIDDEN.fullmatch(id) for id in others):
            return False
        longest = max(longest, len(words))
    return longest >= least


def _tag_column(sentences: Sequence[_Sentence], tokens: int) -> int | None:
    """Returns the place of the last column in which most cells are tags; None without one."""
    rows = [cells for sentence in sentences for cells in sentence.cells]
    shares = {
        place: sum(is_tag(cells[place]) for cells in rows) / len(rows)
        for place in range(tokens + 1, len(rows[0]))
    }
    best = max(shares.values(), default=0.0)
    places = [place for place, share in shares.items() if share == best]
    return places[-1] if best > 0.5 else None


# CoNLL-U --------------------------------------------------------------------------------------


def _conllu_row(sentence: _Sentence, names: Sequence[str]) -> Row:
    """Returns the row of a sentence of CoNLL-U; the words of one token share its place."""
    entities = next((name for name in names if _ENTITIES.search(name)), None)
    tokens: list[str] = []
    tags: list[str] = []
    text, after, covered = "", "", 0
    behind: str | None = None
    for cells in sentence.cells:
        word = dict(zip(names, cells, strict=True))
        id, tag = word.get("ID", ""), _tag(word, entities)
        part = _RANGE.fullmatch(id)
        if _HIDDEN.fullmatch(id):
            continue
        if _WORD.fullmatch(id) and int(id) <= covered:
            tags[-1] = tags[-1] if tags[-1] not in {*UNTAGGED, OUTSIDE} else tag
            continue
        covered = int(part[2]) if part else covered
        before, behind = _spaces(word)
        tokens.append(word["FORM"])
        tags.append(tag)
        text += after + before + tokens[-1]
        after = " " if behind is None else behind
    row: dict[str, object] = {**sentence.comments, "tokens": tokens}
    own = sentence.comments.get("text")
    written = any("Spaces" in cells[-1] for cells in sentence.cells)
    if own is None or written or places_in(own, tokens) is None:
        row["text"] = text if behind is None else text + behind
    if any(tag not in UNTAGGED for tag in tags):
        row["tags"] = tags
    return sentence.number, row


def _tag(word: Mapping[str, str], entities: str | None) -> str:
    """Returns the tag of a word, from its column or from MISC; empty without one."""
    if entities is not None:
        return word[entities]
    misc = {key.lower(): value for key, value in _misc(word).items()}
    return next((misc[key] for key in _MISC if key in misc and is_tag(misc[key])), "")


def _spaces(word: Mapping[str, str]) -> tuple[str, str | None]:
    """Returns the white space before and after a token; None for the usual space."""
    misc = _misc(word)
    after = _unescaped(misc["SpacesAfter"]) if "SpacesAfter" in misc else None
    return _unescaped(misc.get("SpacesBefore", "")), "" if misc.get("SpaceAfter") == "No" else after


def _misc(word: Mapping[str, str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in word.get("MISC", "_").split("|"))
    return {key: value for key, _, value in pairs}


def escaped(spaces: str) -> str:
    """Returns white space as UDPipe writes it in MISC."""
    names = {character: f"\\{name}" for name, character in _ESCAPES.items()}
    return "".join(names.get(character, character) for character in spaces)


def _unescaped(spaces: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), spaces)
