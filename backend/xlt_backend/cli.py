"""The `xlt` command: the library's commands, and those of the service."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from xlt import __version__
from xlt.errors import XltError

_DESCRIPTION = """\
Cheap labels in, good models of scarce languages out.

With Label Studio:     xlt demo · xlt up · xlt connect · xlt doctor
On files, without it:  xlt train · xlt predict · xlt select · xlt evaluate
"""

_EPILOG = """\
first steps:
  xlt demo                          the whole loop on this machine, with texts to try it on
  xlt up                            Redis, web server and worker for your own Label Studio
  xlt connect --project 1           make xlt the model of a project
  xlt doctor                        check the whole chain; says how to mend each fault

settings come from the environment (LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY, REDIS_URL, XLT_…):
see the README. `xlt COMMAND --help` says more.
"""

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0, or 1 after one line on standard error that says what is wrong."""
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
        print(f"xlt: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `xlt predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser; arguments of `command` only where naming them needs heavy imports."""
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
    if command not in _SERVICE:
        from xlt.cli.commands import add_commands

        add_commands(commands)
    return parser


# The service ------------------------------------------------------------------------------------

#: Commands of this module; they start without importing the library's.
_SERVICE = frozenset({"up", "serve", "worker", "cancel"})

_Commands = argparse._SubParsersAction  # argparse gives it no public name


def _add_service(commands: _Commands[argparse.ArgumentParser]) -> None:
    for name, words, example, run in (
        (
            "up",
            "start Redis (where none is set), web server and worker on this machine",
            "LABEL_STUDIO_URL=http://localhost:8080 LABEL_STUDIO_API_KEY=… \\\n  xlt up",
            _up,
        ),
        (
            "serve",
            "start a web server; as many as you like share one Redis and model folder",
            "REDIS_URL=redis://redis:6379/0 XLT_MODEL_DIR=/srv/models \\\n"
            "  xlt serve --host 0.0.0.0 --port 9090",
            _serve,
        ),
        (
            "worker",
            "start a worker; as many as you like, on any machine",
            "REDIS_URL=redis://redis:6379/0 XLT_MODEL_DIR=/srv/models \\\n  xlt worker",
            _worker,
        ),
    ):
        parser = _parser(commands, name, words)
        parser.epilog = f"example:\n  {example}"
        parser.add_argument("--home", metavar="DIR", help="as XLT_HOME (default: .xlt)")
        parser.add_argument("--log-level", metavar="LEVEL", help="as XLT_LOG_LEVEL (default: INFO)")
        if name != "worker":
            parser.add_argument("--host", help="as XLT_HOST (default: 127.0.0.1)")
            parser.add_argument("--port", help="as XLT_PORT (default: 9090)")
        parser.set_defaults(run=run)
    parser = _parser(commands, "cancel", "stop the round that runs for a project")
    parser.epilog = "example:\n  xlt cancel 1"
    parser.add_argument("project", help="Label Studio's id of the project")
    parser.set_defaults(run=_cancel)


def _environment(args: argparse.Namespace) -> dict[str, str]:
    """This process's environment, with what the command line says on top."""
    names = ("home", "log_level", "host", "port")
    given = {f"XLT_{name.upper()}": getattr(args, name, None) for name in names}
    return {**os.environ, **{key: value for key, value in given.items() if value is not None}}


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
    os.environ.update(env)  # jobs are called by RQ and read their settings themselves
    log_to_stderr("worker", settings.log_level)
    return work(settings)


def _cancel(args: argparse.Namespace) -> int:
    from xlt_backend.queue.connection import connect
    from xlt_backend.queue.rounds import TrainQueue
    from xlt_backend.settings import Settings

    stopped = TrainQueue(connect(Settings.from_env(os.environ))).cancel(args.project)
    print("the round stops" if stopped else "no round runs for this project", file=sys.stderr)
    return 0


def _parser(
    commands: _Commands[argparse.ArgumentParser], name: str, words: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=words,
        description=f"{words[0].upper()}{words[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


# Commands of other modules ------------------------------------------------------------------------

#: Command -> (module with `add_arguments(parser)` and `main(args)`, what it does).
_LAZY: dict[str, tuple[str, str]] = {
    "demo": ("xlt_backend.demo.command", "show the whole loop on this machine"),
    "connect": ("xlt_backend.setup.connect", "make xlt the model of a Label Studio project"),
    "doctor": ("xlt_backend.setup.doctor", "check the whole chain and say how to mend each fault"),
    "pretrain": ("xlt.pretrain.run", "make an encoder from parallel text"),
    "opentext": (
        "xlt.cli.opentext",
        "write a table of open translations to pretrain on",
    ),
}


def _add_lazy(commands: _Commands[argparse.ArgumentParser], asked: str) -> None:
    """Adds commands whose modules are imported only where they are asked for."""
    for name, (module, words) in _LAZY.items():
        parser = _parser(commands, name, words)
        if name == asked:
            from importlib import import_module

            found = import_module(module)
            found.add_arguments(parser)
            parser.set_defaults(run=found.main)


if __name__ == "__main__":
    raise SystemExit(main())
