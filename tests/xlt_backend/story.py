"""Story of a project: its rounds from the first order to an edit of the labels, recorded as JSON.

The old code (7744395) told the same story; `tests/data/rounds` holds what it recorded, but for one
number: an edit of the labels no longer makes a training due, this has to be requested. Clock, ids
and seeds are fixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.fakes import CONFIG, LABELS
from tests.same import answers_only, without_digests
from tests.xlt_backend.world import World
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.wire import WireTask
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.ledger import LEDGER
from xlt_backend.rounds.snapshot import Snapshot
from xlt_backend.run.web import Models
from xlt_backend.service.predict import Inference
from xlt_backend.service.registry import Registry
from xlt_backend.trainer.work import Speaker, run

LANGS = ("en", "sw", "yo")
#: Words that the tests' tiny encoder knows, by label and language.
WORDS = {
    "sport": {
        "en": "ball game team goal match",
        "sw": "wasan kwallo gasa run goal",
        "yo": "a b c d e f",
    },
    "music": {"en": "law court rule plan good", "sw": "doka court rule law", "yo": "h i j k l m n"},
    "food": {
        "en": "vote party state tax bad",
        "sw": "gwamnati zabe vote tax",
        "yo": "q r s t u v x",
    },
}
FILL = {"en": "the is and in", "sw": "the in good was", "yo": "is was of a"}
OPTIONS = {
    "group_field": "group",
    "source_languages": "en",
    "retrain_after_labels": 10,
    "batch": 20,
    "audit_share": 0.3,
    "control_share": 0.2,
    "relabel_share": 0.2,
    "keep_versions": 2,
    # A fixed precision: by default it depends on the processor.
    "train": {"max_steps": 8, "max_length": 32, "labelled_rows": 8, "precision": "fp32"},
}
EDITED = CONFIG.replace('<Choice value="food"/>', '<Choice value="food"/><Choice value="art"/>')


def pinned(snapshot: Snapshot, config: Mapping[str, object]) -> str:
    """A data hash of the labels alone: new hyper-parameters do not change the sampler's seed."""
    rows = sorted((e.id, e.text, e.lang, str(e.answer), e.weight) for e in snapshot.train)
    content = [list(snapshot.task.labels), rows]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def train_here(folder: Path, **how: Any) -> dict[str, Any]:
    """Carries out a plan in this process."""
    return dict(run(folder, Speaker(None, how["should_stop"])))


class Story:
    """A world whose annotators are two, and sometimes wrong; its rounds are recorded."""

    def __init__(self, world: World, *, tiny: bool) -> None:
        """`tiny`: the encoder in the folder `tiny` is trained, in this process."""
        self.world = world
        self.studio = world.label_studio
        self.studio.extra_params = OPTIONS
        self.tiny = tiny
        self.rounds: list[dict[str, Any]] = []
        self._published: dict[str, int] = {}
        self._versions: set[str] = set()
        world.trainer.skill, world.trainer.telling = 1.0, 1.0
        if tiny:
            world.trainer = train_here

    def add_tasks(self, count: int) -> list[int]:
        """Imports tasks; the first twelve are translations of one another, by threes."""
        made = self.studio.add_tasks(count, langs=LANGS)
        for number in made:
            data = self.studio.stored[number]["data"]
            if number <= 12:
                data["group"] = f"g{(number - 1) // 3}"
            if self.tiny:
                data["text"] = self._text(number, data["lang"])
        return made

    def _text(self, number: int, lang: str) -> str:
        rng = np.random.default_rng(number)
        own = rng.choice(WORDS[about(number)][lang].split(), size=4)
        return " ".join([*own, *rng.choice(FILL[lang].split(), size=2)])

    def label(self, number: int, label: str | None = None, *, by: int = 1, **fields: Any) -> None:
        """Annotates a task at a time of its own, with an event; every eleventh label is wrong."""
        self.world.time += 1
        at = f"{datetime.fromtimestamp(self.world.time, UTC):%Y-%m-%dT%H:%M:%S}.000000Z"
        label = label or (LABELS[0] if number % 11 == 0 else about(number))
        fields = {"created_at": at, "updated_at": at, "completed_by": by, **fields}
        self.studio.label(number, label, **fields)
        annotation = {"id": number, "was_cancelled": bool(fields.get("was_cancelled"))}
        self.world.event("ANNOTATION_CREATED", annotation=annotation, task={"id": number})

    def label_next(self, count: int) -> list[int]:
        """Two annotators label what Label Studio serves."""
        done = []
        for turn in range(count):
            done.append(self.studio.next_task())
            self.label(done[-1], by=1 + turn % 2)
        return done

    def round(self) -> None:
        """Runs a round and records what it changed."""
        before = self.studio.info.model_version
        decision = self.world.round()
        info = self.studio.info
        self.rounds.append(
            {
                "action": decision.action.value,
                "version": decision.version,
                "counts": [decision.changed, decision.needed, decision.due_at],
                "switched": [before, info.model_version, info.sampling],
                "published": self._new_rows(),
                "tabs": dict(self.studio.tabs),
                "reopened": [n for n, task in self.studio.stored.items() if "overlap" in task],
                "draws": without_digests(json.loads(self.world.versions.note(LEDGER) or b"{}")),
                "current": self.world.versions.current(),
                "versions": self._new_versions(),
            }
        )

    def _new_rows(self) -> dict[str, list[Any]]:
        """Rows published since the last round, by version."""
        new = {}
        for version, rows in self.studio.predictions.items():
            added = list(rows.values())[self._published.get(version, 0) :]
            self._published[version] = len(rows)
            if added:
                new[version] = [[row.task_id, row.score, row.result] for row in added]
        return new

    def _new_versions(self) -> dict[str, Any]:
        """Versions saved since the last round."""
        new = {}
        for name in self.world.versions.versions():
            if name in self._versions:
                continue
            self._versions.add(name)
            meta, folder = self.world.versions.meta(name), self.world.versions.open(name)
            new[name] = {
                "label_counts": dict(meta.label_counts),
                "metrics": dict(meta.metrics),
                "refused": meta.details["refused"],
                "examples.json": answers_only(read(folder / "examples.json")),
                **{
                    file: read(folder / file) for file in ("task.json",) if (folder / file).exists()
                },
            }
        return new

    def predict(self, numbers: range) -> list[dict[str, Any]]:
        """Asks /predict about tasks."""
        tasks = [{"id": n, "data": self.studio.stored[n]["data"]} for n in numbers]
        return predict(self.world, tasks)


