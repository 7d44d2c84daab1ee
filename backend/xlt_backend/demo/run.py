"""`xlt demo`: a project in many languages on a real Label Studio, with the loop turning."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from xlt.data.examples import Example
from xlt.errors import ConfigError, ServiceError
from xlt.models.predictor import Predictor
from xlt.store.versions import Store
from xlt.tasks.metrics import per_language
from xlt_backend.demo.annotator import Annotator, Labelled
from xlt_backend.demo.report import Summary
from xlt_backend.demo.stack import Stack, running
from xlt_backend.demo.topics import SHIPPED, DemoTexts, Limits, load
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import choices_config
from xlt_backend.options import ProjectOptions
from xlt_backend.setup.connect import connect

TITLE = "xlt demo"
EXAMPLES = """\
examples:
  xlt demo                                  set up, print address and login, run until Ctrl-C
  xlt demo --annotate 150 --exit            a scripted annotator; ends with a table
  xlt demo --annotate 150 --exit --json     the same; the last line of stdout is one JSON object
  xlt demo --data my.parquet --source eng --languages hau,yor,quy
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `xlt demo`."""
    parser.epilog = EXAMPLES
    add = parser.add_argument_group("texts").add_argument
    add(
        "--data",
        type=Path,
        default=SHIPPED,
        metavar="PATH",
        help="CSV, JSONL or Parquet with text, language and label (default: xlt's own texts)",
    )
    add("--text", metavar="COLUMN", help="column with the text (default: guessed)")
    add("--lang", metavar="COLUMN", help="column with the language code (default: guessed)")
    add("--label", metavar="COLUMN", help="column with the label (default: guessed)")
    add(
        "--source",
        default="eng",
        metavar="CODE",
        help="language whose labels are cheap (default: %(default)s)",
    )
    add(
        "--languages", type=_codes, metavar="A,B", help="use these beside the source (default: all)"
    )
    add("--seed", type=int, default=13, help="decides what is held out (default: %(default)s)")
    add = parser.add_argument_group("scripted annotator").add_argument
    add("--annotate", type=_positive, metavar="N", help="label N tasks through Label Studio's API")
    add(
        "--round",
        type=_positive,
        default=25,
        metavar="N",
        help="labels between two trainings (default: %(default)s)",
    )
    add("--exit", action="store_true", help="end when the annotator is done")
    add("--json", action="store_true", help="the summary as JSON, the last line of stdout")
    add = parser.add_argument_group("where").add_argument
    add(
        "--folder",
        type=Path,
        default=Path(".xlt"),
        metavar="DIR",
        help="keeps everything (default: %(default)s)",
    )
    add(
        "--label-studio-port",
        type=int,
        default=8080,
        metavar="PORT",
        help="where taken, any free one (default: %(default)s)",
    )
    add(
        "--port",
        type=int,
        default=9090,
        metavar="PORT",
        help="of xlt; where taken, any free one (default: %(default)s)",
    )


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def main(args: argparse.Namespace) -> int:
    """Run the demo; 0 when it ended well.

    Raises:
        XltError: If something that a user can mend is wrong.
    """
    if (args.exit or args.json) and not args.annotate:
        raise ConfigError("--exit and --json need --annotate N: without it nothing comes to an end")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # everything is stopped in order
    console = Console(stderr=True)
    columns = {"text": args.text, "lang": args.lang, "label": args.label}
    texts = load(
        args.data,
        columns,
        source=args.source,
        languages=args.languages,
        limits=Limits(),
        rng=np.random.default_rng(args.seed),
    )
    name = "demo-annotate" if args.annotate else "demo"
    with (
        own_folder(args.folder / name, afresh=bool(args.annotate)) as folder,
        running(
            folder,
            venv=args.folder / "label-studio",
            label_studio_port=_usable(args.label_studio_port),
            port=_usable(args.port),
            progress=lambda words: console.print(f"[dim]xlt:[/] {words}"),
        ) as stack,
    ):
        demo = _Demo(stack=stack, texts=texts, round_labels=args.round, console=console)
        # The first model is measured at the end: it must not be pruned until then.
        project_id = demo.set_up(versions=-(-(args.annotate or 0) // args.round))
        demo.greet(project_id)
        if args.annotate:
            summary = demo.annotate(project_id, args.annotate)
            console.print(summary.table(), *summary.sentences(), sep="\n")
            if args.json:
                print(summary.to_json(), flush=True)
        if not args.exit:
            demo.wait()
    return 0


@contextmanager
def own_folder(folder: Path, *, afresh: bool) -> Iterator[Path]:
    """The folder, for one demo at a time.

    Args:
        folder: Where.
        afresh: Begin with nothing; else what was there is kept.

    Raises:
        ConfigError: If another demo works there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"another demo is running in {folder}: stop that one first") from None
        if afresh and folder.exists():
            shutil.rmtree(folder)
        yield folder


