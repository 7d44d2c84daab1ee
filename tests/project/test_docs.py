"""README and documentation against the code: commands, options, links and names that they show."""

from __future__ import annotations

import argparse
import importlib.util
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.project.test_prose import ODD
from tests.xlt.tasks.samples import task_of
from xlt.tasks.kinds import KINDS
from xlt_backend.cli import build_parser
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import VARIABLES

CLONE = Path(__file__).parents[2]
DOCS = CLONE / "docs"
PAGES = {
    str(path.relative_to(CLONE)): path.read_text(encoding="utf-8")
    for path in (
        CLONE / "README.md",
        *sorted(DOCS.rglob("*.md")),
        *sorted((CLONE / "benchmarks").rglob("*.md")),
        CLONE / "xlt" / "bundled" / "README.md",
    )
}
README = PAGES["README.md"]

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _prose(page: str) -> str:
    """The page without its code blocks."""
    return _BLOCK.sub("", page)


def _inline_code(page: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", _prose(page))


def _first_column(page: str) -> list[str]:
    """Code in the first cells of all tables."""
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


# Generated parts ----------------------------------------------------------------------------


@pytest.mark.parametrize("page", _generator().pages(), ids=str)
def test_generated_parts_are_as_the_code_is(page):
    """`make docs` writes them; a page that is older than the code misleads."""
    text = page.read_text(encoding="utf-8")

    assert _generator().render(text) == text, "run `make docs`"


def test_every_generated_part_is_in_a_page():
    """The map of the architecture page is drawn from the import contracts, for example."""
    shown = set(re.findall(r"<!-- generated: (\w+) -->", "".join(PAGES.values())))

    assert shown == set(_generator().PARTS)


def test_every_setting_is_documented():
    """You can learn what can be set without reading the code."""
    assert _first_column(PAGES["docs/settings.md"]) == list(VARIABLES)


def test_every_option_of_a_project_is_documented():
    """You can learn what a project can choose without reading the code."""
    options = PAGES["docs/options.md"].split("## Hyper-parameters")[0]

    assert _first_column(options) == list(ProjectOptions.model_fields)


# Names --------------------------------------------------------------------------------------


def test_every_setting_that_is_shown_exists():
    """The documentation names no variable that xlt does not read."""
    shown = set(re.findall(r"\bXLT_[A-Z_]*[A-Z]\b", "".join(PAGES.values())))

    assert shown
    assert shown - set(VARIABLES) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_the_code_exists(page):
    """A module, class or function that a page names can be imported."""
    missing = []
    for name in _inline_code(PAGES[page]):
        if re.fullmatch(r"xlt(_backend)?(\.\w+)+", name):
            try:
                pkgutil.resolve_name(name)
            except (ImportError, AttributeError):
                missing.append(name)

    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_exists(page):
    """A file or folder of the repository that a page names is there."""
    roots = "xlt|backend|benchmarks|label_config|tests|docs"
    shown = [name for name in _inline_code(PAGES[page]) if re.match(rf"({roots})/[\w/.]*$", name)]

    assert [name for name in shown if not (CLONE / name).exists()] == []


def test_every_folder_of_the_code_is_on_the_map():
    """The architecture page says of each folder what is in it."""
    listed = set(
        re.findall(
            r"`(\w+)`",
            "".join(re.findall(r"^\| (`\w+`.*?) \|", PAGES["docs/architecture.md"], re.M)),
        )
    )
    folders = {
        path.parent.name
        for root in ("xlt", "backend/xlt_backend")
        for path in (CLONE / root).glob("*/__init__.py")
    }

    assert folders - listed == set()


@pytest.mark.parametrize("page", ["README.md", "docs/tasks.md"])
def test_the_tables_of_kinds_are_those_of_the_code(page):
    """A kind of task is promised when it can be learned, and named when it can."""
    table = PAGES[page].split("| kind |")[1].split("\n\n")[0]

    assert _first_column(table) == list(KINDS)
    measures = [task_of(kind).measure for kind in KINDS]
    assert re.findall(r"\| ([^|]+) \|$", table, re.MULTILINE)[-len(KINDS) :] == measures


# Commands -----------------------------------------------------------------------------------


def _subcommands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def _commands(page: str) -> Iterator[list[str]]:
    """The commands of all shell blocks, as words; environment and redirections left out."""
    for _, language, block in _BLOCK.findall(page):
        if language not in ("sh", ""):
            continue
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and _ASSIGNMENT.match(words[0]):
                words = words[1:]
            end = next((n for n, word in enumerate(words) if word in (">", "|", "<")), len(words))
            if words[:end]:
                yield words[:end]


def _accepted(command: list[str]) -> bool:
    try:
        build_parser(command[0]).parse_args(command)
    except SystemExit:
        return False
    return True


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_xlt_accepts(page):
    """You can copy a command from a page: the parser takes it."""
    shown = [words[1:] for words in _commands(PAGES[page]) if words[0].endswith("xlt")]

    assert [words for words in shown if not words or not _accepted(words)] == []


def test_the_options_in_commands_are_options_of_a_project():
    """`xlt connect --option NAME=VALUE` in a page names an option that exists."""
    given = re.findall(r"--option (\w+)=", "".join(PAGES.values()))

    assert given
    assert set(given) - set(ProjectOptions.model_fields) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_the_text_exists(page):
    """Commands and their options are named as they are."""
    wrong = []
    for code in _inline_code(PAGES[page]):
        words = code.split()
        if words[0] != "xlt" or len(words) == 1 or words[1].startswith("-"):
            continue
        if words[1] not in _subcommands():
            wrong.append(code)
            continue
        parser = _of(build_parser(words[1]), words[1])
        known = {name for action in parser._actions for name in action.option_strings}
        wrong += [code for word in words if word.startswith("--") and word not in known]

    assert wrong == []


def _of(parser: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return action.choices[command]


def test_every_make_target_exists():
    """`make` in a page names a target; what it passes on is accepted."""
    targets = set(re.findall(r"^(\w+):", (CLONE / "Makefile").read_text(), re.MULTILINE))
    shown = [
        words[1:] for page in PAGES.values() for words in _commands(page) if words[0] == "make"
    ]
    shown += [
        c.split()[1:] for page in PAGES.values() for c in _inline_code(page) if c[:5] == "make "
    ]

    assert ["demo"] in shown
    assert {words[0] for words in shown} <= targets
    passed = [
        (words[0], shlex.split(words[1].removeprefix("ARGS="))) for words in shown if words[1:]
    ]
    for target, arguments in passed:
        if target == "test":
            assert all((CLONE / argument).exists() for argument in arguments)
        else:
            assert _accepted([target, *arguments])


@pytest.mark.parametrize("page", PAGES)
def test_every_benchmark_that_is_shown_can_be_run(page):
    """The runner is there, and has the options that are passed to it."""
    wrong = []
    for words in _commands(PAGES[page]):
        if words[0] != "python":
            continue
        runner = CLONE / words[1]
        source = runner.read_text() if runner.is_file() else ""
        wrong += [word for word in words if word.startswith("--") and f'"{word}"' not in source]
        wrong += [] if source else [words[1]]

    assert wrong == []


@pytest.mark.parametrize("name", sorted(_subcommands()))
def test_every_command_has_help_with_an_example(name, capsys):
    """--help ends well and shows how the command is used."""
    with pytest.raises(SystemExit) as ended:
        build_parser(name).parse_args([name, "--help"])

    assert ended.value.code == 0
    assert f"  xlt {name}" in capsys.readouterr().out


# The pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith("README.md")])
def test_every_link_leads_somewhere(page):
    """Files and pictures are in the repository; MkDocs checks the pages of the site."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGES[page])

    assert [link for link in links if not (CLONE / page).parent.joinpath(link).exists()] == []


def test_the_readme_is_one_screen_and_leads_to_every_page():
    """A newcomer reads it in two minutes; everything else is a page behind it."""
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", README))
    pages = {page for page in PAGES if re.fullmatch(r"docs/[\w-]+\.md", page)}

    assert len(README.splitlines()) <= 90
    assert pages - linked == {"docs/index.md"}


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("xlt/")])
def test_pages_use_the_words_of_the_glossary(page):
    """Words that made readers stumble stay out; the glossary has the field's terms."""
    odd = re.compile(rf"{ODD.pattern}|\bdoubt(s|ed|ful)?\b", re.IGNORECASE)

    assert [word[0] for word in odd.finditer(_prose(PAGES[page]))] == []
