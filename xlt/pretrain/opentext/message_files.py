"""Reads the messages of translation files: JSON, YAML, JavaScript, Python, gettext, Mallard."""

from __future__ import annotations

import ast
import json
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import yaml  # type: ignore[import-untyped]  # no stubs

#: Path of a message in its file, and its text.
Message = tuple[str, str]

# Reads every scalar as text: in YAML 1.1 the key `no`, Norwegian, would be False.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"""
_TOKEN = re.compile(
    rf"(?P<key>[\w$]+|{_STRING})\s*:\s*(?P<value>{_STRING}|\{{)|(?P<other>{_STRING}|[{{}}])"
)
# An entry of a .po file, after its comments.
_QUOTED = r'"(?:[^"\\\n]|\\.)*"'
_LINES = rf"{_QUOTED}(?:[^\S\n]*\n[^\S\n]*{_QUOTED})*"
_ENTRY = re.compile(
    rf"^(?:msgctxt\s+(?P<context>{_LINES})\s*)?^msgid\s+(?P<id>{_LINES})\s*"
    rf"(?:^msgid_plural\s+(?P<plural>{_LINES})\s*)?"
    rf"(?:^msgstr(?:\[\d+\])?\s+(?P<text>{_LINES})[^\S\n]*(?:\n|\Z))+",
    re.MULTILINE,
)
_COMMENTS = re.compile(r"(?:[^\S\n]*(?:#[^\n]*)?(?:\n|\Z))*")
_FUZZY = re.compile(r"^#,.*\bfuzzy\b", re.MULTILINE)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

# Mallard: the elements of a page with a text, and elements whose parts are joined by a sign.
_PAGE_TEXTS = frozenset(("p", "title", "desc"))
_PAGE_JOINTS = {"guiseq": " > ", "keyseq": "+"}
_BLOCKLY = re.compile(r'Msg\["(\w+)"\] = ("(?:[^"\\]|\\.)*");(.*)')


