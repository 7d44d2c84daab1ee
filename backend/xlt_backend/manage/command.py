"""`xlt versions`: list, compare, promote, roll back, delete and export a project's versions."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from xlt_backend.manage import tables
from xlt_backend.manage.parts import Parts, build, person
from xlt_backend.settings import Settings

#: Versions that `prune` keeps beside the active one and the one before it.
KEEP = 3

Run = Callable[[Parts, str, argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of `xlt versions` to its parser."""
    parser.epilog = (
        "examples:\n"
        "  xlt versions list\n"
        "  xlt versions compare v0002 v0003\n"
        "  xlt versions rollback --reason 'Hausa got worse'\n"
        "  xlt versions promote v0003 --json\n\n"
        "a version can be given by the beginning of its name; `xlt versions COMMAND --help` has "
        "more\nsettings come from the environment, as for `xlt doctor`"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(commands, "list", "list all versions, newest first", "xlt versions list --json", _list)
    show = _add(commands, "show", "show one version", "xlt versions show v0002", _show)
    show.add_argument("version", metavar="VERSION")
    compare = _add(
        commands,
        "compare",
        "compare two versions: per language, per label, tasks with another answer",
        "xlt versions compare v0001 v0002",
        _compare,
    )
    compare.add_argument("one", metavar="VERSION")
    compare.add_argument("other", metavar="VERSION")
    promote = _add(
        commands,
        "promote",
        "make a version the active one; Label Studio's queue follows",
        "xlt versions promote v0002 --reason 'checked by hand'",
        _promote,
    )
    promote.add_argument("version", metavar="VERSION")
    back = _add(
        commands,
        "rollback",
        "go back to the version that was active before; Label Studio's queue follows",
        "xlt versions rollback --reason 'Hausa got worse'",
        _rollback,
    )
    for changing in (promote, back):
        changing.add_argument("--reason", default="", metavar="TEXT", help="kept in the log")
        changing.add_argument(
            "--seen",
            metavar="VERSION",
            help="refuse if another version than this is active by now",
        )
    prune = _add(
        commands,
        "prune",
        "delete old versions; without --yes, say which",
        "xlt versions prune --keep 3 --yes",
        _prune,
    )
    prune.add_argument(
        "--keep",
        type=int,
        default=KEEP,
        metavar="N",
        help=f"newest versions to keep, beside the active one and the one before it ({KEEP})",
    )
    prune.add_argument("--yes", action="store_true", help="delete them")
    export = _add(
        commands,
        "export",
        "write a fine-tuned model for programs without xlt, once it answers as the model does",
        "xlt versions export v0002 --format huggingface model-hf",
        _export,
    )
    export.add_argument("model", metavar="MODEL", help="a version, or the folder of a model")
    export.add_argument("to", metavar="TO", type=Path, help="the new folder")
    export.add_argument("--format", choices=("onnx", "huggingface"), required=True)
    export.add_argument(
        "--data", metavar="FILE", help="table of texts to compare on, beside random ones"
    )
    log = _add(commands, "log", "show who did what, newest first", "xlt versions log", _log)
    log.add_argument("--last", type=int, default=50, metavar="N", help="lines to show (50)")


def main(args: argparse.Namespace) -> int:
    """Runs a command of `xlt versions`; returns the exit status."""
    run: Run = args.do
    if run is _export and (os.sep in args.model or Path(args.model).is_dir()):
        return _exported(Path(args.model), args)
    parts = build(Settings.from_env(os.environ))
    return run(parts, parts.project(args.project), args)


_Commands = argparse._SubParsersAction  # argparse gives it no public name


def _add(
    commands: _Commands[argparse.ArgumentParser], name: str, summary: str, example: str, run: Run
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--project", metavar="ID", help="Label Studio's id of the project (default: the only one)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.set_defaults(do=run)
    return parser


def _list(parts: Parts, project: str, args: argparse.Namespace) -> int:
    rows = parts.versions.all(project)
    if args.json:
        return _json([asdict(row) for row in rows])
    if not rows:
        print("no version yet", file=sys.stderr)
        return 0
    _console().print(tables.all_versions(rows))
    return 0


def _show(parts: Parts, project: str, args: argparse.Namespace) -> int:
    row = parts.versions.one(project, args.version)
    if args.json:
        return _json(asdict(row))
    for line in tables.one_version(row):
        print(line)
    return 0


def _compare(parts: Parts, project: str, args: argparse.Namespace) -> int:
    found = parts.versions.compare(project, args.one, args.other)
    if args.json:
        return _json(asdict(found))
    for part in tables.comparison(found):
        _console().print(part)
    return 0


def _promote(parts: Parts, project: str, args: argparse.Namespace) -> int:
    seen = {} if args.seen is None else {"seen": args.seen}
    done = parts.versions.promote(project, args.version, by=person(), reason=args.reason, **seen)
    return _json(asdict(done)) if args.json else _say(tables.moved(done))


def _rollback(parts: Parts, project: str, args: argparse.Namespace) -> int:
    seen = {} if args.seen is None else {"seen": args.seen}
    done = parts.versions.roll_back(project, by=person(), reason=args.reason, **seen)
    return _json(asdict(done)) if args.json else _say(tables.moved(done))


def _prune(parts: Parts, project: str, args: argparse.Namespace) -> int:
    if args.yes:
        gone = parts.versions.prune(project, args.keep, by=person())
    else:
        gone = parts.versions.prunable(project, args.keep)
    if args.json:
        return _json({"deleted": args.yes, "versions": list(gone)})
    if not gone:
        return _say("nothing to delete")
    end = "deleted" if args.yes else "would be deleted; add --yes"
    return _say(f"{', '.join(gone)} {end}")


def _export(parts: Parts, project: str, args: argparse.Namespace) -> int:
    _, folder = parts.versions.folder(project, args.model, by=person())
    return _exported(folder, args)


def _exported(folder: Path, args: argparse.Namespace) -> int:
    from xlt.cli.arguments import read_table  # torch and transformers take seconds to import
    from xlt.models.standalone import export_standalone

    examples = [] if args.data is None else read_table(args.data, {}, answers=False).examples
    handover = export_standalone(folder, args.to, args.format, examples)
    if args.json:
        return _json({"folder": str(args.to), "format": args.format, **asdict(handover)})
    return _say(f"{args.to}: {handover.words()}")


def _log(parts: Parts, project: str, args: argparse.Namespace) -> int:
    log = parts.versions.log(project)[: max(0, args.last)]
    if args.json:
        return _json([action.to_json() for action in log])
    _console().print(tables.actions(log))
    return 0


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=False)


def _json(value: Any) -> int:  # noqa: ANN401 - any JSON
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    return 0


def _say(line: str) -> int:
    print(line, file=sys.stderr)
    return 0
