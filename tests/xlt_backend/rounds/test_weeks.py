"""Labels by week: each counted once, in the week that the calendar says."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from xlt.data.examples import Example
from xlt_backend.rounds.weeks import WEEKS, weeks_of

DAY_S = 86_400.0
SOME_DAY = 1_800_000_000.0


def labelled(days: list[float]) -> tuple[list[Example], dict[str, float]]:
    """Examples labelled some number of days after a first day."""
    examples = [Example(id=str(n), texts=("x",), lang="hau") for n in range(len(days))]
    return examples, {str(n): SOME_DAY + day * DAY_S for n, day in enumerate(days)}


@given(st.lists(st.floats(0, 7 * (WEEKS - 2)), min_size=1))
def test_every_label_is_in_its_week(days):
    """The key is a Monday; the numbers add up."""
    found = weeks_of(*labelled(days))["hau"]

    assert sum(found.values()) == len(days)
    for monday in found:
        assert date.fromisoformat(monday).weekday() == 0
    for day in days:
        when = datetime.fromtimestamp(SOME_DAY + day * DAY_S, UTC).date()
        assert any(0 <= (when - date.fromisoformat(monday)).days < 7 for monday in found)


def test_old_labels_and_those_without_a_time_are_left_out():
    """At most the last `WEEKS` weeks are kept, so that the state stays small."""
    found = weeks_of(*labelled([7.0 * week for week in range(60)]))["hau"]
    assert len(found) == WEEKS
    assert weeks_of([Example(id="1", texts=("x",), lang="en")], {"1": 0.0}) == {}
