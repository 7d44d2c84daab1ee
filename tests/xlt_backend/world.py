"""A project with its Label Studio, its training process, its queue and its store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis import Redis

from tests.fakes import CONFIG, LABELS, FakeLabelStudio, FakeLease, FakeTrainer
from xlt.store.versions import ProjectStore, Store
from xlt_backend.labelstudio.wire import SetupRequest, WebhookEvent
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import ProjectState, StateStore
from xlt_backend.rounds.decide import Decision
from xlt_backend.rounds.ports import Tools
from xlt_backend.rounds.round import Round
from xlt_backend.service.events import Service
from xlt_backend.settings import Settings


@dataclass
class World:
    """Everything around one project."""

    home: Path
    redis: Redis
    label_studio: FakeLabelStudio = field(default_factory=FakeLabelStudio)
    trainer: FakeTrainer = field(default_factory=FakeTrainer)
    lease: FakeLease = field(default_factory=FakeLease)
    time: float = 1_800_000_000.0
    encoder: str = "bundled"
    model_dir: str = ""
    language: tuple[str, float] = ("und", 0.0)

    def __post_init__(self) -> None:
        self.settings = Settings(
            home=self.home, encoder=self.encoder, threads=1, model_dir=self.model_dir
        )
        self.states = StateStore(self.redis)
        self.queue = TrainQueue(self.redis)
        self.store = Store(
            self.settings.model_dir,
            cache=self.home / "cache",
            now=lambda: datetime.fromtimestamp(self.time, UTC),
        )
        self.service = Service(
            states=self.states, queue=self.queue, store=self.store, now=lambda: self.time
        )
        self.label_studio.extra_params = {"retrain_after_labels": 10, "audit_share": 0.2}

    @property
    def tools(self) -> Tools:
        """The neighbours of a round."""
        return Tools(
            label_studio=self.label_studio,
            store=self.store,
            states=self.states,
            settings=self.settings,
            trainer=self.trainer,
            identify=lambda texts, named=None, only=(): [self.language for _ in texts],
            now=lambda: self.time,
        )

    def round(self) -> Decision:
        """Runs one round; a second passes."""
        self.time += 1
        return Round("1", self.lease, self.tools).run()

    @property
    def versions(self) -> ProjectStore:
        """The project's models."""
        return self.store.project(self.label_studio.info.key)

    @property
    def state(self) -> ProjectState:
        """What Redis says."""
        return self.states.get("1")

    @property
    def shown(self) -> str:
        """What Label Studio shows."""
        return self.label_studio.info.model_version

    def event(self, action: str, **fields: Any) -> str:
        """Posts an event; what became of it."""
        body = {"action": action, "project": {"id": 1, "title": "Topics"}, **fields}
        return self.service.handle(WebhookEvent.model_validate(body)).status

    def setup(self, **fields: Any) -> str:
        """Posts /setup."""
        body = {"project": self.label_studio.info.key, "schema": CONFIG} | fields
        return self.service.setup(SetupRequest.model_validate(body))

    def trained(self) -> str:
        """Brings the project to its first model; its version."""
        self.label_studio.add_tasks(120)
        self.round()
        self.label_studio.label_next(30)
        self.round()
        assert self.versions.current() == self.shown
        return self.shown

    def assert_consistent(self) -> None:
        """What Label Studio shows is whole: every waiting task has one place of its own."""
        waiting = {n for n, task in self.label_studio.stored.items() if not task["is_labeled"]}
        rows = self.label_studio.predictions[self.shown]
        assert waiting <= set(rows)
        scores = [rows[number].score for number in waiting]
        assert len(set(scores)) == len(scores)
        assert all(0 < score < 1 for score in scores)
        if not self.shown.startswith("start-"):
            assert self.versions.current() == self.shown


def other_than(text: str) -> str:
    """A wrong label."""
    return next(label for label in LABELS if label != text.split()[0])
