"""A taxonomy through the whole loop: a real Label Studio, `xlt up`, the bundled encoder."""

from __future__ import annotations

import json
import random

import numpy as np

from tests.e2e.stack import OPTIONS, TOPICS, first_model, ordered
from tests.waiting import eventually
from xlt.data.examples import Example
from xlt.tasks.task import Suggestion
from xlt.tasks.taxonomy.kind import KIND
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.setup.connect import connect


def texts(count: int) -> list[dict]:
    """Task data: texts in three languages with the path of their topic."""
    rows = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["lang"] in ("eng", "hau", "som")]
    random.Random(13).shuffle(rows)
    examples = [
        Example(id=r["id"], texts=(r["text"],), lang=r["lang"], answer=r["label"])
        for r in rows[:count]
    ]
    made = KIND.demonstrate(examples, np.random.default_rng(0))
    return [{"text": e.text, "lang": e.lang, "path": list(e.answer[0])} for e in made]


def annotated(client: Client, project: int, interface: Interface, count: int) -> None:
    """Labels what Label Studio serves next with its path, as a person would."""
    for _ in range(count):
        task = client.next_task(project)
        answer = interface.task.read([task["data"]["path"]])
        results = interface.results(Suggestion(answer=answer, confidence=1.0))
        client.annotate(task["id"], [{**r, "origin": "manual"} for r in results], lead_time=1.0)


def test_from_connecting_to_predictions_and_a_changed_tree(client, service):
    """Connect, label, train: paths are suggested in the published order; then a branch is moved."""
    data = texts(120)
    labels = sorted({" / ".join(item["path"]) for item in data})
    config = template("taxonomy", labels)
    interface = Interface.from_label_config(config)
    project = client.create_project("taxonomy", config, show_collab_predictions=True).id
    client.import_tasks(project, [{"data": item} for item in data])
    connect(client, service.settings, project_id=project, options=OPTIONS)
    ordered(client, project)

    annotated(client, project, interface, 28)
    version = first_model(client, project)
    order = client.scores(project, version)
    waiting = {int(row["id"]) for row in client.tasks(project) if not row["is_labeled"]}
    assert client.next_task(project)["id"] == min(waiting, key=order.__getitem__)
    for task in client.pages(project, "id,predictions,result,score,model_version"):
        if int(task["id"]) in waiting:
            [prediction] = [p for p in task["predictions"] if p["model_version"] == version]
            [result] = prediction["result"]
            [path] = result["value"]["taxonomy"]
            assert tuple(path) in interface.task.paths
            assert result["type"] == "taxonomy"
            assert 0 < result["score"] <= 1

    # Education becomes a branch of its own: those answers are counted, all others still train.
    inner = '<Choice value="education"/>'
    moved = config.replace(inner, "").replace("</Taxonomy>", f"{inner}</Taxonomy>")
    answered = [t["data"]["path"] for t in client.tasks(project) if t["is_labeled"]]
    lost = answered.count(["Society", "education"])
    assert 0 < lost < len(answered)
    client.update_project(project, label_config=moved)
    reason = "unknown label 'Society / education'"
    unused = eventually(lambda: service.state(project)["unused"].get(reason), within_s=300)
    assert unused["answers"] == lost
    state = service.state(project)
    labels = sum(state["labels"].values()) + sum(state["audit_labels"].values())
    assert labels == len(answered) - lost