def _usable(port: int) -> int:
    """The port, or 0 (any) where somebody listens on it already."""
    with socket.socket() as probe:
        return 0 if probe.connect_ex(("127.0.0.1", port)) == 0 else port


@dataclass(kw_only=True)
class _Demo:
    stack: Stack
    texts: DemoTexts
    round_labels: int
    console: Console
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        server = self.stack.label_studio
        self.client = Client(server.url, server.account.token)

    def say(self, words: str) -> None:
        self.console.print(f"[dim]xlt:[/] {words}")

    # Setting up ------------------------------------------------------------------------------

    def set_up(self, *, versions: int) -> int:
        """The demo's project, made or found again, with its texts and connected; its id.

        At least so many versions are kept.
        """
        known = next((p for p in self.client.projects() if p.title == TITLE), None)
        if known is None:
            self.say(
                f"making a project with {len(self.texts.pool)} texts: {self.texts.source} and "
                f"{', '.join(self.texts.targets)}"
            )
            known = self.client.create_project(TITLE, choices_config(self.texts.labels))
            self.client.import_tasks(known.id, [{"data": _task(e)} for e in self.texts.pool])
        options = ProjectOptions(
            group_field="group",
            source_languages=(self.texts.source,),
            retrain_after_labels=self.round_labels,
            batch=2 * self.round_labels,
            keep_versions=max(ProjectOptions().keep_versions, versions),
        )
        connect(self.client, self.stack.service.settings, project_id=known.id, options=options)
        self.say("connected; the tasks are put in a first order")
        self._until(known.id, "", "the first order")
        return known.id

    def greet(self, project_id: int) -> None:
        """Where to look, and as whom."""
        server = self.stack.label_studio
        grid = Table.grid(padding=(0, 2))
        grid.add_row("Label Studio", f"[bold]{server.url}/projects/{project_id}[/]")
        grid.add_row("user", f"[bold]{server.account.user}[/]")
        grid.add_row("password", f"[bold]{server.account.password}[/]")
        grid.add_row("xlt", f"{self.stack.service.settings.public_url}/status")
        logs = (self.stack.service.log, server.log_file)
        grid.add_row("logs", ", ".join(os.path.relpath(log) for log in logs))
        self.console.print(Panel.fit(grid, title="xlt demo", title_align="left"))

    def wait(self) -> None:
        """Until Ctrl-C."""
        self.say("press “Label All Tasks” and label; Ctrl-C ends the demo, your labels are kept")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            self.say("stopping")

    # The scripted annotator ------------------------------------------------------------------

    def annotate(self, project_id: int, count: int) -> Summary:
        """Label `count` tasks, waiting for the new model after each round; then measure."""
        annotator = Annotator(
            self.client, project_id, {e.id: str(e.label) for e in self.texts.pool}
        )
        done: list[Labelled] = []
        seconds: list[float] = []
        with _bar(self.console) as bar:
            task = bar.add_task("labelling", total=count, note="")
            while len(done) < count:
                size = min(self.round_labels, count - len(done))
                shown = self.client.project(project_id).model_version
                for _ in range(size):
                    labelled = annotator.label_next()
                    if labelled is None:
                        raise ServiceError(f"Label Studio has no more tasks after {len(done)}")
                    done.append(labelled)
                    bar.update(task, advance=1)
                if size == self.round_labels:
                    seconds += self._train(project_id, shown, bar, task)
        return self._summary(project_id, done, seconds)

    def _train(self, project_id: int, shown: str, bar: Progress, task: TaskID) -> list[float]:
        """Wait until predictions of a new version are in Label Studio; the seconds that it took.

        Empty if the new version was worse than the one before, and kept back.
        """
        begun, since = time.monotonic(), time.time()

        def is_kept_back() -> bool:
            state = self._state(project_id)
            bar.update(task, note=_phase(state))
            if reason := kept_back(state, since):
                self.say(f"kept back: {reason}")
            return bool(reason)

        promoted = self._until(project_id, shown, "a new model", is_kept_back)
        bar.update(task, note="")
        return [time.monotonic() - begun] if promoted else []

    def _until(
        self,
        project_id: int,
        shown: str,
        what: str,
        in_vain: Callable[[], bool] = lambda: False,
        timeout_s: float = 600.0,
    ) -> bool:
        """Wait until the project shows predictions of another version than `shown`.

        Whether it does; it does not where waiting turned out to be in vain. Label Studio names
        the model's title as version at first: there are no predictions of it.
        """
        until = time.monotonic() + timeout_s
        while (version := self.client.project(project_id).model_version) == shown or (
            version not in self.client.versions(project_id)
        ):
            if in_vain():
                return False
            if time.monotonic() > until:
                raise ServiceError(
                    f"waited {timeout_s:.0f} s for {what}; /status says: "
                    f"{_phase(self._state(project_id))}; log: {self.stack.service.log}"
                )
            time.sleep(0.5)
        return True

    def _state(self, project_id: int) -> Mapping[str, object]:
        projects = self.stack.service.status().get("projects")
        return projects.get(str(project_id), {}) if isinstance(projects, Mapping) else {}

    def _summary(
        self, project_id: int, done: Sequence[Labelled], seconds: Sequence[float]
    ) -> Summary:
        key = str(self._state(project_id).get("key"))
        store = Store(self.stack.service.settings.model_dir).project(key)
        promoted = [c.version for c in store.history() if c.action == "promoted"]
        if not promoted:
            raise ServiceError(
                f"no model was promoted in {len(done)} labels; log: {self.stack.service.log}"
            )
        self.say("measuring the first and the last model on held-out texts")
        known = [labelled.in_order for labelled in done if labelled.in_order is not None]
        return Summary(
            before=accuracy(store.open(promoted[0]), self.texts.held_out),
            after=accuracy(store.open(promoted[-1]), self.texts.held_out),
            source=self.texts.source,
            labels=dict(sorted(Counter(labelled.lang for labelled in done).items())),
            version_names=tuple(promoted),
            seconds_per_version=tuple(round(s, 1) for s in seconds),
            served_in_order=sum(known),
            served=len(known),
            held_out=dict(Counter(e.lang for e in self.texts.held_out)),
        )


