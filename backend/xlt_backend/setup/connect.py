"""`xlt connect`: makes xlt the model of a Label Studio project; it can be repeated at any time."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlt.cli.arguments import print_status
from xlt.errors import ConfigError
from xlt.tasks.kinds import KINDS
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, Client, ProjectInfo
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.labelstudio.links import ensure_backend, ensure_webhook, stored_options
from xlt_backend.labelstudio.views import VIEW_TITLE, ensure_view
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import Settings
from xlt_backend.setup.renames import added, in_words, parse_renames, with_stored_renames

__all__ = ["Connection", "add_arguments", "connect", "ensure_backend", "ensure_webhook", "main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A project that has xlt as its model.

    Attributes:
        project: The project.
        interface: Its labelling interface.
        backend_id: Label Studio's id of the model.
        webhook_id: Label Studio's id of the webhook.
        url: Address of the project's page.
        changes: Messages about the changes; empty if there was nothing to change.
    """

    project: ProjectInfo
    interface: Interface
    backend_id: int
    webhook_id: int
    url: str
    changes: tuple[str, ...]


def connect(
    client: Client,
    settings: Settings,
    *,
    project_id: int | None = None,
    title: str | None = None,
    label_config: str | None = None,
    options: ProjectOptions | None = None,
    renames: Sequence[str] = (),
) -> Connection:
    """Makes xlt the model of a project: sets up the model, the webhook and the order of tasks.

    Args:
        client: Label Studio.
        settings: Our addresses and secrets.
        project_id: Id of an existing project.
        title: Title of the project if there is no id; created if it does not exist.
        label_config: Labelling interface of a new project.
        options: Options to store with the model; None keeps the stored ones. Stored renames stay
            unless the options have others.
        renames: Labels that were renamed, merged or removed since, each as `old=new`.

    Raises:
        ConfigError: If id and title are missing, the title is ambiguous, the stored options
            cannot be used, or a rename is not borne out by the labelling interface.
        UnsupportedConfigError: If xlt does not support the labelling interface.
        LabelStudioError: If Label Studio does not answer or refuses; the message says what to do.
    """
    changes: list[str] = []
    project = _project(client, project_id, title, label_config, changes)
    options = with_stored_renames(client, project, settings.public_url, options)
    known = options or stored_options(client, project.id, settings.public_url)
    interface = Interface.from_options(
        project.label_config, known.model_copy(update={"rename": {}})
    )
    if renames:
        told = parse_renames(renames, interface.labels)
        options = known.model_copy(update={"rename": added(interface, known.rename, told)})
        changes += [in_words(old, new) for old, new in told.items()]
    # The webhook first: without one, Label Studio makes its own, which has no secret.
    webhook = ensure_webhook(
        client, project.id, f"{settings.public_url}/webhook", settings.secret(), changes
    )
    backend = ensure_backend(
        client,
        project.id,
        settings.public_url,
        basic_auth=settings.basic_auth,
        options=options,
        changes=changes,
    )
    if project.sampling != UNCERTAINTY_SAMPLING:
        client.update_project(project.id, sampling=UNCERTAINTY_SAMPLING)
        changes.append("made Label Studio serve tasks in the order of their scores")
    if ensure_view(client, interface, project.id, known.language_field):
        changes.append(f"created the tab {VIEW_TITLE!r}, which shows that order")
    return Connection(
        project=client.project(project.id),
        interface=interface,
        backend_id=backend,
        webhook_id=webhook,
        url=f"{client.url}/projects/{project.id}/data",
        changes=tuple(changes),
    )


def _project(
    client: Client,
    project_id: int | None,
    title: str | None,
    label_config: str | None,
    changes: list[str],
) -> ProjectInfo:
    if project_id is not None:
        return client.project(project_id)
    if not title:
        raise ConfigError("no project: give --project ID, or --title to create one")
    same = [project for project in client.projects() if project.title == title]
    if len(same) > 1:
        ids = ", ".join(str(project.id) for project in same)
        raise ConfigError(f"several projects have the title {title!r} (ids {ids}): give --project")
    if same:
        return client.project(same[0].id)
    if not label_config:
        raise ConfigError(f"no project has the title {title!r}; to create it, give --labels")
    Interface.from_label_config(label_config)
    changes.append(f"created the project {title!r}")
    return client.create_project(title, label_config, show_collab_predictions=True)


