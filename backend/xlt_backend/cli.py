"""The `xlt` program: commands of the library and of the service."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xlt import __version__
from xlt.cli.commands import COMMANDS
from xlt.errors import XltError

if TYPE_CHECKING:
    from xlt_backend.service.controls import Controls

_DESCRIPTION = """\
Cheap labels in, good models of scarce languages out.

With Label Studio:     xlt demo · xlt up · xlt connect · xlt doctor · xlt versions
On files, without it:  xlt train · xlt predict · xlt explain · xlt select
"""

_EPILOG = """\
first steps:
  xlt demo                          the whole loop on this machine, with example texts
  xlt up                            start Redis, web server and worker for your Label Studio
  xlt connect --project 1           make xlt the model of a project
  xlt doctor                        check the whole setup and explain how to fix it

settings come from the environment (LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY, REDIS_URL, XLT_…):
see docs/settings.md. For the options of a command: `xlt COMMAND --help`.
"""

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns 0, or 1 after an error message of one line on standard error."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = build_parser(arguments[0] if arguments else "")
    args = parser.parse_args(arguments)
    if not hasattr(args, "run"):
        parser.print_help()
        return 0
    run: Run = args.run
    try:
        return run(args)
    except XltError as error:
        print("xlt:", " ".join(str(error).splitlines()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `xlt predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Returns the parser, with the arguments of `command` alone: those of others need imports."""
    parser = argparse.ArgumentParser(
        prog="xlt",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"xlt {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_lazy(commands, command)
    _add_service(commands)
    return parser


# The service ------------------------------------------------------------------------------------

_Commands = argparse._SubParsersAction  # argparse gives it no public name


def _add_service(commands: _Commands[argparse.ArgumentParser]) -> None:
    for name, summary, example, run in (
        (
            "up",
            "start Redis (unless REDIS_URL is set), web server and worker on this machine",
            "LABEL_STUDIO_URL=http://localhost:8080 LABEL_STUDIO_API_KEY=… \\\n  xlt up",
            _up,
        ),
        (
            "serve",
            "start a web server; several can share one Redis and model folder",
            "REDIS_URL=redis://redis:6379/0 XLT_MODEL_DIR=/srv/models \\\n"
            "  xlt serve --host 0.0.0.0 --port 9090",
            _serve,
        ),
        (
            "worker",
            "start a worker; several can run, on any machine",
            "REDIS_URL=redis://redis:6379/0 XLT_MODEL_DIR=/srv/models \\\n  xlt worker",
            _worker,
        ),
    ):
        parser = _parser(commands, name, summary)
        parser.epilog = f"example:\n  {example}"
        parser.add_argument("--home", metavar="DIR", help="sets XLT_HOME (default: .xlt)")
        parser.add_argument(
            "--log-level", metavar="LEVEL", help="sets XLT_LOG_LEVEL (default: INFO)"
        )
        if name != "worker":
            parser.add_argument("--host", help="sets XLT_HOST (default: 127.0.0.1)")
            parser.add_argument("--port", help="sets XLT_PORT (default: 9090)")
        parser.set_defaults(run=run)
    for name, summary, run in (
        ("cancel", "stop the running round of a project", _cancel),
        ("pause", "train nothing in a project until it is resumed", _pause),
        ("resume", "end the pause of a project", _resume),
    ):
        parser = _parser(commands, name, summary)
        parser.epilog = f"example:\n  xlt {name} 1"
        parser.add_argument("project", help="Label Studio's id of the project")
        parser.set_defaults(run=run)


def _environment(args: argparse.Namespace) -> dict[str, str]:
    """Returns the environment of this process, overridden by options of the command line."""
    names = ("home", "log_level", "host", "port")
    options = {f"XLT_{name.upper()}": getattr(args, name, None) for name in names}
    return {**os.environ, **{key: value for key, value in options.items() if value is not None}}


def _up(args: argparse.Namespace) -> int:
    from xlt_backend.run import up as launch
    from xlt_backend.settings import Settings

    env = _environment(args)
    settings = Settings.from_env(env)
    launch.log_to_stderr("up", settings.log_level)
    return launch.up(settings, env)


def _serve(args: argparse.Namespace) -> int:
    from xlt_backend.run.processes import serve
    from xlt_backend.run.up import log_to_stderr
    from xlt_backend.settings import Settings

    settings = Settings.from_env(_environment(args))
    log_to_stderr("web", settings.log_level)
    return serve(settings)


def _worker(args: argparse.Namespace) -> int:
    from xlt_backend.run.processes import work
    from xlt_backend.run.up import log_to_stderr
    from xlt_backend.settings import Settings

    env = _environment(args)
    settings = Settings.from_env(env)
    os.environ.update(env)  # RQ calls the jobs, which read their settings from it
    log_to_stderr("worker", settings.log_level)
    return work(settings)


def _controls() -> tuple[Controls, str]:
    """Returns the use cases that steer a project, and the person who uses them."""
    from xlt_backend.manage.parts import build, person
    from xlt_backend.settings import Settings

    return build(Settings.from_env(os.environ)).controls, person()


def _cancel(args: argparse.Namespace) -> int:
    controls, by = _controls()
    stopped = controls.cancel(args.project, by=by)
    print("the round stops" if stopped else "no round of this project runs", file=sys.stderr)
    return 0


def _pause(args: argparse.Namespace) -> int:
    controls, by = _controls()
    before = controls.pause(args.project, by=by)
    done = f"paused by {before.paused_by} already" if before.paused else "paused"
    print(f"{done}; a round that runs ends as usual, or by `xlt cancel`", file=sys.stderr)
    return 0


def _resume(args: argparse.Namespace) -> int:
    controls, by = _controls()
    before = controls.resume(args.project, by=by)
    print("resumed" if before.paused else "it was not paused", file=sys.stderr)
    return 0


def _parser(
    commands: _Commands[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


# Commands of other modules ------------------------------------------------------------------------

#: Module with `add_arguments(parser)` and `main(args)`, and summary, by command.
_LAZY: dict[str, tuple[str, str]] = {
    "demo": ("xlt_backend.demo.command", "run the whole loop on this machine"),
    "connect": ("xlt_backend.setup.connect", "make xlt the model of a Label Studio project"),
    "doctor": ("xlt_backend.setup.doctor", "check the whole setup and explain how to fix it"),
    "versions": ("xlt_backend.manage.command", "list, compare, promote and roll back models"),
    "report": ("xlt_backend.manage.report", "write how far a project is as one HTML file"),
    **{name: (f"xlt.cli.{name}", summary) for name, summary in COMMANDS.items()},
}


def _add_lazy(commands: _Commands[argparse.ArgumentParser], command: str) -> None:
    """Adds commands whose modules are imported only for the command that runs."""
    for name, (path, summary) in _LAZY.items():
        parser = _parser(commands, name, summary)
        if name == command:
            from importlib import import_module

            module = import_module(path)
            module.add_arguments(parser)
            parser.set_defaults(run=module.main)


if __name__ == "__main__":
    raise SystemExit(main())
