"""The web server in this process, and rounds that are run by hand with a trainer of no time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tests.fakes import FakeLease, FakeTrainer
from tests.waiting import eventually
from xlt.store.versions import ProjectStore, Store
from xlt_backend.demo.studio import LabelStudioServer, free_port
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.gateway import Gateway
from xlt_backend.labelstudio.links import ensure_backend, ensure_webhook
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.connection import Connection, connect, embedded
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds.decide import Decision
from xlt_backend.rounds.ports import Tools
from xlt_backend.rounds.round import Round
from xlt_backend.run.web import build
from xlt_backend.settings import Settings
from xlt_backend.setup.checks import Status
from xlt_backend.setup.doctor import _label_studio
from xlt_backend.setup.label_studio_checks import check_answers
from xlt_backend.web.app import create_app

OPTIONS = ProjectOptions(
    min_labels=6, retrain_after_labels=5, audit_share=0.0, control_share=0.3, quota="equal"
)


@dataclass(kw_only=True)
class Desk:
    """The service of one Label Studio."""

    settings: Settings
    client: Client
    redis: Connection
    trainer: FakeTrainer = field(default_factory=lambda: FakeTrainer())

    @property
    def states(self) -> StateStore:
        """States of the projects."""
        return StateStore(self.redis)

    @property
    def queue(self) -> TrainQueue:
        """Rounds that were asked for."""
        return TrainQueue(self.redis)

    def connected(
        self, title: str, config: str, tasks: Sequence[Mapping[str, Any]], **options: Any
    ) -> int:
        """A project with tasks that has us as its model, after its first round; its id."""
        url, secret = self.settings.public_url, self.settings.secret()
        project = self.client.create_project(title, config).id
        self.client.import_tasks(project, tasks)
        ensure_webhook(self.client, project, f"{url}/webhook", secret)
        wanted = OPTIONS.model_copy(update=options)
        ensure_backend(self.client, project, url, options=wanted)
        self.round(project)
        return project

    def round(self, project: int) -> Decision:
        """Runs a round."""
        self.redis.delete(f"xlt:waiting:{project}")
        tools = Tools(
            label_studio=Gateway.from_settings(self.settings),
            store=Store(self.settings.model_dir),
            states=self.states,
            settings=self.settings,
            trainer=self.trainer,
            identify=lambda texts, named=None, only=(): [("und", 0.0) for _ in texts],
        )
        return Round(str(project), FakeLease(), tools).run()

    def asked(self, project: int) -> Decision:
        """Waits until an event has asked for a round, and runs it."""
        eventually(lambda: self.queue.status(str(project)) == "waiting", within_s=10)
        return self.round(project)

    def status(self, project: int) -> dict[str, Any]:
        """What /status says of a project."""
        answer = httpx.get(f"{self.settings.public_url}/status", params={"project": project})
        return dict(answer.json()["projects"][str(project)])

    def why(self, project: int, task: int) -> str:
        """What /status says of a task."""
        params = {"project": project, "task": task}
        answer = httpx.get(f"{self.settings.public_url}/status", params=params)
        return str(answer.json()["reason"])

    def faults(self, project: int) -> dict[str, str]:
        """What `xlt doctor` finds wrong in Label Studio and a project, with the fix."""
        checks = _label_studio(self.client, self.settings, [project], False)
        bad = [check for _, check in checks if check.status is not Status.OK]
        return {check.name: f"{check.detail} → {check.fix}" for check in bad}

    def answers(self, project: int) -> str:
        """What `xlt doctor` says of a project's answers, which are all used."""
        state = self.states.get(str(project))
        check = check_answers(self.client.project(project), state)
        assert check.status is Status.OK
        return check.detail

    def versions(self, project: int) -> ProjectStore:
        """The project's models."""
        return Store(self.settings.model_dir).project(self.client.project(project).key)

    def suggestions(self, project: int) -> dict[int, Any]:
        """Task id -> choices that Label Studio shows for it; None without a suggestion."""
        shown = self.client.project(project).model_version
        rows = self.client.pages(project, "id,predictions,result,score,model_version")
        found: dict[int, Any] = {}
        for row in rows:
            for prediction in row["predictions"]:
                if prediction["model_version"] == shown:
                    result = prediction["result"]
                    found[row["id"]] = result[0]["value"]["choices"] if result else None
        return found


@contextmanager
def opened(home: Path, server: LabelStudioServer) -> Iterator[Desk]:
    """The service beside a Label Studio, until the block ends."""
    port = free_port()
    settings = Settings(
        label_studio_url=server.url,
        label_studio_token=server.account.token,
        public_url=f"http://localhost:{port}",
        home=home,
        threads=1,
    )
    with embedded(home), closing(Client(server.url, server.account.token)) as client:
        desk = Desk(settings=settings, client=client, redis=connect(settings))
        parts = build(settings, desk.states, desk.queue, Store(settings.model_dir))
        app = create_app(replace(parts, background=()))
        web = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
        thread = threading.Thread(target=web.run)
        thread.start()
        try:
            eventually(lambda: web.started)
            yield desk
        finally:
            web.should_exit = True
            thread.join()
            Gateway.from_settings(settings).close()
