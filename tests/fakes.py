"""Hand-written stand-ins for Label Studio, the training process and the lease of a round."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xlt.data.jsonl import read_jsonl
from xlt.errors import CancelledError
from xlt.tasks.outputs import Outputs, Scores
from xlt_backend.errors import NotFoundError, PublishError
from xlt_backend.labelstudio.client import ProjectInfo, Published
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.labelstudio.gateway import Connected
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.scoring import calibrate

LABELS = ("sport", "music", "food")

CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="topic" toName="text" choice="single">
    <Choice value="sport"/><Choice value="music"/><Choice value="food"/>
  </Choices>
</View>
"""


class FakeLabelStudio:
    """One project in memory that behaves as Label Studio does.

    `before` is called with the name of each request; what it raises is the answer.
    """

    def __init__(self, *, project: int = 1, config: str = CONFIG) -> None:
        self.info = ProjectInfo(
            id=project,
            key=f"{project}.1795330494",
            title="Topics",
            label_config=config,
            model_version="",
            sampling="Sequential sampling",
            task_count=0,
            annotated_count=0,
            maximum_annotations=1,
        )
        self.extra_params: Any = None
        self.stored: dict[int, dict[str, Any]] = {}
        self.predictions: dict[str, dict[int, PublishRow]] = {}
        self.webhooks = 0
        self.tabs: dict[str, list[int]] = {}
        self.loses_rows = 0
        self.left_out: set[int] = set()  # by bulk import, and how many of them are sent alone
        self.singly = 0
        self.is_quiet = True
        self.before: Callable[[str], None] = lambda _: None
        self.calls: list[str] = []
        self._revision = 0

    # What people do --------------------------------------------------------------------------

    def add_tasks(self, count: int, *, langs: Sequence[str] = ("en", "sw", "yo")) -> list[int]:
        """Imports tasks whose text says what they are about."""
        made = []
        for _ in range(count):
            number = len(self.stored) + 1
            about = LABELS[number // len(langs) % len(LABELS)]
            lang = langs[number % len(langs)]
            data = {"text": f"{about} {lang} {number}", "lang": lang}
            self.stored[number] = {"id": number, "data": data, "is_labeled": False}
            self.stored[number]["annotations"] = []
            made.append(number)
        self._revision += 1
        return made

    def replace_task(self, task_id: int, text: str, **data: Any) -> None:
        """Deletes a task with all it has, and gives its id to another, as SQLite does."""
        self.edit_text(task_id, text)
        self.stored[task_id]["data"] |= data
        self.unlabel(task_id)
        for rows in self.predictions.values():
            rows.pop(task_id, None)

    def edit_text(self, task_id: int, text: str) -> None:
        """Changes the text of a task; its annotations and predictions stay."""
        self.stored[task_id]["data"]["text"] = text
        self._revision += 1

    def label(self, task_id: int, label: str | None = None, **fields: Any) -> None:
        """Annotates a task; with what its text says, where nothing else is named."""
        task = self.stored[task_id]
        label = label or task["data"]["text"].split()[0]
        region = {"from_name": "topic", "to_name": "text", "value": {"choices": [label]}}
        number = 1000 * task_id + len(task["annotations"])
        annotation = {"id": number, "completed_by": 1, "result": [region], "lead_time": 2.0}
        annotation |= fields
        others = [a for a in task["annotations"] if a["completed_by"] != annotation["completed_by"]]
        task["annotations"] = [*others, annotation]
        task["is_labeled"] = len(task["annotations"]) >= task.get("overlap", 1)
        self._revision += 1

    def label_next(self, count: int) -> list[int]:
        """Annotates what Label Studio serves next, one after the other."""
        done = []
        for _ in range(count):
            done.append(self.next_task())
            self.label(done[-1])
        return done

    def unlabel(self, task_id: int) -> None:
        """Deletes a task's annotations."""
        self.stored[task_id] |= {"annotations": [], "is_labeled": False}
        self._revision += 1

    def next_task(self) -> int:
        """The task that uncertainty sampling serves."""
        shown = self.predictions.get(self.info.model_version, {})
        waiting = [number for number, task in self.stored.items() if not task["is_labeled"]]
        ranked = sorted((shown[n].score, n) for n in waiting if n in shown)
        return ranked[0][1] if ranked else waiting[0]

    def edit(self, **fields: Any) -> None:
        """Changes fields of the project."""
        self.info = replace(self.info, **fields)
        self._revision += 1

    # What xlt asks; see gateway.Gateway

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        self.before(what)

    def _mine(self, project_id: int) -> None:
        if project_id != self.info.id:
            raise NotFoundError(f"there is no project {project_id}")

    def project(self, project_id: int) -> ProjectInfo:
        """The project."""
        self._asked("project")
        self._mine(project_id)
        return self.info

    def options(self, project_id: int) -> object:
        """Its extra_params."""
        self._asked("options")
        return self.extra_params

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """A copy of all tasks, with the scores of the version that is shown."""
        self._asked("tasks")
        shown = self.predictions.get(self.info.model_version, {})
        scores = {number: row.score for number, row in shown.items()}
        tasks = json.loads(json.dumps(list(self.stored.values())))
        return [task | {"predictions_score": scores.get(task["id"])} for task in tasks]

    def activity(self, project_id: int) -> str:
        """Changes with tasks and labels."""
        self._asked("activity")
        self._mine(project_id)
        return str(self._revision)

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Scores of a version."""
        self._asked("scores")
        return {n: row.score for n, row in self.predictions.get(version, {}).items()}

    def versions(self, project_id: int) -> Mapping[str, int]:
        """Versions with their number."""
        self._asked("versions")
        return {version: len(rows) for version, rows in self.predictions.items()}

    def publish(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> Published:
        """Stores rows, half of them before `publish half`."""
        self._asked("publish")
        there = self.predictions.setdefault(version, {})
        for at, row in enumerate(rows):
            if at == len(rows) // 2:
                self._asked("publish half")
            if row.task_id in self.stored:
                there.setdefault(row.task_id, row)
        if self.loses_rows:
            raise PublishError(f"{self.loses_rows} of {len(rows)} predictions are missing")
        left_out = [row.task_id for row in rows if row.result and row.task_id in self.left_out]
        for task in left_out[self.singly :]:
            there[task] = replace(there[task], answer=None, result=[])
        singly, bare = left_out[: self.singly], left_out[self.singly :]
        return Published(stored=len(rows), singly=tuple(singly), bare=tuple(bare))

    def withdraw(self, project_id: int, version: str, tasks: Sequence[int]) -> None:
        """Deletes some rows of a version."""
        self._asked("withdraw")
        for task in tasks:
            self.predictions[version].pop(task, None)

    def switch(self, project_id: int, version: str) -> None:
        """Shows a version, which must be there."""
        self._asked("switch")
        if version not in self.predictions:
            raise AssertionError(f"{version} has no predictions")
        self.info = replace(self.info, model_version=version, sampling="Uncertainty sampling")

    def list_tasks(self, project_id: int, title: str, tasks: Sequence[int]) -> None:
        """Keeps the tab."""
        self._asked("list tasks")
        self.tabs[title] = list(tasks)

    def reopen(self, answers: Mapping[int, int]) -> None:
        """They wait again."""
        self._asked("reopen")
        for task, count in answers.items():
            self.stored[task] |= {"is_labeled": False, "overlap": count}

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Deletes all but some."""
        self._asked("prune")
        if not self.is_quiet:
            return []
        gone = set(self.predictions) - set(keep) - {self.info.model_version}
        for version in gone:
            del self.predictions[version]
        return sorted(gone)

    def quiet(self, project_id: int) -> bool:
        """What the test says."""
        self._asked("quiet")
        return self.is_quiet

    def connected(self, known: Collection[str] = ()) -> list[Connected]:
        """The one project."""
        self._asked("connected")
        return [Connected(info=self.info, extra_params=self.extra_params)]

    def ensure_webhook(self, project_id: int) -> None:
        """Counts."""
        self._asked("webhook")
        self.webhooks += 1


class FakeLease:
    """The lease of a round, until a test takes it away."""

    def __init__(self) -> None:
        self.lost = False
        self.stop = False
        self.others = False

    def others_wait(self) -> bool:
        """Whether somebody wants other work."""
        return self.others

    def renew(self) -> bool:
        """Whether nobody took it away."""
        return not self.lost

    def cancelled(self) -> bool:
        """Whether somebody wants an end."""
        return self.stop


class FakeTrainer:
    """Learns in no time: the first word of a text is its label, `skill` of the time.

    Its vectors say what a text is about, the plainer the larger `telling`. A label with another
    name than the word has the word in `words`.
    """

    def __init__(self) -> None:
        self.skill = 0.9
        self.telling = 0.0
        self.words: dict[str, str] = {}
        self.plans: list[files.TrainPlan] = []
        self.before: Callable[[files.TrainPlan], None] = lambda _: None
        self.adaptation: dict[str, Any] = {"adapted": True, "reason": "9 texts gained, 1 lost"}
        self.comparison: dict[str, Any] = {}

    def __call__(
        self,
        folder: Path,
        *,
        timeout_s: float,
        on_progress: Callable[[Mapping[str, Any]], None],
        should_stop: Callable[[], bool],
    ) -> dict[str, Any]:
        """Does the plan, as `supervise.run_trainer` would."""
        plan = files.read_plan(folder)
        self.plans.append(plan)
        on_progress({"phase": plan.mode, "done": 1, "total": 2, "losses": {"task": 0.5}})
        self.before(plan)
        if should_stop():
            raise CancelledError("the training was asked to stop")
        if plan.mode == "adapt":
            Path(str(plan.adapted)).mkdir(exist_ok=True)
            (Path(str(plan.adapted)) / "config.json").write_text("{}")
            return {"adaptation": self.adaptation}
        skill = self.skill
        if plan.mode == "train":
            (folder / files.MODEL).mkdir(exist_ok=True)
            (folder / files.MODEL / "model.txt").write_text(str(skill))
            files.write_json(folder / files.MODEL / "labels.json", {"labels": plan.task.labels})
        model = folder / files.MODEL if plan.mode == "train" else plan.model
        skill, labels = _learned(Path(model)) if model else (skill, [])
        for source, target in (
            (files.LABELLED, files.LABELLED_SCORES),
            (files.AUDIT, files.AUDIT_SCORES),
            (files.POOL, files.POOL_SCORES),
        ):
            texts = [example.text for example in read_jsonl(folder / source)]
            words = [self.words.get(label, label) for label in labels]
            scores_of(texts, words, skill, self.telling).save(folder / target)
        if plan.mode == "train":
            calibrate(folder, plan, read_jsonl(folder / files.AUDIT))
        if plan.active:
            texts = [example.text for example in read_jsonl(folder / files.AUDIT)]
            skill, labels = _learned(Path(plan.active))
            scores_of(texts, labels, skill).save(folder / files.ACTIVE_AUDIT_SCORES)
        result = {"seconds": {"train": 1.0, "score": 0.5}, "peak_rss_bytes": 10**9}
        return result | {"training": {"comparison": self.comparison} if self.comparison else {}}

    @property
    def trainings(self) -> int:
        """How often a model was trained."""
        return sum(plan.mode == "train" for plan in self.plans)


def _learned(model: Path) -> tuple[float, list[str]]:
    """Skill and labels of a model."""
    labels = files.read_json(model / "labels.json")["labels"]
    return float((model / "model.txt").read_text()), list(labels)


def scores_of(
    texts: Sequence[str], labels: Sequence[str], skill: float, telling: float = 0.0
) -> Scores:
    """Logits that are right for a share of the texts, and vectors that differ."""
    logits = np.zeros((len(texts), len(labels)), np.float32)
    vectors = np.zeros((len(texts), 8), np.float32)
    for row, text in enumerate(texts):
        number = int(text.split()[-1])
        vectors[row] = np.random.default_rng(number).normal(size=8)
        about = text.split()[0]
        vectors[row, : len(LABELS)] += [telling * (about == label) for label in LABELS]
        if labels:
            said = labels.index(text.split()[0]) if text.split()[0] in labels else 0
            wrong = (number * 37) % 100 >= skill * 100
            names = len(set(labels))  # several controls have the same labels
            for start in range(0, len(labels), names):
                logits[row, start + (said + wrong) % names] = 1.0 + number % 3
    return Scores(outputs=Outputs(logits), vectors=vectors)
