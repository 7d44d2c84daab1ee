"""Label Studio's export of several controls: each is read alone, all are learned together."""

from __future__ import annotations

import pytest

from tests.xlt.tasks.exported import annotation, json_file, rated, result, task
from xlt.data.by_control import ByControl
from xlt.errors import DataError
from xlt.tasks.exports import read_file
from xlt.tasks.kinds import infer_task


def both(number, topic, stars, who=1):
    """An annotation with a topic and stars."""
    given = annotation(number, [topic], who)
    return given | {"result": [*given["result"], *rated(number, stars)["result"]]}


@pytest.fixture
def export(tmp_path):
    """Five tasks: both controls, one of them, two people who differ in one, a skip, nothing."""
    tasks = [
        task(1, both(1, "sport", 3)),
        task(2, annotation(2, ["health"])),
        task(3, both(3, "sport", 1), both(4, "health", 1, who=2)),
        task(4, annotation(5, [], was_cancelled=True)),
        task(5, rated(6, 2)),
        task(6, annotation(7, [])),
    ]
    return json_file(tmp_path, tasks)


def answers(corpus):
    """Answers by the ids of the tasks."""
    return {example.id: example.answer for example in corpus.examples}


def test_all_controls_about_the_whole_text_are_read(export):
    """A control that was not filled in, or on which people differ, is missing."""
    corpus = read_file(export, {}, kind="multi_task")
    assert answers(corpus) == {
        "1": ByControl.of({"topic": "sport", "stars": 3}),
        "2": ByControl.of({"topic": "health"}),
        "3": ByControl.of({"stars": 1}),
        "4": None,
        "5": ByControl.of({"stars": 2}),
        "6": None,
    }
    task = infer_task([e for e in corpus.examples if e.answer is not None], "multi_task")
    assert {part.name: part.task.kind for part in task.parts} == {
        "topic": "single_label", "stars": "rating"
    }  # fmt: skip
    assert corpus.summary == (
        "read 6 tasks of a Label Studio export: 4 labelled, 1 skipped, 1 without an answer "
        "(labels from 'topic', 'stars')"
    )


def test_the_option_names_the_controls(export):
    """In the order of the interface; an unknown one is refused."""
    corpus = read_file(export, {"label": "stars"}, kind="multi_task")
    assert answers(corpus)["1"] == ByControl.of({"stars": 3})
    with pytest.raises(DataError, match="'mood'"):
        read_file(export, {"label": "stars,mood"}, kind="multi_task")


def test_without_the_kind_several_choices_are_not_clear(tmp_path):
    """The line names both ways on."""
    given = annotation(1, ["sport"])
    given["result"].append(result(["calm"], "mood"))
    path = json_file(tmp_path, [task(1, given)])
    with pytest.raises(DataError, match="choose one with --label, or learn them together with"):
        read_file(path, {})
