"""Labels are renamed, merged, removed and added in a real Label Studio while people work."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.builders import region
from tests.e2e.desk import OPTIONS, Desk, opened
from tests.e2e.test_histories import LABELS, about, answered, config, labels, texts
from xlt.errors import ConfigError
from xlt_backend.cli import build_parser
from xlt_backend.demo.studio import LabelStudioServer
from xlt_backend.errors import RejectedError
from xlt_backend.labelstudio.links import stored_options
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.decide import Action, Decision
from xlt_backend.setup.connect import connect


@pytest.fixture(scope="module")
def desk(label_studio: LabelStudioServer, tmp_path_factory) -> Iterator[Desk]:
    """The service."""
    with opened(tmp_path_factory.mktemp("desk"), label_studio) as running:
        running.trainer.skill = 1.0
        running.trainer.words = {"fine cuisine": "food"}
        yield running


@pytest.fixture
def project(desk: Desk, request: pytest.FixtureRequest) -> int:
    """Six labels, twelve waiting tasks and a model that is always right."""
    tasks = [*answered(texts(6)), *texts(12, start=6)]
    return desk.connected(request.node.name[:45], config(*LABELS), tasks)


def edit(desk: Desk, project: int, label_config: str) -> Decision:
    """Edits the interface as its page does, and runs the round that the event asks for."""
    desk.client.update_project(project, label_config=label_config)
    return desk.asked(project)


def tell(desk: Desk, project: int, *renames: str) -> Decision:
    """Runs `xlt connect --rename`, and the round that Label Studio's /setup asks for."""
    found = connect(desk.client, desk.settings, project_id=project, renames=renames)
    for line, rename in zip(found.changes[: len(renames)], renames, strict=True):
        assert repr(rename.partition("=")[0]) in line
    return desk.asked(project)


def shown(desk: Desk, project: int) -> Counter[str]:
    """How often each label is suggested for a waiting task."""
    waiting = {task["id"] for task in desk.client.tasks(project) if not task["is_labeled"]}
    found = {id: chosen for id, chosen in desk.suggestions(project).items() if id in waiting}
    assert set(found) == waiting
    return Counter(label for chosen in found.values() for label in chosen or ["none"])


def test_a_label_is_renamed(desk: Desk, project: int) -> None:
    """Doctor proposes what is told; suggestions go on; old and new answers are one label."""
    trainings, version = desk.trainer.trainings, desk.versions(project).current()
    other = config("sport", "music", "fine cuisine")
    edit(desk, project, other)
    assert set(shown(desk, project)) == {"sport", "music"}

    fault = desk.faults(project)["labels"]
    assert "'food' (2 answers) is no label of the interface any more" in fault
    (command,) = re.findall("`(xlt [^`]*)`", fault)
    args = build_parser("connect").parse_args(shlex.split(command)[1:])
    assert (args.project, args.rename) == (project, ["food=fine cuisine"])
    decision = tell(desk, project, *args.rename)

    assert (decision.action, decision.changed) == (Action.PUBLISH, 0)
    assert shown(desk, project) == {"sport": 4, "music": 4, "fine cuisine": 4}
    assert (desk.trainer.trainings, desk.versions(project).current()) == (trainings, version)
    assert (labels(desk, project), desk.faults(project)) == (6, {})
    changes = desk.status(project)["label_changes"]
    assert changes == {"renamed": {"food": "fine cuisine"}}
    assert desk.round(project).action is Action.NOTHING

    # A page that was open before the edit still submits the old name.
    names = {"food": "fine cuisine"}
    waiting = [task for task in desk.client.tasks(project) if not task["is_labeled"]]
    for place, task in enumerate(waiting[:6]):
        name = about(task) if place < 3 else names.get(about(task), about(task))
        desk.client.annotate(task["id"], [region(name)], lead_time=1.0)
    assert desk.asked(project).trained
    stored = desk.versions(project).open(desk.versions(project).current() or "") / "examples.json"
    answers = Counter(label["answer"] for label in json.loads(stored.read_text()).values())
    assert answers == {"sport": 4, "music": 4, "fine cuisine": 4}
    assert shown(desk, project) == {"sport": 2, "music": 2, "fine cuisine": 2}
    assert (desk.status(project)["label_changes"], desk.faults(project)) == ({}, {})

    # The preview of Label Studio's page complains of labels in use, and its button saves anyway.
    path, fewer = f"/api/projects/{project}/validate/", config("sport", "music")
    with pytest.raises(RejectedError, match="still exist"):
        desk.client.http.request("POST", path, json={"label_config": fewer})
    edit(desk, project, fewer)


def test_labels_are_merged_and_one_is_removed(desk: Desk, project: int) -> None:
    """Told at once; of the removed label's answers none is lost without a word."""
    edit(desk, project, config("sport", "arts", "news"))
    with pytest.raises(ConfigError, match=r"'Arts!' is no label.*\['sport', 'arts', 'news'\]"):
        connect(desk.client, desk.settings, project_id=project, renames=["music=Arts!"])
    with pytest.raises(ConfigError, match="'sport' is still a label of the interface"):
        connect(desk.client, desk.settings, project_id=project, renames=["sport="])
    decision = tell(desk, project, "music=arts", "food=arts")
    assert (decision.action, decision.changed) == (Action.PUBLISH, 0)
    assert shown(desk, project) == {"sport": 4, "arts": 8}

    tell(desk, project, "food=")
    assert set(shown(desk, project)) == {"sport", "arts"}
    status = desk.status(project)
    assert status["unused"]["a removed label: 'food'"]["answers"] == 2
    assert status["extra_params"]["rename"] == {"music": "arts", "food": ""}
    assert (labels(desk, project), desk.faults(project)) == (4, {})

    # Other options are set: what was told stays, unless it is told again.
    url = desk.settings.public_url
    for given, kept in (
        (OPTIONS.model_copy(update={"batch": 9}), {"music": "arts", "food": ""}),
        (ProjectOptions(rename={"food": "arts"}), {"food": "arts"}),
        (ProjectOptions(rename={}), {}),
    ):
        connect(desk.client, desk.settings, project_id=project, options=given)
        assert stored_options(desk.client, project, url) == given.model_copy(
            update={"rename": kept}
        )


def test_a_label_is_added(desk: Desk, project: int) -> None:
    """The model goes on with the others, new tasks too, until it has learned the new one."""
    trainings = desk.trainer.trainings
    decision = edit(desk, project, config(*LABELS, "news"))
    assert decision.action is Action.NOTHING
    assert shown(desk, project) == {"sport": 4, "music": 4, "food": 4}
    assert desk.status(project)["label_changes"] == {"added": ["news"]}

    desk.client.import_tasks(project, texts(3, start=100))
    desk.asked(project)
    assert shown(desk, project) == {"sport": 5, "music": 5, "food": 5}
    assert (desk.trainer.trainings, desk.faults(project)) == (trainings, {})

    waiting = [task for task in desk.client.tasks(project) if not task["is_labeled"]]
    for place, task in enumerate(waiting[:5]):
        name = "news" if place < 2 else about(task)
        desk.client.annotate(task["id"], [region(name)], lead_time=1.0)
    assert desk.asked(project).trained
    assert desk.trainer.plans[-1].task.labels == (*LABELS, "news")
    assert desk.status(project)["label_changes"] == {}
