"""`xlt train | predict | explain | select …`: xlt on files, without Label Studio.

Results go to standard output (JSON lines), messages to standard error.
"""

from __future__ import annotations

from xlt.cli import adapt, evaluate, explain, predict, select, simulate, train
from xlt.cli.arguments import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Adds the commands; each sets `run`, a function of the parsed arguments."""
    for command in (train, predict, explain, select, evaluate, simulate, adapt):
        command.add_command(subparsers)
