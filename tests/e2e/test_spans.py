"""Spans against the real Label Studio: marked, learned, suggested, in scripts of every sort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.e2e.stack import OPTIONS, finished, first_model, ordered
from xlt.data.spans import Span
from xlt.tasks.task import Suggestion
from xlt_backend.demo.topics import SHIPPED, Limits, load
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.convert import Unusable, texts_of, to_example
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.options import ProjectOptions
from xlt_backend.setup.connect import connect

#: Texts in scripts whose letters are several code points, or code points outside the BMP, with a
#: place; in two of them after a line end.
SCRIPTS = {
    "tha": ("วันนี้ฝนตกหนัก\nที่เชียงใหม่ เมื่อเช้า", "เชียงใหม่"),
    "khm": ("លោកទៅភ្នំពេញម្សិលមិញ", "ភ្នំពេញ"),
    "ful": ("𞤀𞤣𞤢𞤥𞤢 𞤴𞤢𞤸𞤭𞥅\n𞤑𞤮𞤲𞤢𞥄𞤳𞤭𞤪𞤭 𞤸𞤢𞤲𞤳𞤭", "𞤑𞤮𞤲𞤢𞥄𞤳𞤭𞤪𞤭"),
    "yor": ("Mo lọ sí Ìbàdàn ní àná", "Ìbàdàn"),
}


def as_submitted(text: str, start: int, end: int, label: str) -> dict[str, Any]:
    """A region as Label Studio's page submits it: a line end in its text is two characters."""
    value = {"start": start, "end": end, "text": text[start:end].replace("\n", "\\n")}
    return {
        "from_name": "label", "to_name": "text", "type": "labels", "origin": "manual",
        "value": value | {"labels": [label]},
    }  # fmt: skip


@pytest.mark.parametrize("lang", SCRIPTS)
def test_what_is_marked_comes_back(lang, client):
    """Offsets count code points, over a line end too; so do those of suggestions."""
    text, place = SCRIPTS[lang]
    interface = Interface.from_label_config(template("spans", ["person", "place"]))
    project = client.create_project(f"marks {lang}", interface.label_config)
    client.import_tasks(project.id, [{"data": {"text": text, "lang": lang}}])
    [task] = client.tasks(project.id)
    start = text.index(place)
    over = (0, start + len(place))
    regions = [as_submitted(text, start, start + len(place), "place")]
    client.annotate(task["id"], [*regions, as_submitted(text, *over, "person")])

    [task] = client.tasks(project.id)
    example = to_example(task, interface, ProjectOptions())
    assert not isinstance(example, Unusable)
    assert example.answer == (
        Span(*over, "person"), Span(start, start + len(place), "place")
    )  # fmt: skip
    assert place == text[start : start + len(place)]
    suggested = interface.results(Suggestion(answer=example.answer, confidence=0.5), example.texts)
    [annotation] = task["annotations"]
    assert [region["value"]["text"] for region in suggested] == [
        region["value"]["text"] for region in reversed(annotation["result"])
    ]


def test_spans_are_learned_suggested_and_served_in_order(client, service):
    """Connect, mark, retrain: the model marks names that it has not seen marked there."""
    texts = load(
        SHIPPED,
        {"text": None, "lang": None, "label": None},
        source="eng",
        languages=["swh", "yor"],
        kind="spans",
        limits=Limits(),
        rng=np.random.default_rng(1),
    )
    pool = texts.pool[:80]
    config = template("spans", texts.task.labels)
    project = client.create_project("spans", config, show_collab_predictions=True).id
    client.import_tasks(
        project, [{"data": {"text": e.text, "lang": e.lang, "ref": e.id}} for e in pool]
    )
    options = OPTIONS.model_copy(update={"min_labels": 30, "train": {"learner": "frozen"}})
    connect(client, service.settings, project_id=project, options=options)
    ordered(client, project)

    marked(client, project, {e.id: e for e in pool}, 38)
    first = first_model(client, project, within_s=400)
    order = client.scores(project, first)
    waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
    assert client.next_task(project)["id"] == min(waiting, key=order.__getitem__)
    assert suggests_names(client, project, first, {e.text: e.answer for e in pool}) > 0.3
    state = finished(service, project)
    assert "not measured" in state["payoff"]["choosing"]["words"]


def marked(client: Client, project: int, pool: Mapping[str, Any], count: int) -> None:
    """Marks what Label Studio serves next, as a person would."""
    interface = Interface.from_label_config(client.project(project).label_config)
    for _ in range(count):
        task = client.next_task(project)
        assert task is not None
        texts = texts_of(task, interface)
        answer = pool[task["data"]["ref"]].answer
        results = interface.results(Suggestion(answer=answer, confidence=1.0), texts)
        client.annotate(task["id"], [{**region, "origin": "manual"} for region in results or ()])


def suggests_names(
    client: Client, project: int, version: str, right: Mapping[str, tuple[Span, ...]]
) -> float:
    """The share of names that a version suggests, of those in tasks that wait."""
    hits = total = 0
    for row in client.pages(project, "id,data,predictions,result,score,model_version,annotations"):
        spans = set(right[row["data"]["text"]])
        for prediction in row["predictions"]:
            if prediction["model_version"] != version:
                continue
            values = [region["value"] for region in prediction["result"]]
            found = {Span(v["start"], v["end"], v["labels"][0]) for v in values}
            assert all(0 <= region["score"] <= 1 for region in prediction["result"])
            hits, total = hits + len(spans & found), total + len(spans)
    return hits / total
