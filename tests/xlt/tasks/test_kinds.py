"""Tasks from tables and from JSON: what is refused, and what the message names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.kinds import infer_task, read_answers, task_from_json
from xlt.tasks.single_label.task import SingleLabel


def table(*cells):
    """Examples with these answers."""
    return [Example(id=f"r{n}", texts=("x",), answer=cell) for n, cell in enumerate(cells)]


def test_a_column_of_strings_is_a_task_of_one_label():
    """All labels that occur, sorted."""
    assert infer_task(table("sport", "health", "sport")) == SingleLabel(labels=("health", "sport"))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((), r"at least 2 different labels, got \[\]"),
        (("a", "a"), r"at least 2 different labels, got \['a'\]"),
        ((3, "a", "b", "c"), r"got one label first in example 'r0' \(3, 'a', 'b', …\)$"),
        (
            ("a", ("b", "c"), (), (("d", "e"),), "f"),
            r"got one label first in example 'r0' \('a', 'f'\), a list of labels first in example "
            r"'r1' \(\('b', 'c'\)\), an empty list first in example 'r2' \(\(\)\), paths first in",
        ),
    ],
)
def test_a_column_that_makes_no_task_is_refused(cells, message):
    """It says what there was, and what was expected."""
    with pytest.raises(DataError, match=message):
        infer_task(table(*cells))


def test_a_task_is_of_the_kind_that_is_asked_for():
    """Or the message says so: cells of another kind are not read as that one."""
    several = table(("a",), ("b", "a"))
    assert infer_task(several, "multi_label") == infer_task(several)
    with pytest.raises(DataError, match=r"the kind 'single_label', got a list of labels first in"):
        infer_task(several, "single_label")


def test_an_answer_that_is_none_of_the_tasks_names_its_example():
    """Examples without an answer stay as they are."""
    task = SingleLabel(labels=("a", "b"))
    examples = table("a", None, "b")
    assert read_answers(examples, task) == examples
    with pytest.raises(DataError, match=r"example 'r1': unknown label 'c'; labels: \['a', 'b'\]"):
        read_answers(table("a", "c"), task)
    with pytest.raises(DataError, match=r"example 'r0': expected one label, got \['a'\]"):
        read_answers(table(("a",)), task)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "single_label",
        {},
        {"labels": ["a", "b"]},
        {"kind": "weather", "labels": ["a", "b"]},
        {"kind": ["single_label"], "labels": ["a", "b"]},
        {"kind": "single_label"},
        {"kind": "single_label", "labels": None},
        {"kind": "single_label", "labels": 3},
        {"kind": "single_label", "labels": ["a"]},
        {"kind": "single_label", "labels": ["a", "a"]},
    ],
    ids=str,
)
def test_json_that_is_no_task_is_refused(value):
    """By one kind of error, whatever is wrong with it."""
    with pytest.raises(DataError):
        task_from_json(value)


def test_tasks_need_no_torch():
    """Only heads do, and only training and models import those."""
    code = "import sys, xlt.tasks.kinds; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
