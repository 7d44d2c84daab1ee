"""Agreement of annotators with the others: by hand, and as rules of any votes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.review.people import people
from xlt.tasks.metrics import wilson
from xlt.tasks.single_label.task import SingleLabel

LABELS = ("sport", "music", "food")
TASK = SingleLabel(labels=LABELS)
VOTES = st.dictionaries(
    st.sampled_from([str(n) for n in range(8)]),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(LABELS), min_size=1),
)


def test_numbers_by_hand():
    """Half a task's agreement if one of two others gave the same answer."""
    votes = {
        "1": {"a": "sport", "b": "sport", "c": "food"},
        "2": {"a": "music", "b": "music"},
        "3": {"a": "food"},
        "4": {"a": "food", "b": "sport"},
    }
    found = people(TASK, votes, {"1": "hau", "2": "hau", "3": "hau", "4": "yor"})
    own = found["a"]["hau"]

    assert (own.answers, own.compared, own.agreed) == (3, 2, 1.5)
    assert (own.low, own.high) == wilson(1.5, 2)
    assert found["c"]["hau"].agreed == 0
    assert found["a"]["yor"].to_json()["agreement"] == 0
    assert list(found) == ["a", "b", "c"]


@given(VOTES)
def test_all_answers_count_once(votes):
    """Who agrees with everybody agrees fully; a task with one answer compares nobody."""
    found = people(TASK, votes, dict.fromkeys(votes, "en"))
    cells = [cell for own in found.values() for cell in own.values()]

    assert sum(cell.answers for cell in cells) == sum(map(len, votes.values()))
    several = [given for given in votes.values() if len(given) > 1]
    assert sum(cell.compared for cell in cells) == sum(map(len, several))
    unanimous = all(len(set(given.values())) == 1 for given in several)
    total = sum(cell.agreed for cell in cells)
    assert (total == pytest.approx(sum(map(len, several)))) == unanimous
    for cell in cells:
        assert 0 <= cell.low <= cell.high <= 1


@given(VOTES)
def test_names_do_not_matter(votes):
    """Annotators with other names have the same numbers."""
    langs = dict.fromkeys(votes, "en")
    renamed = {id: {f"x{who}": answer for who, answer in v.items()} for id, v in votes.items()}
    one, other = people(TASK, votes, langs), people(TASK, renamed, langs)

    assert {f"x{who}": own for who, own in one.items()} == other


def test_nothing_compared_is_no_agreement():
    """And a task whose language is not known is left out."""
    assert people(TASK, {"1": {"a": "sport"}}, {}) == {}
    [own] = people(TASK, {"1": {"a": "sport"}}, {"1": "en"})["a"].values()
    assert own.to_json() == {"answers": 1, "compared": 0}