def kept_back(state: Mapping[str, Any], since: float) -> str:
    """Why the model of a round that ended after `since` was not promoted; empty where it was.

    Args:
        state: A project's part of /status.
        since: Seconds since the epoch.
    """
    last = state.get("last_round") or {}
    ended = last.get("trained") and float(last.get("ended_at") or 0.0) > since
    return str(last.get("reason")) if ended and last.get("action") != "publish" else ""


def accuracy(model: Path, examples: Sequence[Example]) -> dict[str, float]:
    """Accuracy in [0, 1] of a version, per language."""
    predictor = Predictor.load(model)
    best = predictor.score([e.text for e in examples]).logits.argmax(axis=1)
    report = per_language(
        [str(e.label) for e in examples],
        [predictor.task.labels[i] for i in best],
        [e.lang for e in examples],
    )
    return {lang: measured.accuracy for lang, measured in report.items()}


def _task(example: Example) -> dict[str, str]:
    """Task data; `ref` lets the annotator find its answer, and nobody else."""
    data = {"text": example.text, "lang": example.lang, "ref": example.id}
    return data | ({"group": example.group} if example.group else {})


def _phase(state: Mapping[str, object]) -> str:
    return str(state.get("last_error") or state.get("phase") or "")


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("[dim]xlt:[/] {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )
