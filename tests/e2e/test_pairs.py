"""Pairs of texts in the real Label Studio: is it a translation? Which one is the translation?"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from typing import Any

from tests.e2e.stack import (
    OPTIONS,
    TOPICS,
    Service,
    finished,
    first_model,
    ordered,
)
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import template
from xlt_backend.setup.connect import connect


def pairs(count: int) -> list[dict[str, Any]]:
    """Sentences in English and Hausa or Somali; half of them are translations."""
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for line in TOPICS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts[row["group"]][row["lang"]] = row["text"]
    groups = [group for group in texts.values() if {"eng", "hau", "som"} <= set(group)]
    random.Random(7).shuffle(groups)
    made = []
    for number in range(count):
        one, other = groups[number % len(groups)], groups[(number + 1) % len(groups)]
        lang, right = ("hau", "som")[number % 2], number % 4 < 2
        text = (one if right else other)[lang]
        truth = "yes" if right else "no"
        made.append({"english": one["eng"], "other": text, "lang": lang, "truth": truth})
    return made


def test_from_connecting_to_suggestions(client: Client, service: Service) -> None:
    """Both texts are read, labels given through the API train, and every pair gets a suggestion."""
    config = template("single_label", ("yes", "no"), ("english", "other"))
    project = client.create_project("pairs", config, show_collab_predictions=True).id
    half = {"english": "Alone.", "other": " ", "lang": "hau", "truth": "no"}
    client.import_tasks(project, [{"data": data} for data in [*pairs(80), half]])
    options = OPTIONS.model_copy(update={"train": {"learner": "frozen"}})
    connection = connect(client, service.settings, project_id=project, options=options)
    assert connection.interface.text_keys == ("english", "other")
    ordered(client, project, within_s=300)

    for _ in range(28):
        task = client.next_task(project)
        assert task is not None
        value = {"choices": [task["data"]["truth"]]}
        answer = {"from_name": "label", "to_name": "other", "type": "choices", "value": value}
        client.annotate(task["id"], [answer], lead_time=1.0)
    version = first_model(client, project, within_s=600)

    state = finished(service, project)
    [(lacking, reason)] = state["unusable"].items()
    assert reason == "no text: 'other' is empty"
    assert any("read too: <Text name='english'" in note for note in state["notes"])
    meta = service.store(project).meta(version)
    assert meta.details["texts"] == 2
    waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
    found = [row for row in predictions(client, project) if row["model_version"] == version]
    suggested = {row["task"]: row["result"] for row in found if row["task"] in waiting}
    assert set(suggested) == waiting
    assert suggested.pop(int(lacking)) == []
    for [region] in suggested.values():
        assert region["to_name"] == "other"
        assert region["value"]["choices"][0] in ("yes", "no")
    last = max(client.scores(project, version).items(), key=lambda item: item[1])
    assert last[0] == int(lacking)


def predictions(client: Client, project: int) -> list[dict[str, Any]]:
    """All predictions of a project, as Label Studio stores them."""
    found = client.http.request("GET", "/api/predictions/", params={"project": project})
    return list(found["results"] if isinstance(found, dict) else found)


def preferences(count: int) -> list[dict[str, Any]]:
    """An English sentence, its translation, and that of another sentence, in either place."""
    made = []
    for number, (yes, no) in enumerate(zip(pairs(count), pairs(count + 3)[3:], strict=False)):
        yes = {**yes, "other": translation(yes["english"], yes["lang"])}
        wrong = translation(no["english"], yes["lang"])
        left = number % 2 == 0
        texts = (yes["other"], wrong) if left else (wrong, yes["other"])
        made.append(
            {
                "english": yes["english"],
                "left": texts[0],
                "right": texts[1],
                "lang": yes["lang"],
                "truth": "left" if left else "right",
            }
        )
    return made


def translation(english: str, lang: str) -> str:
    """The translation of a shipped sentence."""
    rows = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    [group] = {row["group"] for row in rows if row["text"] == english}
    return next(row["text"] for row in rows if (row["group"], row["lang"]) == (group, lang))


CONTEXT = '<Text name="english" value="$english"/>'


def test_a_preference_with_a_context(client: Client, service: Service) -> None:
    """Which of two texts translates the third; suggestions are published and read back."""
    tasks = preferences(60)
    config = template("pairwise", ("left", "right")).replace("<Pairwise", f"{CONTEXT}<Pairwise")
    project = client.create_project("preference", config, show_collab_predictions=True).id
    client.import_tasks(project, [{"data": task} for task in tasks])
    options = OPTIONS.model_copy(update={"train": {"learner": "frozen"}})
    connection = connect(client, service.settings, project_id=project, options=options)
    assert connection.interface.text_keys == ("english", "left", "right")
    assert connection.interface.task.to_json()["context"] is True
    ordered(client, project, within_s=300)

    for number in range(28):
        task = client.next_task(project)
        assert task is not None
        # As the page writes it, or as it keeps an accepted suggestion.
        to_name = "label" if number % 2 else "left"
        value = {"selected": task["data"]["truth"]}
        answer = {"from_name": "label", "to_name": to_name, "type": "pairwise", "value": value}
        client.annotate(task["id"], [answer], lead_time=1.0)
    version = first_model(client, project, within_s=600)

    state = finished(service, project)
    assert (state["unused"], state["left_out"]) == ({}, {})
    meta = service.store(project).meta(version)
    assert (meta.details["texts"], meta.details["kind"]) == (3, "pairwise")
    waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
    found = [row for row in predictions(client, project) if row["model_version"] == version]
    suggested = {row["task"]: row["result"] for row in found if row["task"] in waiting}
    assert set(suggested) == waiting
    for [region] in suggested.values():
        assert (region["type"], region["to_name"]) == ("pairwise", "left")
        assert region["value"]["selected"] in ("left", "right")
