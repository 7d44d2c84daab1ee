"""`xlt train | predict | explain | search | select …`: xlt on files, without Label Studio.

Results go to standard output (JSON lines), messages to standard error.
"""

from __future__ import annotations

from xlt.cli import adapt, evaluate, explain, predict, search, select, simulate, train
from xlt.cli.arguments import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Adds the commands; each sets `run`, a function of the parsed arguments."""
    for command in (train, predict, explain, search, select, evaluate, simulate, adapt):
        command.add_command(subparsers)