def flatten(node: Any, path: str = "") -> Iterator[Message]:  # noqa: ANN401 - parsed JSON
    """Yields the dotted path and the text of every string in nested mappings and lists."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from flatten(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from flatten(child, f"{path}.{index}")


def read_messages(name: str, data: bytes, tag: str) -> list[Message]:
    """Returns the messages of one file; none if it cannot be parsed.

    Args:
        name: The file's name; its suffix decides the format.
        data: Its bytes.
        tag: The language tag in its name.
    """
    reader = _READERS[name.rpartition(".")[2]]
    try:
        return list(reader(data, tag))
    except (
        ValueError,
        SyntaxError,
        struct.error,
        yaml.YAMLError,
    ):  # XML's ParseError is a SyntaxError
        return []


def read_catalogue(data: bytes) -> list[tuple[str, str, str]]:
    """Returns id, English text and translation of the messages of a compiled gettext catalogue.

    Of plural forms, the last one is returned. Returns nothing if the file cannot be parsed.
    """
    try:
        return list(_catalogue(data))
    except (ValueError, struct.error):
        return []


def read_portable(data: bytes) -> list[tuple[str, str, str]]:
    """Returns id, English text and translation of the translated entries of a .po file.

    Ids and plural forms are those of `read_catalogue`. Fuzzy and obsolete entries, the header and
    translations equal to the English text are left out. Returns nothing if the file cannot be
    parsed.
    """
    try:
        return list(_portable(data.decode("utf-8-sig")))
    except ValueError:
        return []


def _portable(source: str) -> Iterator[tuple[str, str, str]]:
    source, end = source.replace("\r\n", "\n"), 0
    for entry in _ENTRY.finditer(source):
        comments, end = source[end : entry.start()], entry.end()
        if not _COMMENTS.fullmatch(comments):
            raise ValueError(f"expected an entry of a .po file, found {comments[:80]!r}")
        if entry["id"] == '""' or entry["text"] == '""' or _FUZZY.search(comments):
            continue
        name, text = _joined(entry["id"]), _joined(entry["text"])
        english = _joined(entry["plural"]) if entry["plural"] else name
        if entry["context"]:
            name = f"{_joined(entry['context'])}\4{name}"
        if text and text != english:
            yield name, english, text
    if not _COMMENTS.fullmatch(source, end):
        raise ValueError(f"expected an entry of a .po file, found {source[end : end + 80]!r}")


def _joined(lines: str) -> str:
    """Joins the quoted lines of a string in a .po file and resolves their escapes."""
    text = re.sub(r'"[^\S\n]*\n[^\S\n]*"', "", lines[1:-1]) if "\n" in lines else lines[1:-1]
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text)


def _catalogue(data: bytes) -> Iterator[tuple[str, str, str]]:
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, ids, texts = struct.unpack(order + "3I", data[8:20])
    for index in range(count):
        strings = []
        for table in (ids, texts):
            size, at = struct.unpack_from(order + "2I", data, table + 8 * index)
            strings.append(data[at : at + size].decode("utf-8"))
        name, text = strings
        yield name, name.split("\4")[-1].split("\0")[-1], text.split("\0")[-1]


def _json(data: bytes, tag: str) -> Iterator[Message]:
    yield from flatten(_below_tag(json.loads(data.decode("utf-8-sig")), tag))


def _yaml(data: bytes, tag: str) -> Iterator[Message]:
    yield from flatten(_below_tag(yaml.load(data, Loader=_LOADER), tag))


def _below_tag(tree: Any, tag: str) -> Any:  # noqa: ANN401 - parsed JSON
    """Removes a top level that is the language tag, because paths would differ by it."""
    if isinstance(tree, dict) and len(tree) == 1:
        only = next(iter(tree))
        if only.lower().replace("_", "-") == tag.lower().replace("_", "-"):
            return tree[only]
    return tree


def _script(data: bytes, tag: str) -> Iterator[Message]:
    """Reads the string properties of the object literals in a JavaScript file."""
    source = data.decode("utf-8")
    if 'Blockly.Msg["' in source:
        for name, text, note in _BLOCKLY.findall(source):
            if tag == "en" or "untranslated" not in note:
                yield name, _unquote(text)
        return
    stack: list[str] = []
    for token in _TOKEN.finditer(source):
        value = token["value"] or token["other"]
        if value == "{":
            stack.append(_unquote(token["key"] or ""))
        elif value == "}":
            stack[-1:] = []
        elif token["key"]:
            yield ".".join([*stack, _unquote(token["key"])]), _unquote(value)


def _unquote(text: str) -> str:
    """Removes single, double or back quotes and resolves escapes."""
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'`":
        return text
    inner = re.sub(r"\\x([0-9A-Fa-f]{2})", r"\\u00\1", text[1:-1])
    inner = re.sub(r"\\u\{([0-9A-Fa-f]+)\}", lambda m: chr(int(m[1], 16)), inner)
    inner = re.sub(r"\\([^\"\\/bfnrtu])", r"\1", inner)
    inner = re.sub(r'(?<!\\)"', r"\"", inner).replace("\n", " ").replace("\t", " ")
    try:
        return str(json.loads(f'"{inner}"'))
    except ValueError:
        return ""


def _python(data: bytes, tag: str) -> Iterator[Message]:
    """Reads the dictionaries that a Python module of messages assigns."""
    for node in ast.walk(ast.parse(data.decode("utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            yield from flatten(ast.literal_eval(node.value))


def _page(data: bytes, tag: str) -> Iterator[Message]:
    """Reads the paragraphs and titles of a page of GNOME's manuals in Mallard."""
    yield from _page_texts(ElementTree.fromstring(data), "")


def _page_texts(node: ElementTree.Element, path: str) -> Iterator[Message]:
    """Yields texts by their place, because translations of a page have the same elements."""
    seen: Counter[str] = Counter()
    for child in node:
        place = f"{path}.{_tag(child)}{seen[_tag(child)]}"
        seen[_tag(child)] += 1
        if _tag(child) in _PAGE_TEXTS:
            yield place, _inner(child)
        else:
            yield from _page_texts(child, place)


def _inner(node: ElementTree.Element) -> str:
    """Returns the text in an element without markup."""
    parts = [_inner(child) for child in node]
    if _tag(node) in _PAGE_JOINTS:
        return _PAGE_JOINTS[_tag(node)].join(parts)
    tails = (child.tail or "" for child in node)
    return (node.text or "") + "".join(map("".join, zip(parts, tails, strict=True)))


def _tag(node: ElementTree.Element) -> str:
    """Returns the name of an element without its namespace; empty for a comment."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


_READERS: Mapping[str, Callable[[bytes, str], Iterator[Message]]] = {
    "json": _json,
    "yaml": _yaml,
    "js": _script,
    "py": _python,
    "page": _page,
}
