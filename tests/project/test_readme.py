"""The README against the code: what it promises is there, and what is there is in it."""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

import pytest

from xlt_backend.cli import build_parser
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import VARIABLES

CLONE = Path(__file__).parents[2]
README = (CLONE / "README.md").read_text(encoding="utf-8")


def _subcommands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def test_every_setting_is_in_the_readme():
    """Nobody has to read the code to learn what can be set."""
    assert [name for name in VARIABLES if f"`{name}`" not in README] == []


def test_every_option_of_a_project_is_in_the_readme():
    """Nobody has to read the code to learn what a project can choose."""
    assert [name for name in ProjectOptions.model_fields if f"`{name}`" not in README] == []


def test_every_setting_in_the_readme_exists():
    """A name that the README shows is one that xlt reads."""
    shown = set(re.findall(r"\bXLT_[A-Z_]+\b", README))

    assert set() == shown - set(VARIABLES)


def test_every_command_in_the_readme_exists():
    """What a newcomer copies is a command."""
    shown = set(re.findall(r"(?:^|[/`])xlt ([a-z]+)", README, re.MULTILINE))

    assert shown
    assert set() == shown - set(_subcommands())


@pytest.mark.parametrize("name", sorted(_subcommands()))
def test_every_command_has_help_with_an_example(name, capsys):
    """--help ends well and shows how the command is used."""
    with pytest.raises(SystemExit) as ended:
        build_parser(name).parse_args([name, "--help"])

    assert ended.value.code == 0
    assert f"  xlt {name}" in capsys.readouterr().out


def test_every_link_of_the_readme_leads_somewhere():
    """Files and pictures that the README links are in the repository."""
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [link for link in links if not (CLONE / link).exists()] == []


def _picture() -> str:
    """The layers of the import contracts as a Mermaid flow chart."""
    contracts = tomllib.loads((CLONE / "pyproject.toml").read_text())["tool"]["importlinter"]
    lines = ["flowchart TD"]
    for contract in contracts["contracts"]:
        if contract["type"] != "layers":
            continue
        (package,) = contract["containers"]
        names = [f"{package}{i}" for i in range(len(contract["layers"]))]
        lines.append(f'  subgraph {package}["{package}: imports point down only"]')
        lines += [
            f'    {name}["{layer.replace(" : ", " · ")}"]'
            for name, layer in zip(names, contract["layers"], strict=True)
        ]
        lines += [f"    {' --> '.join(names)}", "  end"]
    return "\n".join([*lines, "  xlt_backend --> xlt"])


def test_the_picture_of_the_modules_is_the_one_that_the_import_contracts_check():
    """A module that moves to another layer moves in the picture too."""
    shown = re.search(r"```mermaid\n(.*?)\n```", README, re.DOTALL)

    assert shown
    assert shown.group(1) == _picture()
