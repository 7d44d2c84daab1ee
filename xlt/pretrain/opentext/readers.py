"""Reads the messages in one translation file: JSON, YAML, JavaScript, Python or gettext."""

from __future__ import annotations

import ast
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]  # no stubs

#: Path of a message in its file, and its text.
Message = tuple[str, str]

# Every scalar as text: in YAML 1.1 the key `no`, Norwegian, would be False. Builds no objects.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"""
_TOKEN = re.compile(
    rf"(?P<key>[\w$]+|{_STRING})\s*:\s*(?P<value>{_STRING}|\{{)|(?P<other>{_STRING}|[{{}}])"
)
_BLOCKLY = re.compile(r'Msg\["(\w+)"\] = ("(?:[^"\\]|\\.)*");(.*)')


def flatten(node: Any, path: str = "") -> Iterator[Message]:  # noqa: ANN401 - parsed JSON
    """Yields dotted path and text of every string in nested mappings and lists."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from flatten(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from flatten(child, f"{path}.{index}")


def read_messages(name: str, data: bytes, tag: str) -> list[Message]:
    """Returns the messages of one file; none where it cannot be parsed.

    Args:
        name: The file's name; its suffix tells the format.
        data: Its bytes.
        tag: The language tag in its name.
    """
    reader = _READERS[name.rpartition(".")[2]]
    try:
        return list(reader(data, tag))
    except (ValueError, SyntaxError, struct.error, yaml.YAMLError):
        return []


def read_catalogue(data: bytes) -> list[tuple[str, str, str]]:
    """Returns id, English text and translation of a compiled gettext catalogue.

    Of a message with plural forms it is the last of each. None where it cannot be parsed.
    """
    try:
        return list(_catalogue(data))
    except (ValueError, struct.error):
        return []


def _catalogue(data: bytes) -> Iterator[tuple[str, str, str]]:
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, ids, texts = struct.unpack(order + "3I", data[8:20])
    for index in range(count):
        found = []
        for table in (ids, texts):
            size, at = struct.unpack_from(order + "2I", data, table + 8 * index)
            found.append(data[at : at + size].decode("utf-8"))
        name, text = found
        yield name, name.split("\4")[-1].split("\0")[-1], text.split("\0")[-1]


def _json(data: bytes, tag: str) -> Iterator[Message]:
    yield from flatten(_below_tag(json.loads(data.decode("utf-8-sig")), tag))


def _yaml(data: bytes, tag: str) -> Iterator[Message]:
    yield from flatten(_below_tag(yaml.load(data, Loader=_LOADER), tag))


def _below_tag(tree: Any, tag: str) -> Any:  # noqa: ANN401 - parsed JSON
    """Leaves out a single top level that is the language itself: its paths would differ."""
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
    """Undoes single, double or back quotes and the escapes between them."""
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
    """Reads the dictionary that a Python module of messages assigns."""
    for node in ast.walk(ast.parse(data.decode("utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            yield from flatten(ast.literal_eval(node.value))


_READERS: Mapping[str, Callable[[bytes, str], Iterator[Message]]] = {
    "json": _json,
    "yaml": _yaml,
    "js": _script,
    "py": _python,
}
