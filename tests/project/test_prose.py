"""Docstrings, messages and help texts against the worst habits of the writing guide."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CLONE = Path(__file__).parents[2]

#: Words that a summary does not start with: it names a thing, or a verb and its object.
QUESTION = re.compile(r"(what|which|where|who|whose|how|why|whether)\b", re.IGNORECASE)

#: Words for which docs/architecture.md has the field's term, or which have to be read twice.
ODD = re.compile(
    r"\b(mend(s|ed|ing)?|anew|lest|nobody|somebody|whoever|tongues?|worth while|(so|as) many"
    r"|speaks? for)\b",
    re.IGNORECASE,
)

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources() -> dict[str, str]:
    """Path and text of all Python files of the library and the service."""
    paths = (path for root in ("xlt", "backend") for path in sorted((CLONE / root).rglob("*.py")))
    return {str(path.relative_to(CLONE)): path.read_text(encoding="utf-8") for path in paths}


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The docstrings of a module with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, text


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Strings of more than one word with their lines: docstrings, messages, help texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def questions(source: str) -> list[str]:
    """Docstrings whose first line starts with a question word."""
    return [
        f"{line}: {text.splitlines()[0]}"
        for line, text in docstrings(ast.parse(source))
        if QUESTION.match(text)
    ]


def odd_words(source: str) -> list[str]:
    """Words in texts that the glossary replaces."""
    return [
        f"{line}: {match[0]!r} in {text[max(0, match.start() - 40) : match.end() + 40]!r}"
        for line, text in texts(ast.parse(source))
        for match in ODD.finditer(text)
    ]


def test_summaries_name_a_thing_or_an_action():
    """A reader knows after two words: a thing, or an action and its object."""
    faults = {name: questions(text) for name, text in sources().items()}

    assert faults
    assert {name: rows for name, rows in faults.items() if rows} == {}


def test_texts_use_the_words_of_the_glossary():
    """Users read messages in a hurry, and most of them in a foreign language."""
    faults = {name: odd_words(text) for name, text in sources().items()}

    assert {name: rows for name, rows in faults.items() if rows} == {}


def test_faults_are_found():
    """Docstrings of modules and functions, f-strings and help texts are all read."""
    source = '''
"""What a module holds."""
def mend(number):
    """Whether it helps."""
    raise ValueError(f"{number} rows must be counted anew")
KEY = "mend"
'''

    assert questions(source) == ["2: What a module holds.", "4: Whether it helps."]
    assert odd_words(source) == ["5: 'anew' in ' rows must be counted anew'"]
