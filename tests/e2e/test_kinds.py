"""Every kind of task against the real Label Studio: its suggestions and its answers."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import MakeProject
from tests.xlt.tasks.samples import TEXTS, drawn, labels_of, texts_of
from xlt.tasks.kinds import KINDS
from xlt.tasks.task import Suggestion
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.convert import to_row, votes_of
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.labelstudio.scores import rank_to_score

COUNT = 10
CASES = [*((kind, labels_of(kind)) for kind in KINDS), ("rating", ("0", "0.25", "0.5", "0.75"))]


@pytest.mark.parametrize(("kind", "labels"), CASES)
def test_suggestions_are_kept_and_answers_come_back(
    kind: str, labels: tuple[str, ...], client: Client, make_project: MakeProject
) -> None:
    """Label Studio stores every prediction, and exports each annotation as it was given."""
    project = make_project(label_config=template(kind, labels))
    keys = texts_of(kind)
    texts = TEXTS * len(keys)
    client.import_tasks(project.id, [dict(zip(keys, texts, strict=True), lang="en")] * COUNT)
    interface = Interface.from_label_config(client.project(project.id).label_config)
    ids = sorted(int(task["id"]) for task in client.tasks(project.id))
    given = dict(zip(ids, drawn(interface.task, 0, COUNT), strict=True))
    suggested = {id: Suggestion(answer=answer, confidence=0.8) for id, answer in given.items()}

    rows = [
        to_row(
            id,
            interface,
            score=rank_to_score(rank, COUNT),
            suggestion=suggested[id],
            texts=texts,
        )
        for rank, id in enumerate(ids)
    ]
    assert client.publish(project.id, "v1", rows).stored == COUNT
    client.switch(project.id, "v1")
    assert client.scores(project.id, "v1") == {row.task_id: row.score for row in rows}
    for id in ids:
        client.annotate(id, interface.results(suggested[id], texts))

    exported = {
        int(task["id"]): votes_of(task, interface, texts) for task in client.tasks(project.id)
    }
    assert len(set(given.values())) > 1
    assert {id: list(votes.answers.values()) for id, votes in exported.items()} == {
        id: [answer] for id, answer in given.items()
    }
