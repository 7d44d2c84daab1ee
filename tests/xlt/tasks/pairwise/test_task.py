"""Pairwise preferences of tables, of exports and of labelling interfaces."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.converter import Format

from tests.xlt.tasks.samples import examples_of
from xlt.errors import DataError
from xlt.tasks.exports import read_file
from xlt.tasks.kinds import infer_task, read_answers, task_from_json
from xlt.tasks.pairwise.answers import NAMES
from xlt.tasks.pairwise.task import Pairwise
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.options import ProjectOptions


@pytest.mark.parametrize("names", NAMES)
def test_names_that_mean_nothing_else_are_a_preference(names):
    """If there are two texts; of one text they are labels."""
    pairs = examples_of([*names, names[0]], "pairwise")
    assert infer_task(pairs) == Pairwise(labels=names)
    assert infer_task(examples_of([*names])).kind == "single_label"
    assert infer_task(pairs, "single_label").kind == "single_label"


@pytest.mark.parametrize("names", [("0", "1"), ("1", "2"), ("a", "b")])
def test_names_that_may_mean_something_else_must_be_asked_for(names):
    """The first is the left text; a table with only one of them is read, too."""
    pairs = examples_of([*names, names[0]], "pairwise")
    assert infer_task(pairs).kind == "single_label"
    assert infer_task(pairs, "pairwise") == Pairwise(labels=names)


def test_a_context_is_the_first_of_three_texts():
    """It is kept with the task."""
    three = [
        replace(example, texts=("why?", *example.texts))
        for example in examples_of(["left", "right"], "pairwise")
    ]
    task = infer_task(three)
    assert task == Pairwise(labels=("left", "right"), context=True)
    assert task_from_json(json.loads(json.dumps(task.to_json()))) == task
    with pytest.raises(DataError, match="context must be true or false"):
        task_from_json(task.to_json() | {"context": "yes"})


def test_answers_that_are_no_preference():
    """One line each: of another name, of one text, of a task with three labels."""
    with pytest.raises(DataError, match="expected labels of the kind 'pairwise'"):
        infer_task(examples_of(["left", "middle"], "pairwise"), "pairwise")
    with pytest.raises(DataError, match=r"compares two texts.*got \[1\] texts"):
        infer_task(examples_of(["left", "right"]), "pairwise")
    with pytest.raises(DataError, match="expected 'left' or 'right', got 'tie'"):
        read_answers(examples_of(["tie"], "pairwise"), Pairwise(labels=("left", "right")))
    with pytest.raises(DataError, match="two labels, left and right"):
        Pairwise(labels=("left", "right", "tie"))


@pytest.mark.parametrize("form", ["JSON", "JSON_MIN", "CSV", "TSV"])
@pytest.mark.parametrize("label", [None, "p"])
def test_an_export_of_label_studio(tmp_path, form, label):
    """The side that annotators selected, by majority; the kind needs no option."""

    def chosen(who, *sides):
        kind = {"from_name": "p", "to_name": "p", "type": "pairwise"}
        results = [kind | {"id": "r", "value": {"selected": side}} for side in sides]
        return {"id": who, "completed_by": who, "result": results}

    tasks = [
        {"id": 1, "data": {"left": "a", "right": "b"}, "annotations": [chosen(1, "left")]},
        {
            "id": 2,
            "data": {"left": "c", "right": "d"},
            "annotations": [chosen(1, "right"), chosen(2, "right"), chosen(3, "left")],
        },
        {"id": 3, "data": {"left": "e", "right": "f"}, "annotations": [chosen(1)]},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    if form != "JSON":
        Converter(config(["left", "right"], "left,right"), project_dir=None).convert(
            str(path), str(tmp_path / form), getattr(Format, form), is_dir=False
        )
        [path] = (tmp_path / form).iterdir()
    corpus = read_file(path, {"label": label})
    assert [(e.texts, e.answer) for e in corpus.examples] == [
        (("a", "b"), "left"),
        (("c", "d"), "right"),
        (("e", "f"), None),
    ]
    assert infer_task(corpus.labelled).kind == "pairwise"


def config(texts: Iterable[str], to: str = "a,b") -> str:
    """An interface that compares two of these texts."""
    tags = "".join(f'<Text name="{name}" value="${name}"/>' for name in texts)
    return f'<View>{tags}<Pairwise name="p" toName="{to}"/></View>'


def test_texts_of_the_interface():
    """The left one and the right one as toName names them, after a context."""
    plain = Interface.from_label_config(config("ab"))
    assert (plain.text_keys, plain.notes) == (("a", "b"), ())
    turned = Interface.from_label_config(config("ab", "b,a"))
    assert turned.text_keys == ("b", "a")
    context = Interface.from_label_config(config("acb"))
    assert context.text_keys == ("c", "a", "b")
    assert context.task == Pairwise(labels=("left", "right"), context=True)
    two_others = Interface.from_label_config(config("abcd"))
    assert two_others.text_keys == ("a", "b")
    chosen = Interface.from_options(config("abcd"), ProjectOptions(texts=("d", "a", "b")))
    assert chosen.text_keys == ("d", "a", "b")


@pytest.mark.parametrize(
    ("xml", "texts", "why"),
    [
        (config("ab", "a"), None, "is not about two texts: toName='a'"),
        (config("abc", "a,b,c"), None, "is not about two texts"),
        (config("ab"), ("b", "a"), "must be the last of the texts that are read, in this order"),
        (config("abc"), ("a", "b", "c"), "must be the last of the texts"),
    ],
)
def test_interfaces_that_compare_no_two_texts(xml, texts, why):
    """The reason says what was expected."""
    with pytest.raises(UnsupportedConfigError) as caught:
        Interface.from_options(xml, ProjectOptions(texts=texts))
    assert why in str(caught.value)


def test_names_of_the_interface_are_not_stored():
    """Label Studio 1.23.2 stores left and right whatever `leftClass` says, and several to_name."""
    named = config("ab").replace("<Pairwise", '<Pairwise leftClass="one" rightClass="two"')
    found = Interface.from_label_config(named)
    assert found.task.labels == ("left", "right")
    for to_name in ("p", "a", "a,b"):
        value = {"selected": "right"}
        result = {"from_name": "p", "to_name": to_name, "type": "pairwise", "value": value}
        assert found.answer([result]) == "right"
    assert found.answer([{"from_name": "p", "value": {"selected": ["right"]}}]) is None


def test_ready_interface_about_other_keys():
    """`xlt connect --texts one,two` compares them."""
    made = Interface.from_label_config(template("pairwise", ("left", "right"), ("one", "b.two")))
    assert (made.text_keys, made.tag.objects) == (("one", "b.two"), ("left", "right"))
