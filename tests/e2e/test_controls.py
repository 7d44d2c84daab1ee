"""Two controls on a real Label Studio: connect, answer both or one, train, suggestions of both."""

from __future__ import annotations

import json
import random
from contextlib import closing

from tests.e2e import stack
from tests.e2e.stack import (
    OPTIONS,
    TOPICS,
    finished,
    first_model,
    next_model,
    ordered,
    unused,
)
from xlt_backend.demo.studio import LabelStudioServer
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import template
from xlt_backend.setup.connect import connect

#: Topic -> whether a text may be rated, and with how many stars; shown after these topics only.
RATED = {"farming": 3, "health": 2, "sport": 1}
LABELS = [f"topic: {topic}" for topic in (*RATED, "weather")] + [f"stars: {n}" for n in (1, 2, 3)]


def texts(count: int) -> list[dict]:
    """Texts in three languages about four topics."""
    rows = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    wanted = {*RATED, "weather"}
    found = [r for r in rows if r["lang"] in ("eng", "hau", "som") and r["label"] in wanted]
    random.Random(7).shuffle(found)
    return [{"text": r["text"], "lang": r["lang"], "right": r["label"]} for r in found[:count]]


def interface() -> str:
    """A topic, and stars that the page shows after three of the four topics."""
    when = f'visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="{",".join(RATED)}"'
    made = template("multi_task", LABELS)
    return made.replace('<Rating name="stars"', f'<Rating {when} name="stars"').replace(
        'required="true" requiredMessage="Choose a rating, or skip the text."', ""
    )


def answer(topic: str, stars: int | None) -> list[dict]:
    """An annotation as Label Studio's page writes it."""
    both = [("topic", "choices", {"choices": [topic]}), ("stars", "rating", {"rating": stars})]
    return [
        {"from_name": name, "to_name": "text", "type": type_, "value": value}
        for name, type_, value in (both if stars is not None else both[:1])
    ]


def annotated(client: Client, project: int, count: int) -> None:
    """Answers what Label Studio serves next: every third text is not rated."""
    for number in range(count):
        task = client.next_task(project)
        assert task is not None
        topic = task["data"]["right"]
        stars = None if number % 3 == 0 else RATED.get(topic)
        client.annotate(task["id"], answer(topic, stars), lead_time=1.0)


def test_from_connecting_to_the_second_version(label_studio: LabelStudioServer, tmp_path) -> None:
    """Each open task shows a topic, and stars where the page shows them."""
    with (
        stack.running(tmp_path, label_studio) as service,
        closing(Client(label_studio.url, label_studio.account.token)) as client,
    ):
        project = client.create_project("two", interface(), show_collab_predictions=True).id
        client.import_tasks(project, [{"data": item} for item in texts(90)])
        train = {"learner": "frozen"}
        options = OPTIONS.model_copy(update={"train": train, "control_weights": {"stars": 0.5}})
        made = connect(client, service.settings, project_id=project, options=options)
        assert [part.name for part in made.interface.task.parts] == ["topic", "stars"]
        assert made.interface.notes == ()
        ordered(client, project)
        first_id = min(row["id"] for row in client.tasks(project))
        client.annotate(first_id, answer("weather", 9), lead_time=1.0)

        annotated(client, project, 30)
        first = first_model(client, project)
        assert_both_are_shown(client, project, first)
        annotated(client, project, 24)
        second = next_model(client, project, first)

        assert unused(finished(service, project)) == {
            "'stars': expected a number from 1 to 3 in steps of 1, got 9": [str(first_id)]
        }
        folder = service.store(project).open(second)
        task = json.loads((folder / "task.json").read_text())
        assert [part["name"] for part in task["controls"]] == ["topic", "stars"]


def assert_both_are_shown(client: Client, project: int, version: str) -> None:
    """Each region has its own confidence; what the page would hide is not suggested."""
    topics, stars = [], []
    for row in client.pages(project, "id,is_labeled,predictions,result,score,model_version"):
        predictions = [p for p in row["predictions"] if p["model_version"] == version]
        if row["is_labeled"] or not predictions:
            continue
        regions = {region["from_name"]: region for region in predictions[0]["result"]}
        assert all(0 <= region["score"] <= 1 for region in regions.values())
        [topic] = regions["topic"]["value"]["choices"]
        assert ("stars" in regions) == (topic in RATED)
        topics.append(topic)
        stars += [regions["stars"]["value"]["rating"]] if topic in RATED else []
    assert len(topics) >= 40
    assert {"weather", "farming"} <= set(topics)
    assert set(stars) <= set(RATED.values())
    assert stars
