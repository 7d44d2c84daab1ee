"""Trees of choices: one label per leaf, and no label for the nodes on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.choice_trees import leaf_labels, outermost, paths_of_cell

PATHS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), unique=True)


def test_a_leaf_is_called_by_its_name():
    """Or by its path, if another leaf has that name."""
    paths = [("Animal", "Dog"), ("Animal", "Other"), ("Plant", "Other"), ("Stone",)]
    assert list(leaf_labels(paths).values()) == ["Dog", "Animal / Other", "Plant / Other", "Stone"]


@given(PATHS)
def test_every_leaf_has_a_label_of_its_own(paths):
    """However often names occur."""
    assert len(set(leaf_labels(paths).values())) == len(paths)


def test_nodes_above_a_chosen_leaf_are_no_choice():
    """Two leaves stay two, and a plain label stays."""
    assert outermost([["Animal"], ["Animal", "Dog"]]) == [["Animal", "Dog"]]
    assert outermost([["Animal", "Dog"], ["Animal", "Cat"]]) == [
        ["Animal", "Dog"],
        ["Animal", "Cat"],
    ]
    assert outermost(["Animal", "Dog"]) == ["Animal", "Dog"]


@given(PATHS)
def test_no_path_that_is_kept_leads_to_another(paths):
    """And every path leads to one that is kept."""
    kept = outermost([list(path) for path in paths])
    for path in kept:
        assert not any(other != path and other[: len(path)] == path for other in kept)
    for path in paths:
        assert any(other[: len(path)] == list(path) for other in kept)


@pytest.mark.parametrize(
    ("cell", "paths"),
    [
        ([["a", "b"], ["c"]], (("a", "b"), ("c",))),
        (' [["a ", "b"], ["a", "b"]]', (("a", "b"),)),
        ([["E\u0323", "b"]], (("\u1eb8", "b"),)),
        ([], None),
        ("[]", None),
        (["a", "b"], None),
        ([["a"], "b"], None),
        ([[]], None),
        ([["a", 1]], None),
        ([[["a"]]], None),
        ("[[not json", None),
        ("[[" * 50_000, None),
        ("[[1]]", None),
        ("a / b", None),
        (None, None),
    ],
)
def test_a_list_of_lists_of_names_holds_paths(cell, paths):
    """Each once, in one Unicode form; anything else is no list of paths."""
    assert paths_of_cell(cell) == paths
