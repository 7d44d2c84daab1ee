"""`xlt demo`: a multilingual project on a real Label Studio, trained and ordered as you label."""

from __future__ import annotations

import argparse
import fcntl
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from xlt.cli.arguments import language_codes
from xlt.errors import ConfigError
from xlt.tasks.kinds import KINDS
from xlt_backend.demo.loop import annotate
from xlt_backend.demo.measure import summarise
from xlt_backend.demo.project import greet, set_up, wait_for_interrupt
from xlt_backend.demo.stack import running
from xlt_backend.demo.topics import SHIPPED, Limits, load

_EXAMPLES = """\
examples:
  xlt demo                                  set up, print address and login, run until Ctrl-C
  xlt demo --annotate 150 --exit            a scripted annotator labels; ends with a table
  xlt demo --annotate 150 --exit --json     the same; the last line of stdout is one JSON object
  xlt demo --data my.parquet --source eng --languages hau,yor,quy
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `xlt demo` to its parser."""
    parser.epilog = _EXAMPLES
    _add_texts(parser)
    _add_annotator(parser)
    _add_places(parser)


def _add_texts(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("texts").add_argument
    add(
        "--data",
        type=Path,
        default=SHIPPED,
        metavar="PATH",
        help="table or export with texts, their languages and labels, as for xlt train (default: "
        "texts that ship with xlt)",
    )
    add("--text", metavar="COLUMN", help="column with the text (default: guessed)")
    add("--lang", metavar="COLUMN", help="column with the language code (default: guessed)")
    add("--label", metavar="COLUMN", help="column with the label (default: guessed)")
    text = "column with groups of translations, '' for none (default: guessed)"
    add("--group", metavar="COLUMN", help=text)
    add(
        "--source",
        default="eng",
        metavar="CODE",
        help="language whose labels are cheap (default: %(default)s)",
    )
    add(
        "--kind",
        choices=tuple(KINDS),
        metavar="NAME",
        help=f"kind of task to make of texts with one label each: {', '.join(KINDS)} "
        "(default: as the labels are)",
    )
    add("--languages", type=language_codes, metavar="A,B", help="languages to label (default: all)")
    add(
        "--seed",
        type=int,
        default=13,
        help="random seed; decides which texts are held out (default: %(default)s)",
    )


def _add_annotator(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("scripted annotator").add_argument
    add("--annotate", type=_positive, metavar="N", help="label N tasks through Label Studio's API")
    add(
        "--round",
        type=_positive,
        default=25,
        metavar="N",
        help="labels between two trainings (default: %(default)s)",
    )
    add("--exit", action="store_true", help="stop when the annotator is done")
    add("--json", action="store_true", help="print the summary as JSON, the last line of stdout")


def _add_places(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("folder and ports").add_argument
    add(
        "--folder",
        type=Path,
        default=Path(".xlt"),
        metavar="DIR",
        help="folder for all data of the demo (default: %(default)s)",
    )
    add(
        "--label-studio-port",
        type=int,
        default=8080,
        metavar="PORT",
        help="port of Label Studio; if taken, any free one (default: %(default)s)",
    )
    add(
        "--port",
        type=int,
        default=9090,
        metavar="PORT",
        help="port of xlt; if taken, any free one (default: %(default)s)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def main(args: argparse.Namespace) -> int:
    """Runs `xlt demo`; returns the exit status.

    Raises:
        XltError: If an option, the texts or this machine do not allow the demo.
    """
    if (args.exit or args.json) and not args.annotate:
        raise ConfigError("--exit and --json need --annotate N; without it the demo does not end")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the servers as Ctrl-C does
    console = Console(stderr=True)
    columns = {"text": args.text, "lang": args.lang, "label": args.label, "group": args.group}
    texts = load(
        args.data,
        columns,
        source=args.source,
        languages=args.languages,
        kind=args.kind,
        limits=Limits(),
        rng=np.random.default_rng(args.seed),
    )
    for line in texts.lines:
        console.print("[dim]xlt:[/]", Text(line))
    name = "demo-annotate" if args.annotate else "demo"
    with (
        own_folder(args.folder / name, empty=bool(args.annotate)) as folder,
        running(
            folder,
            venv=args.folder / "label-studio",
            label_studio_port=_port_or_any(args.label_studio_port),
            port=_port_or_any(args.port),
            progress=lambda message: console.print(f"[dim]xlt:[/] {message}"),
        ) as stack,
    ):
        # The first model is measured at the end, so it must not be pruned until then.
        versions = -(-(args.annotate or 0) // args.round)
        project = set_up(stack, texts, console, labels_per_round=args.round, versions=versions)
        greet(project)
        if args.annotate:
            summary = summarise(project, annotate(project, args.annotate, per_round=args.round))
            console.print(summary.table(), *summary.sentences(), sep="\n")
            if args.json:
                print(summary.to_json(), flush=True)
        if not args.exit:
            wait_for_interrupt(project)
    return 0


@contextmanager
def own_folder(folder: Path, *, empty: bool) -> Iterator[Path]:
    """Locks a folder for one demo at a time, and gives it to the block.

    Args:
        folder: Folder of the demo's data; its lock is a file beside it.
        empty: Whether to delete the data that an earlier demo left.

    Raises:
        ConfigError: If another demo uses the folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"another demo is running in {folder}: stop that one first") from None
        if empty and folder.exists():
            shutil.rmtree(folder)
        yield folder


def _port_or_any(port: int) -> int:
    """Returns the port, or 0 (any free one) if another server listens on it."""
    with socket.socket() as probe:
        return 0 if probe.connect_ex(("127.0.0.1", port)) == 0 else port
