"""`xlt report`: the measurements of a project as one HTML file, or as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from xlt.disk.durable import replace_file
from xlt.errors import ConfigError
from xlt.store.versions import Store
from xlt_backend.page.report import report_html, report_json
from xlt_backend.page.site import Site
from xlt_backend.page.words import FALLBACK, catalogues
from xlt_backend.queue.connection import connect
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.service.controls import Controls
from xlt_backend.service.events import Service
from xlt_backend.service.versions import Versions
from xlt_backend.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `xlt report` to its parser."""
    parser.epilog = (
        "examples:\n"
        "  xlt report 1 --output hausa.html\n"
        "  xlt report 1 --language fr\n"
        "  xlt report 1 --json"
    )
    parser.add_argument("project", help="Label Studio's id of the project")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the HTML file to write (default: report.html)",
    )
    parser.add_argument(
        "--language",
        choices=sorted(catalogues()),
        default=FALLBACK,
        help=f"language of the report (default: {FALLBACK})",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the numbers as JSON instead of writing a file"
    )


def main(args: argparse.Namespace) -> int:
    """Runs `xlt report`; returns the exit status."""
    site = build(Settings.from_env(os.environ))
    if args.json:
        report = report_json(site, args.project)
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
        return 0
    html = report_html(site, args.project, catalogues()[args.language])
    try:
        replace_file(args.output, html.encode())
    except OSError as error:
        raise ConfigError(f"cannot write {args.output}: {error}; choose another --output") from None
    sys.stderr.write(f"wrote {args.output}\n")
    return 0


def build(settings: Settings) -> Site:
    """Returns the use cases behind a report; sends nothing yet.

    Raises:
        XltError: If an address in the settings is not one.
    """
    redis = connect(settings)
    states, queue, store = StateStore(redis), TrainQueue(redis), Store(settings.model_dir)
    return Site(
        service=Service(states=states, queue=queue, store=store),
        queue=queue,
        versions=Versions(states=states, queue=queue, store=store, work=settings.home / "work"),
        controls=Controls(states=states, queue=queue, store=store),
        secret="",  # a report has no forms
        label_studio_url=settings.label_studio_public_url,
    )
