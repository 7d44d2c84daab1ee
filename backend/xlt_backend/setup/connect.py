"""`xlt connect`: makes xlt the model of a Label Studio project. May be run again at any time."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlt.errors import ConfigError
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, Client, ProjectInfo
from xlt_backend.labelstudio.interface import Interface, choices_config
from xlt_backend.labelstudio.links import ensure_backend, ensure_webhook
from xlt_backend.labelstudio.views import VIEW_TITLE, ensure_view
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import Settings

__all__ = ["Connection", "add_arguments", "connect", "ensure_backend", "ensure_webhook", "main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A project that xlt is the model of.

    Attributes:
        project: The project.
        interface: What is learned in it.
        backend_id: Label Studio's id of the model.
        webhook_id: Label Studio's id of the webhook.
        url: The project's page.
        done: What had to be done, in words; empty where all was well already.
    """

    project: ProjectInfo
    interface: Interface
    backend_id: int
    webhook_id: int
    url: str
    done: tuple[str, ...]


def connect(
    client: Client,
    settings: Settings,
    *,
    project_id: int | None = None,
    title: str | None = None,
    label_config: str | None = None,
    options: ProjectOptions | None = None,
) -> Connection:
    """Make xlt the model of a project: model, webhook, order of the tasks.

    Args:
        client: Label Studio.
        settings: Where we are, and our secrets.
        project_id: An existing project.
        title: Without an id: the project with this title, made if there is none.
        label_config: Interface of a project that is made.
        options: Stored with the model; None leaves what is there.

    Raises:
        UnsupportedConfigError: If there is nothing in the project that xlt learns.
        LabelStudioError: If Label Studio does not answer or refuses; says what to do about it.
    """
    done: list[str] = []
    project = _project(client, project_id, title, label_config, done)
    interface = Interface.from_label_config(project.label_config)
    # The webhook first: Label Studio makes one of its own, open to all, where there is none yet.
    webhook = ensure_webhook(
        client, project.id, f"{settings.public_url}/webhook", settings.secret(), done
    )
    backend = ensure_backend(
        client,
        project.id,
        settings.public_url,
        basic_auth=settings.basic_auth,
        options=options,
        done=done,
    )
    if project.sampling != UNCERTAINTY_SAMPLING:
        client.update_project(project.id, sampling=UNCERTAINTY_SAMPLING)
        done.append("tasks are served in the order of their predictions' scores")
    lang = (options or ProjectOptions()).language_field
    if ensure_view(client, interface, project.id, lang):
        done.append(f"made the tab {VIEW_TITLE!r}, which shows that order")
    return Connection(
        project=client.project(project.id),
        interface=interface,
        backend_id=backend,
        webhook_id=webhook,
        url=f"{client.url}/projects/{project.id}/data",
        done=tuple(done),
    )


def _project(
    client: Client,
    project_id: int | None,
    title: str | None,
    label_config: str | None,
    done: list[str],
) -> ProjectInfo:
    if project_id is not None:
        return client.project(project_id)
    if not title:
        raise ConfigError("which project? give its id, or the title of one to make")
    found = [project for project in client.projects() if project.title == title]
    if len(found) > 1:
        ids = ", ".join(str(project.id) for project in found)
        raise ConfigError(f"several projects are called {title!r} (ids {ids}): give the id")
    if found:
        return client.project(found[0].id)
    if not label_config:
        raise ConfigError(f"no project is called {title!r}; to make it, name its labels")
    Interface.from_label_config(label_config)
    done.append(f"made the project {title!r}")
    return client.create_project(title, label_config, show_collab_predictions=True)


# The command --------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `xlt connect`."""
    parser.epilog = (
        "examples:\n"
        "  xlt connect --project 12\n"
        "  xlt connect --title Topics --labels health,sport,travel\n"
        "  xlt connect --project 12 --option language_field=language --option batch=100\n"
    )
    parser.add_argument("--project", type=int, metavar="ID", help="an existing project")
    parser.add_argument("--title", help="the project with this title; made if there is none")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--labels", metavar="A,B,…", help="labels of a project that is made")
    what.add_argument("--label-config", type=Path, metavar="FILE", help="interface of such a one")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the project, VALUE as JSON or text; without any, they stay as they are",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def main(args: argparse.Namespace) -> int:
    """Run `xlt connect`."""
    settings = Settings.from_env(os.environ)
    client = Client(settings.label_studio_url, settings.label_studio_token or "")
    found = connect(
        client,
        settings,
        project_id=args.project,
        title=args.title,
        label_config=_label_config(args),
        options=parse_options(args.option) if args.option else None,
    )
    for words in found.done or ("all was well already",):
        _say(words)
    for note in found.interface.notes:
        _say(note)
    _say(f"{found.project.title!r} learns {', '.join(found.interface.labels)}")
    _say(f"{found.url} (annotators press “Label All Tasks”)")
    if args.json:
        facts = {
            "project": found.project.id,
            "url": found.url,
            "labels": list(found.interface.labels),
            "done": list(found.done),
        }
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    return 0


def _say(words: str) -> None:
    sys.stderr.write(f"xlt: {words}\n")


def _label_config(args: argparse.Namespace) -> str | None:
    if args.labels:
        return choices_config([label.strip() for label in args.labels.split(",") if label.strip()])
    return args.label_config.read_text(encoding="utf-8") if args.label_config else None


def parse_options(words: Sequence[str]) -> ProjectOptions:
    """Options from `name=value` words; values are JSON where they can be, text otherwise.

    Raises:
        ConfigError: If a word has no `=`, or an option is unknown or out of range.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, raw = word.partition("=")
        if not equals:
            raise ConfigError(f"--option wants NAME=VALUE, got {word!r}")
        try:
            values[name.strip()] = json.loads(raw)
        except json.JSONDecodeError:
            values[name.strip()] = raw
    return ProjectOptions.from_extra_params(values)
