"""Docstrings, messages and help texts against the worst habits of the writing guide."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]

#: Words that a summary does not start with: it names a thing, or a verb and its object.
QUESTION = re.compile(r"(what|which|where|who|whose|how|why|whether)\b", re.IGNORECASE)

#: Words for which docs/architecture.md has the field's term, or which have to be read twice.
ODD = re.compile(
    r"\b(mend(s|ed|ing)?|anew|lest|nobody|somebody|whoever|tongues?|worth while|(so|as) many"
    r"|speaks? for)\b",
    re.IGNORECASE,
)

#: Files and folders that keep to the guide. The list ends when it reads: xlt, backend.
CLEAN = [
    "backend/_wsgi.py",
    "backend/model.py",
    "backend/xlt_backend/cli.py",
    "backend/xlt_backend/demo",
    "backend/xlt_backend/errors.py",
    "backend/xlt_backend/labelstudio/client.py",
    "backend/xlt_backend/labelstudio/http.py",
    "backend/xlt_backend/labelstudio/reader.py",
    "backend/xlt_backend/labelstudio/scores.py",
    "backend/xlt_backend/labelstudio/wire.py",
    "backend/xlt_backend/names.py",
    "backend/xlt_backend/options.py",
    "backend/xlt_backend/queue",
    "backend/xlt_backend/run",
    "backend/xlt_backend/service",
    "backend/xlt_backend/settings.py",
    "backend/xlt_backend/setup",
    "backend/xlt_backend/trainer",
    "backend/xlt_backend/web",
    "backend/xlt_backend/worker",
    "xlt/adapt/__init__.py",
    "xlt/adapt/batches.py",
    "xlt/adapt/compact.py",
    "xlt/adapt/embeddings.py",
    "xlt/adapt/fertility.py",
    "xlt/adapt/loop.py",
    "xlt/adapt/losses.py",
    "xlt/adapt/measurements.py",
    "xlt/adapt/new_embeddings.py",
    "xlt/adapt/new_pieces.py",
    "xlt/adapt/options.py",
    "xlt/adapt/run.py",
    "xlt/adapt/save.py",
    "xlt/adapt/texts.py",
    "xlt/adapt/tokenizer_json.py",
    "xlt/adapt/trim.py",
    "xlt/cli/adapt.py",
    "xlt/cli/arguments.py",
    "xlt/cli/opentext.py",
    "xlt/cli/report.py",
    "xlt/cli/simulate.py",
    "xlt/data/languages.py",
    "xlt/data/scripts.py",
    "xlt/data/tables.py",
    "xlt/disk",
    "xlt/encoder",
    "xlt/errors.py",
    "xlt/losses.py",
    "xlt/store",
]

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources(entry: str) -> list[Path]:
    """The Python files of an entry of CLEAN."""
    path = CLONE / entry
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


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


@pytest.mark.parametrize("entry", CLEAN)
def test_summaries_name_a_thing_or_an_action(entry):
    """A reader knows after two words: a thing, or an action and its object."""
    faults = {path: questions(path.read_text(encoding="utf-8")) for path in sources(entry)}

    assert sources(entry)
    assert {str(path.relative_to(CLONE)): rows for path, rows in faults.items() if rows} == {}


@pytest.mark.parametrize("entry", CLEAN)
def test_texts_use_the_words_of_the_glossary(entry):
    """Users read messages in a hurry, and most of them in a foreign language."""
    faults = {path: odd_words(path.read_text(encoding="utf-8")) for path in sources(entry)}

    assert {str(path.relative_to(CLONE)): rows for path, rows in faults.items() if rows} == {}


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
