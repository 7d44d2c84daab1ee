"""An installation whose former code was replaced: its Redis, store and Label Studio."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from tests.same import answers_only, differences, without_digests
from tests.upgrade.restore import restore_label_studio, restore_redis
from tests.xlt_backend.story import train_here
from tests.xlt_backend.world import World
from xlt_backend.queue.rounds import QUEUE
from xlt_backend.rounds.ledger import LEDGER
from xlt_backend.run.processes import RoundWorker

DATA = Path(__file__).parents[1] / "data" / "upgrade"


class Site:
    """Goes on from one folder of `tests/data/upgrade`, in the working folder."""

    def __init__(self, name: str, redis: Redis) -> None:
        self.folder = DATA / name
        self.world = World(
            home=Path("home"),
            redis=redis,
            encoder="tiny",
            language=("som", 0.9),
            trainer=train_here,
        )
        restore_redis(redis, self.folder / "redis.json")
        if (self.folder / "label_studio.json").exists():
            studio = self.world.label_studio
            self.world.time = restore_label_studio(studio, self.folder / "label_studio.json")
        for part in ("models", "work"):
            if (self.folder / part).exists():
                shutil.copytree(self.folder / part, Path("home", part))

    @property
    def expected(self) -> dict[str, Any]:
        """Results of the former code."""
        return json.loads((self.folder / "expected.json").read_text("utf-8"))

    def work(self) -> None:
        """A worker does the job that waits in the queue; a second passes."""
        self.world.time += 1
        queue = Queue(QUEUE, connection=self.world.redis, serializer=JSONSerializer)
        assert queue.count == 1
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            worker = RoundWorker([queue], connection=self.world.redis, serializer=JSONSerializer)
            worker.work(burst=True, max_jobs=1, logging_level="ERROR")
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def rows(self, version: str) -> list[list[Any]]:
        """Published rows of a version, in their order."""
        rows = self.world.label_studio.predictions[version].values()
        return [[row.task_id, row.score, row.result] for row in rows]

    def differences(self, expected: dict[str, Any], version: str) -> list[str]:
        """Differences of the project to the `expected` one, after a round that published `version`.

        Of the state, the fields in `expected` are compared; sentences are not.
        """
        world, info = self.world, self.world.label_studio.info
        status = world.service.status("1")
        examples = world.versions.open(version) / "examples.json"
        found = {
            "action": world.state.last_round["action"],
            "switched": [info.model_version, info.sampling],
            "published": self.rows(version)[-len(expected["published"]) :],
            "draws": without_digests(json.loads(world.versions.note(LEDGER) or b"{}")),
            "history": [[c.action, c.version, c.previous] for c in world.versions.history()],
            "examples": answers_only(json.loads(examples.read_text("utf-8"))),
            "data_hash": world.versions.meta(version).data_hash,
            "status": without_words({name: status[name] for name in expected["status"]}),
        }
        return differences(expected, json.loads(json.dumps(found)), 1e-3)


def without_words(value: Any) -> Any:
    """Leaves out sentences of the payoff, and forecasts, which the former code did not have."""
    if not isinstance(value, dict):
        return value
    left_out = ("words", "forecast")
    return {key: without_words(item) for key, item in value.items() if key not in left_out}


def never(folder: Path, **how: Any) -> dict[str, Any]:
    """A trainer that must not be called."""
    raise AssertionError(f"{folder} was trained")
