"""Charts: every mark inside its frame and at its value, every text escaped."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt_backend.page.charts import Scale, interval_bar, learning_curve, ticks
from xlt_backend.page.languages import Estimate, Point

SHARES = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted)


def estimate(ends: list[float]) -> Estimate:
    """An estimate within its interval."""
    return Estimate(low=ends[0], value=ends[1], high=ends[2])


def point(labels: int, ends: list[float], *, refused: bool = False) -> Point:
    """A version."""
    return Point(
        version="v1",
        labels=labels,
        own=labels,
        judged=9,
        accuracy=estimate(ends),
        refused=refused,
    )


def numbers(root: ET.Element) -> tuple[list[float], list[float]]:
    """All places of an SVG: across and down."""
    across, down = [], []
    for element in root.iter():
        across += [
            float(element.get(name)) for name in ("x", "x1", "x2", "cx") if element.get(name)
        ]
        down += [float(element.get(name)) for name in ("y", "y1", "y2", "cy") if element.get(name)]
        for pair in (element.get("points") or "").split():
            across.append(float(pair.split(",")[0]))
            down.append(float(pair.split(",")[1]))
    return across, down


@given(st.lists(st.tuples(st.integers(0, 100_000), SHARES, st.booleans()), max_size=6))
def test_every_mark_of_a_curve_is_inside_its_frame(rows):
    """Well-formed, whatever the versions are; one circle for each."""
    points = [point(labels, ends, refused=refused) for labels, ends, refused in rows]
    most = max((p.labels for p in points), default=0)
    root = ET.fromstring(learning_curve(points, most, "t", lambda p: p.version))
    _, _, width, height = map(float, root.get("viewBox").split())
    across, down = numbers(root)

    assert all(0 <= place <= width for place in across)
    assert all(0 <= place <= height for place in down)
    assert len(root.findall(".//circle")) == len(points)


@given(SHARES, SHARES)
def test_a_higher_value_is_further_right(one, other):
    """The bar's mark stands at the estimate, between the ends of its interval."""
    places = []
    for ends in (one, other):
        root = ET.fromstring(interval_bar(estimate(ends), 0, 1, "t"))
        marks = {line.get("class"): line for line in root.iter("line")}
        value = float(marks["value"].get("x1"))
        assert float(marks["interval"].get("x1")) <= value <= float(marks["interval"].get("x2"))
        places.append(value)

    assert (places[0] <= places[1]) == (one[1] <= other[1]) or abs(one[1] - other[1]) < 0.001


def test_zero_is_marked_where_gains_can_be_losses():
    """A reader sees whether the interval holds 0."""
    gain = Estimate(value=0.01, low=-0.02, high=0.04)

    assert 'class="zero" x1="100.0"' in interval_bar(gain, -0.1, 0.1, "t")
    assert 'class="zero"' not in interval_bar(gain, 0, 1, "t")


@pytest.mark.parametrize("most", [0, 1, 3, 4, 7, 99, 100, 101, 12_345])
def test_ticks_are_round_and_reach_the_largest_value(most):
    """From 0, evenly, few."""
    marks = ticks(most)
    steps = {b - a for a, b in itertools.pairwise(marks)}

    assert marks[0] == 0
    assert marks[-1] >= most
    assert len(steps) == 1
    assert 2 <= len(marks) <= 6


def test_texts_are_escaped():
    """Names of versions and languages are texts, not elements."""
    evil = '"><script>x</script>'
    svg = learning_curve([point(1, [0, 0.5, 1])], 1, evil, lambda _: evil)

    assert "<script" not in svg
    assert ET.fromstring(svg).get("aria-label") == evil


def test_a_value_outside_of_its_scale_stays_at_the_end():
    """A gain beyond the frame does not leave the page."""
    scale = Scale(low=0, high=1, start=10, end=20)

    assert [scale(-1), scale(0.5), scale(7)] == [10, 15, 20]
