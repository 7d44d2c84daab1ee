"""Charts as SVG without styles of their own: the style sheet colours them by class. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

from xlt_backend.page.languages import Estimate, Point

#: Size of a learning curve, and the space around its plot, in units of its view box.
_WIDTH, _HEIGHT = 340, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 12, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A linear scale from values to places.

    Attributes:
        low: Value at the start.
        high: Value at the end, above `low`.
        start: Place of `low`.
        end: Place of `high`.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Returns the place of a value; of one outside, that of the nearer end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def ticks(most: float, count: int = 4) -> list[int]:
    """Returns round numbers from 0 on, the last one at least `most`, about `count` steps.

    Args:
        most: The largest value, >= 0.
        count: Wanted number of steps.
    """
    raw = max(most, 1) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= raw)
    step = max(1, math.ceil(step))
    return [step * at for at in range(math.ceil(max(most, 1) / step) + 1)]


def learning_curve(
    points: Sequence[Point], most: int, title: str, words: Callable[[Point], str]
) -> Markup:
    """Draws accuracy over the number of labels that each version was trained on.

    Args:
        points: The versions, oldest first.
        most: Largest number of labels, the same for all languages so that charts compare.
        title: Text in place of the chart.
        words: Returns the text of a point.
    """
    marks = ticks(most)
    x = Scale(low=0, high=marks[-1], start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0, high=1, start=_HEIGHT - _BOTTOM, end=_TOP)
    body = _grid(x, y, marks)
    shown = [point for point in points if not point.refused]
    if len(shown) > 1:
        upper = [f"{x(p.labels)},{y(p.accuracy.high)}" for p in shown]
        lower = [f"{x(p.labels)},{y(p.accuracy.low)}" for p in reversed(shown)]
        body += Markup('<polygon class="band" points="{}"/>').format(" ".join(upper + lower))
        line = " ".join(f"{x(p.labels)},{y(p.accuracy.value)}" for p in shown)
        body += Markup('<polyline class="line" points="{}"/>').format(line)
    # There are thousands of points: only their texts come from people, and need to be escaped.
    body += Markup("".join(_point(point, x, y, words(point)) for point in points))
    return svg("curve", _WIDTH, _HEIGHT, title, body)


def week_columns(weeks: Mapping[str, int], title: str, words: Callable[[str, int], str]) -> Markup:
    """Draws the number of labels of each week; weeks without labels keep their place.

    Args:
        weeks: Monday as ISO 8601 -> number of labels, the oldest first; not empty.
        title: Text in place of the chart.
        words: Returns the text of a column.
    """
    days = [date.fromisoformat(monday) for monday in weeks]
    first, count = days[0], (days[-1] - days[0]).days // 7 + 1
    marks = ticks(max(weeks.values()))
    y = Scale(low=0, high=marks[-1], start=_HEIGHT - _BOTTOM, end=_TOP)
    step = min((_WIDTH - _LEFT - _RIGHT) / count, 40.0)
    body = Markup("")
    for mark in marks:
        body += Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>'
            '<text class="tick" x="{3}" y="{4}" text-anchor="end">{5}</text>'
        ).format(_LEFT, _WIDTH - _RIGHT, y(mark), _LEFT - 6, y(mark) + 4, mark)
    for day, (monday, labels) in zip(days, weeks.items(), strict=True):
        at = round(_LEFT + step * ((day - first).days // 7), 1)
        body += Markup(
            '<g><rect class="column" x="{}" y="{}" width="{}" height="{}"/><title>{}</title></g>'
        ).format(
            at + 1,
            y(labels),
            round(max(step - 2, 1), 1),
            round(y.start - y(labels), 1),
            words(monday, labels),
        )
    ends = [(first, "start", float(_LEFT))]
    if count > 5:
        ends.append((days[-1], "end", round(_LEFT + step * count, 1)))
    for day, anchor, at in ends:
        body += Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            at, y.start + 18, anchor, day.isoformat()
        )
    return svg("curve", _WIDTH, _HEIGHT, title, body)


def _grid(x: Scale, y: Scale, marks: Sequence[int]) -> Markup:
    body = Markup("")
    for share in (0, 0.25, 0.5, 0.75, 1):
        body += Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            x.start, x.end, y(share), y(share)
        )
        body += Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
            x.start - 6, y(share) + 4, f"{100 * share:.0f}"
        )
    for mark in marks:
        body += Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            x(mark), y.start + 18, mark
        )
    return body


def _point(point: Point, x: Scale, y: Scale, words: str) -> str:
    at, accuracy = x(point.labels), point.accuracy
    bar, kind = "", "point"
    if point.refused:
        low, high = y(accuracy.low), y(accuracy.high)
        bar, kind = f'<line class="refused" x1="{at}" x2="{at}" y1="{low}" y2="{high}"/>', "refused"
    circle = f'<circle class="{kind}" cx="{at}" cy="{y(accuracy.value)}" r="4"/>'
    return f"<g>{bar}{circle}<title>{escape(words)}</title></g>"


def interval_bar(estimate: Estimate, low: float, high: float, title: str) -> Markup:
    """Draws an estimate and its interval on a line, with a mark at 0 if that is inside.

    Args:
        estimate: The estimate.
        low: Value at the start of the line.
        high: Value at its end, above `low`.
        title: Text in place of the chart.
    """
    x = Scale(low=low, high=high, start=4, end=196)
    body = Markup('<line class="track" x1="4" x2="196" y1="10" y2="10"/>')
    if low < 0 < high:
        body += Markup('<line class="zero" x1="{0}" x2="{0}" y1="1" y2="19"/>').format(x(0))
    body += Markup('<line class="interval" x1="{}" x2="{}" y1="10" y2="10"/>').format(
        x(estimate.low), x(estimate.high)
    )
    body += Markup('<line class="value" x1="{0}" x2="{0}" y1="10" y2="10"/>').format(
        x(estimate.value)
    )
    return svg("bar", 200, 20, title, body, stretched=True)


def svg(
    kind: str, width: int, height: int, title: str, body: Markup, *, stretched: bool = False
) -> Markup:
    """Returns a chart.

    Args:
        kind: Its class in the style sheet.
        width: Width of its view box.
        height: Height of its view box.
        title: Text in place of the chart.
        body: What is in it.
        stretched: Whether it fills its place without keeping its shape.
    """
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}"{} role="img" aria-label="{}" direction="ltr">{}</svg>'
    ).format(
        kind,
        width,
        height,
        Markup(' preserveAspectRatio="none"') if stretched else "",
        title,
        body,
    )