def read(path: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(path.read_text("utf-8"))


def about(number: int) -> str:
    """The label of a task, as `FakeLabelStudio.add_tasks` has it."""
    return LABELS[number // len(LANGS) % len(LABELS)]


def predict(world: World, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What /predict answers for tasks."""
    inference = Inference(Registry(world.store, Models().load, capacity=1), deadline_s=60)
    options = ProjectOptions.from_extra_params(world.label_studio.extra_params)
    config = world.label_studio.info.label_config
    answer = inference.predict(
        world.label_studio.info.key,
        [WireTask.model_validate(task) for task in tasks],
        Interface.from_label_config(config, renames=options.rename),
        options,
    )
    return [result.model_dump() for result in answer.results]


def told(story: Story) -> dict[str, Any]:
    """The whole story, JSON-ready."""
    world, studio = story.world, story.studio
    world.setup(extra_params=studio.extra_params)
    story.add_tasks(60)
    studio.stored[58]["data"]["text"] = ""  # nothing to read
    del studio.stored[59]["data"]["lang"]  # its language is identified
    studio.stored[56]["data"]["text"] = "матч в городе 56"  # another script than its language's
    story.round()  # no model yet

    served = story.label_next(26)
    story.label(served[0], LABELS[1], by=3)  # the annotators disagree
    story.label(served[1], LABELS[2], by=3)
    story.label(served[2], ground_truth=True, by=3)
    waiting = [number for number, task in studio.stored.items() if not task["is_labeled"]]
    story.label(waiting[0], was_cancelled=True, result=[])
    story.label(waiting[1], parent_prediction=5, lead_time=None)  # no annotator saw it
    story.round()  # the first model

    new = story.add_tasks(6)
    world.event("TASKS_CREATED", tasks=[{"id": number} for number in new])
    story.round()  # new tasks are inserted

    story.label_next(14)
    story.label(served[5], LABELS[1])  # changed
    studio.unlabel(served[6])
    world.event("ANNOTATIONS_DELETED", annotations=[{"id": 1}], task={"id": served[6]})
    story.round()  # a second model, compared with the first

    if not story.tiny:
        world.trainer.skill = 0.0
    story.label_next(8)
    more = story.add_tasks(3)
    world.event("TASKS_CREATED", tasks=[{"id": number} for number in more])
    world.event("START_TRAINING")
    story.round()  # a training by request; the fake trainer's model is worse
    if not story.tiny:
        world.trainer.skill = 1.0
    story.round()  # nothing new: the encoder is adapted

    studio.edit(label_config=EDITED)
    world.event("PROJECT_UPDATED", project={"id": 1, "title": "Topics", "label_config": EDITED})
    world.event("START_TRAINING")
    story.round()  # the labels were edited, and a training was requested

    record: dict[str, Any] = {"rounds": story.rounds}
    if story.tiny:
        record["predict"] = story.predict(range(40, 60))
    return json.loads(json.dumps(record))
