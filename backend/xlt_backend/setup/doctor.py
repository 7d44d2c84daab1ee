"""`xlt doctor`: checks the whole setup and explains how to fix each fault."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from xlt_backend.errors import AuthenticationError, LabelStudioError
from xlt_backend.labelstudio.client import Client, ProjectInfo
from xlt_backend.labelstudio.http import HOW_TO_TOKEN
from xlt_backend.labelstudio.links import backends, same_address, stored_options
from xlt_backend.queue.state import ProjectState, StateStore
from xlt_backend.settings import Settings
from xlt_backend.setup.checks import Check, Status, fail, failed, guarded, warn
from xlt_backend.setup.installation_checks import (
    check_encoder,
    check_model_folder,
    check_redis,
    check_table,
    check_workers,
    count_events,
)
from xlt_backend.setup.label_checks import check_labels
from xlt_backend.setup.label_studio_checks import (
    check_answers,
    check_backend,
    check_health,
    check_interface,
    check_model_version,
    check_order,
    check_round_trip,
    check_sampling,
    check_suggestions,
    check_token,
    check_version,
    check_webhook,
)
from xlt_backend.setup.option_checks import check_languages, check_options, check_steering

_MARKS = {Status.OK: ("✓", "green"), Status.WARN: ("!", "yellow"), Status.FAIL: ("✗", "red")}

_URL_FIX = "start Label Studio, or set LABEL_STUDIO_URL to its address as seen from here"
_ABOVE = "fix the failures above first"
_OPTION = "correct the option with `xlt connect --option NAME=VALUE`"

#: A check under the heading of its section.
Reported = tuple[str, Check]


def diagnose(
    settings: Settings, *, project_ids: Sequence[int] = (), ask_next: bool = False
) -> Iterator[Reported]:
    """Runs all checks and yields each as soon as it is done.

    Args:
        settings: Settings of this installation.
        project_ids: Projects to check; empty for all that have xlt as their model.
        ask_next: Whether to ask Label Studio for the next task, which reserves it for the token's
            owner.
    """
    with ThreadPoolExecutor(max_workers=1) as background:
        # Importing torch takes half of the time: the other checks run meanwhile.
        encoder = background.submit(_check_encoder, settings)
        yield from _all_but_encoder(settings, project_ids, ask_next)
        yield "encoder of new models", encoder.result()


def _all_but_encoder(
    settings: Settings, project_ids: Sequence[int], ask_next: bool
) -> Iterator[Reported]:
    for check in _installation(settings):
        yield "this installation", check
    try:
        client = Client(settings.label_studio_url, settings.label_studio_token or "")
    except AuthenticationError as error:
        yield "Label Studio", failed("token", error, HOW_TO_TOKEN)
        return
    with closing(client):
        yield from _label_studio(client, settings, project_ids, ask_next)


def _label_studio(
    client: Client, settings: Settings, project_ids: Sequence[int], ask_next: bool
) -> Iterator[Reported]:
    version = guarded("Label Studio", _URL_FIX, lambda: check_version(client))
    yield "Label Studio", version
    if version.status is Status.FAIL:
        return
    token = guarded("token", HOW_TO_TOKEN, lambda: check_token(client))
    yield "Label Studio", token
    if token.status is not Status.FAIL:
        yield from _projects(client, settings, project_ids, ask_next)


def _installation(settings: Settings) -> Iterator[Check]:
    from xlt_backend.queue.connection import connect, require
    from xlt_backend.queue.presence import workers_alive

    redis = connect(settings)
    address = settings.redis_url or f"embedded, in {settings.home}"
    up = "start `xlt up`, or set REDIS_URL"
    ping = guarded("Redis", up, lambda: check_redis(lambda: require(redis, settings), address))
    yield ping

    if ping.status is Status.OK:
        yield guarded("worker", up, lambda: check_workers(lambda: workers_alive(redis)))
    yield check_model_folder(settings.model_dir)
    tables = {"XLT_TRANSLATIONS": settings.translations, "XLT_LEXICON": settings.lexicon}
    for name, path in tables.items():
        if path is not None:
            columns = f"set {name} to a table with columns source, target and lang"
            yield guarded(name, columns, partial(check_table, name, path, _read_translations))
    yield check_health(settings.public_url)


def _check_encoder(settings: Settings) -> Check:
    fix = "set XLT_ENCODER to `bundled`, a folder or a Hub name"
    return guarded("encoder", fix, lambda: check_encoder(settings.encoder, _load_encoder))


def _read_translations(path: Path) -> Sized:
    from xlt.adapt.texts import read_translations

    return read_translations(path)


def _load_encoder(name: str) -> object:
    from xlt.encoder.encoder import load_encoder

    return load_encoder(name, to_read=True)


def _projects(
    client: Client, settings: Settings, project_ids: Sequence[int], ask_next: bool
) -> Iterator[Reported]:
    try:
        projects = _wanted_projects(client, settings, project_ids)
    except LabelStudioError as error:
        yield (
            "projects",
            fail("projects", str(error), "give the id of an existing project with --project"),
        )
        return
    if not projects:
        detail = f"no project has {settings.public_url} as its model"
        yield "projects", warn("projects", detail, "xlt connect --project ID")
    for project in projects:
        for check in _project(client, settings, project, ask_next):
            yield f"project {project.id}, {project.title!r}", check


def _wanted_projects(client: Client, settings: Settings, ids: Sequence[int]) -> list[ProjectInfo]:
    if ids:
        return [client.project(project_id) for project_id in ids]
    return [
        project
        for project in client.projects()
        if any(
            same_address(row.get("url"), settings.public_url)
            for row in backends(client, project.id)
        )
    ]


def _project(
    client: Client, settings: Settings, project: ProjectInfo, ask_next: bool
) -> Iterator[Check]:
    url, secret, auth = settings.public_url, settings.secret(), settings.basic_auth
    fix = f"xlt connect --project {project.id}"
    yield guarded("interface", _OPTION, lambda: _interface(client, project, url))
    yield guarded("model", fix, lambda: check_backend(client, project, url, auth))
    hook = guarded("webhook", fix, lambda: check_webhook(client, project, url, secret))
    yield hook
    if hook.status is not Status.FAIL:
        count = partial(count_events, url, "PROJECT_UPDATED", auth)
        yield guarded("round trip", _ABOVE, lambda: check_round_trip(client, project, count))
    yield check_sampling(project)
    yield guarded("model version", _ABOVE, lambda: check_model_version(project, client))
    ask = client.next_task if ask_next else None
    yield guarded("order", _ABOVE, lambda: check_order(project, client, ask))
    yield guarded("options", _ABOVE, lambda: check_options(_state(settings, project.id)))
    yield guarded("languages", _ABOVE, lambda: check_languages(_state(settings, project.id)))
    yield guarded("steering", _ABOVE, lambda: _steering(settings, project.id))
    yield guarded("labels", _ABOVE, lambda: check_labels(project, _state(settings, project.id)))
    yield guarded("answers", _ABOVE, lambda: check_answers(project, _state(settings, project.id)))
    yield guarded("suggestions", _ABOVE, lambda: check_suggestions(_state(settings, project.id)))


def _interface(client: Client, project: ProjectInfo, url: str) -> Check:
    return check_interface(project, stored_options(client, project.id, url))


def _state(settings: Settings, project_id: int) -> ProjectState:
    from xlt_backend.queue.connection import connect

    return StateStore(connect(settings)).get(str(project_id))


def _steering(settings: Settings, project_id: int) -> Check:
    from xlt.store.versions import Store
    from xlt_backend.rounds import steering

    key = _state(settings, project_id).key
    versions = Store(settings.model_dir).project(key) if key else None
    now = steering.Steering() if versions is None else steering.read(versions)
    return check_steering(str(project_id), now)


# The command --------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `xlt doctor` to its parser."""
    parser.epilog = (
        "examples:\n"
        "  xlt doctor\n"
        "  xlt doctor --project 12 --json\n\n"
        "exit status: 0 if the loop can work (also with warnings), 1 if it cannot"
    )
    parser.add_argument(
        "--project",
        type=int,
        action="append",
        default=[],
        metavar="ID",
        help="check this project; may be repeated (default: all that have xlt as their model)",
    )
    parser.add_argument(
        "--next",
        action="store_true",
        help="also ask Label Studio for the next task, which reserves it for the token's owner",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list on standard output")


def main(args: argparse.Namespace) -> int:
    """Runs `xlt doctor`; returns the exit status."""
    settings = Settings.from_env(os.environ)
    checks: Iterable[Reported] = diagnose(settings, project_ids=args.project, ask_next=args.next)
    if args.json:
        checks = list(checks)
        rows = [_to_json(section, check) for section, check in checks]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
    else:
        checks = show(checks, Console(highlight=False, soft_wrap=True))
    return int(any(check.status is Status.FAIL for _, check in checks))


def _to_json(section: str, check: Check) -> dict[str, str]:
    """Returns the JSON of a check, with the key names of the first release."""
    return {
        "about": section,
        "name": check.name,
        "status": check.status,
        "detail": check.detail,
        "mend": check.fix,
    }


def show(checks: Iterable[Reported], console: Console) -> list[Reported]:
    """Prints the checks as they come, one line each, and the fix below a fault.

    Returns:
        The same checks.
    """
    done: list[Reported] = []
    for section, check in checks:
        if not done or done[-1][0] != section:
            console.print(Text(section, style="bold"))
        done.append((section, check))
        mark, colour = _MARKS[check.status]
        console.print(Text.assemble((f"  {mark} ", colour), f"{check.name:14} ", check.detail))
        if check.fix:
            console.print(Text.assemble((f"    {'':14} → ", colour), check.fix))
    counts = {status: sum(check.status is status for _, check in done) for status in Status}
    console.print(", ".join(f"{count} {status}" for status, count in counts.items() if count))
    return done