# The command --------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `xlt connect` to its parser."""
    parser.epilog = (
        "examples:\n"
        "  xlt connect --project 12\n"
        "  xlt connect --title Topics --labels health,sport,travel\n"
        "  xlt connect --title Entailment --labels yes,no,unclear --texts premise,hypothesis\n"
        "  xlt connect --title Fluency --labels 5 --kind rating\n"
        "  xlt connect --project 12 --option language_field=language --option batch=100\n"
        "  xlt connect --project 12 --rename Sports=Sport --rename Rumours=\n"
    )
    parser.add_argument("--project", type=int, metavar="ID", help="id of an existing project")
    parser.add_argument("--title", help="title of the project; it is created if it does not exist")
    interface = parser.add_mutually_exclusive_group()
    text = "labels of a new project; of a rating its numbers, or the highest alone"
    interface.add_argument("--labels", metavar="A,B,…", help=text)
    parser.add_argument(
        "--kind",
        choices=list(KINDS),
        default=next(iter(KINDS)),
        help="kind of task of a new project with --labels (default: %(default)s)",
    )
    text = "keys of task data with the texts of a new project with --labels (default: text)"
    parser.add_argument("--texts", metavar="A,B", help=text)
    interface.add_argument(
        "--label-config", type=Path, metavar="FILE", help="labelling interface of a new project"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the project, VALUE as JSON or text; without any, the stored ones are kept",
    )
    parser.add_argument(
        "--rename",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="label that was renamed in the interface, or merged with another one; "
        "nothing behind `=` for one that was removed",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on standard output"
    )


def main(args: argparse.Namespace) -> int:
    """Runs `xlt connect`; returns the exit status."""
    settings = Settings.from_env(os.environ)
    client = Client(settings.label_studio_url, settings.label_studio_token or "")
    connection = connect(
        client,
        settings,
        project_id=args.project,
        title=args.title,
        label_config=_label_config(args),
        options=parse_options(args.option) if args.option else None,
        renames=args.rename,
    )
    labels = list(connection.interface.task.labels)
    for line in (
        *(connection.changes or ("nothing to change",)),
        *connection.interface.notes,
        f"{connection.project.title!r} learns {connection.interface.describe()}",
        f"{connection.url} (annotators press “Label All Tasks”)",
    ):
        print_status(f"xlt: {line}")
    if args.json:
        facts = {
            "project": connection.project.id,
            "url": connection.url,
            "labels": labels,
            "done": list(connection.changes),
        }
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    return 0


def _label_config(args: argparse.Namespace) -> str | None:
    if args.labels:
        labels = [label.strip() for label in args.labels.split(",") if label.strip()]
        texts = [key.strip() for key in (args.texts or "").split(",") if key.strip()]
        return template(args.kind, labels, texts)
    if args.texts:
        raise ConfigError("--texts is for a new project with --labels")
    return args.label_config.read_text(encoding="utf-8") if args.label_config else None


def parse_options(arguments: Sequence[str]) -> ProjectOptions:
    """Reads options from arguments `name=value`; a value that is not JSON is text.

    Raises:
        ConfigError: If an argument has no `=`, or an option is unknown or out of range.
    """
    values: dict[str, Any] = {}
    for argument in arguments:
        name, equals, raw = argument.partition("=")
        if not equals:
            raise ConfigError(f"--option must be NAME=VALUE, got {argument!r}")
        try:
            values[name.strip()] = json.loads(raw)
        except json.JSONDecodeError:
            values[name.strip()] = raw
    return ProjectOptions.from_extra_params(values)
