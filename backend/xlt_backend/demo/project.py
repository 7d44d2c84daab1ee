"""The demo's project in Label Studio: set-up, state, and waiting for new predictions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from xlt.data.examples import Example
from xlt.errors import ServiceError
from xlt_backend.demo.stack import Stack
from xlt_backend.demo.topics import DemoTexts
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.options import ProjectOptions
from xlt_backend.setup.connect import connect

_TITLE = "xlt demo"


@dataclass(frozen=True, kw_only=True)
class DemoProject:
    """A connected project of the demo.

    Attributes:
        id: Label Studio's id of the project.
        stack: The servers that it runs on.
        texts: The texts to annotate, and those to measure on.
        client: Label Studio's API.
        console: The terminal.
    """

    id: int
    stack: Stack
    texts: DemoTexts
    client: Client
    console: Console

    def say(self, message: str) -> None:
        """Prints a line."""
        _say(self.console, message)

    def state(self) -> Mapping[str, object]:
        """Returns the project's part of /status; empty if xlt does not know it yet."""
        projects = self.stack.service.status().get("projects")
        return projects.get(str(self.id), {}) if isinstance(projects, Mapping) else {}

    def shown(self) -> str:
        """Returns the version whose predictions annotators see."""
        return self.client.project(self.id).model_version

    def wait_for_predictions(
        self,
        awaited: str,
        *,
        after: str,
        in_vain: Callable[[], bool] = lambda: False,
        timeout_s: float = 600.0,
    ) -> bool:
        """Waits until the project shows predictions of another version than `after`.

        Args:
            awaited: Name of what is awaited, for the error message.
            after: Version that is shown now.
            in_vain: Ends the wait when it returns True; called twice a second.
            timeout_s: Longest wait in seconds.

        Returns:
            False if `in_vain` ended the wait.

        Raises:
            ServiceError: If the time is up.
        """
        deadline = time.monotonic() + timeout_s
        # Label Studio first names the model's title as the version; it has no predictions of it.
        while (version := self.shown()) == after or version not in self.client.versions(self.id):
            if in_vain():
                return False
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"waited {timeout_s:.0f} s for {awaited}; /status says: {phase(self.state())}; "
                    f"log: {self.stack.service.log}"
                )
            time.sleep(0.5)
        return True


def set_up(
    stack: Stack, texts: DemoTexts, console: Console, *, labels_per_round: int, versions: int
) -> DemoProject:
    """Creates the demo's project, or takes the one of an earlier run, and connects it to xlt.

    Args:
        stack: The running servers.
        texts: The texts of a new project.
        console: The terminal.
        labels_per_round: Number of labels between two trainings.
        versions: Number of versions that must not be pruned.
    """
    server = stack.label_studio
    client = Client(server.url, server.account.token)
    info = next((project for project in client.projects() if project.title == _TITLE), None)
    if info is None:
        _say(
            console,
            f"creating a project with {len(texts.pool)} texts: {texts.source} and "
            f"{', '.join(texts.targets)}",
        )
        config = template(texts.task.kind, texts.task.labels)
        info = client.create_project(_TITLE, config)
        keys = Interface.from_label_config(config).text_keys
        client.import_tasks(info.id, [{"data": _task_data(e, keys)} for e in texts.pool])
    options = ProjectOptions(
        group_field="group",
        source_languages=(texts.source,),
        retrain_after_labels=labels_per_round,
        batch=2 * labels_per_round,
        keep_versions=max(ProjectOptions().keep_versions, versions),
    )
    connect(client, stack.service.settings, project_id=info.id, options=options)
    project = DemoProject(id=info.id, stack=stack, texts=texts, client=client, console=console)
    project.say("connected; xlt computes a first order of the tasks")
    project.wait_for_predictions("the first order", after="")
    return project


def phase(state: Mapping[str, object]) -> str:
    """Returns a project's last error or, if there is none, what its round is doing."""
    return str(state.get("last_error") or state.get("phase") or "")


def greet(project: DemoProject) -> None:
    """Prints the addresses, the login and the log files."""
    server, service = project.stack.label_studio, project.stack.service
    grid = Table.grid(padding=(0, 2))
    grid.add_row("Label Studio", f"[bold]{server.url}/projects/{project.id}[/]")
    grid.add_row("user", f"[bold]{server.account.user}[/]")
    grid.add_row("password", f"[bold]{server.account.password}[/]")
    grid.add_row("xlt", f"{service.settings.public_url}/status")
    grid.add_row("logs", ", ".join(os.path.relpath(log) for log in (service.log, server.log_file)))
    project.console.print(Panel.fit(grid, title=_TITLE, title_align="left"))


def wait_for_interrupt(project: DemoProject) -> None:
    """Keeps the servers running until Ctrl-C."""
    project.say("press “Label All Tasks” and label; Ctrl-C ends the demo and keeps your labels")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        project.say("stopping")


def _say(console: Console, message: str) -> None:
    console.print(f"[dim]xlt:[/] {message}")


def _task_data(example: Example, keys: Sequence[str]) -> dict[str, str]:
    """Returns a task's data; `ref` is the key of its answer for the scripted annotator."""
    texts = dict(zip(keys, example.texts, strict=True))
    data = {**texts, "lang": example.lang, "ref": example.id}
    return data | ({"group": example.group} if example.group else {})
