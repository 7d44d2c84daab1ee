"""Plots as SVG files. Lines and areas need no library, and the files are small text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_COLOURS = ("#0b6e99", "#d1495b", "#6a994e", "#edae49", "#7b2d8b", "#5c5c5c", "#00a896", "#b56576")
_DASHES = ("none", "6 2", "2 2")
_WIDTH, _HEIGHT, _GAP, _COLUMNS = 230, 150, 46, 4
_LEFT, _TOP = 46, 60

#: A named line: x and y of its points.
Line = tuple[str, Sequence[float], Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One small plot: its title and its lines; the y axis ends at tenths."""

    title: str
    lines: Sequence[Line]

    @property
    def ends(self) -> tuple[float, float]:
        """Lower and upper end of the y axis."""
        values = [value for _, _, ys in self.lines for value in ys] or [0.0]
        low, high = math.floor(10 * min(values)) / 10, math.ceil(10 * max(values)) / 10
        return low, max(high, low + 0.1)


def learning_curves(report: Mapping[str, Any]) -> str:
    """Draws accuracy by number of labels: a panel for the targets' mean, one for each language."""
    strategies = report["strategies"]
    panels = [Panel(title="mean of the targets", lines=_lines(strategies, None))]
    langs = list(next(iter(strategies.values()))["languages"])
    panels += [Panel(title=lang, lines=_lines(strategies, lang)) for lang in langs]
    return figure(panels, f"{report['data']}: accuracy by number of labels")


def label_shares(report: Mapping[str, Any]) -> str:
    """Draws each language's share of the labels so far: a panel for each strategy."""
    panels = []
    for name, numbers in report["strategies"].items():
        shares = numbers["share_of_labels"]
        x = [float(n) for n in shares]
        langs = list(next(iter(shares.values())))
        lines: list[Line] = [(lang, x, [row[lang] for row in shares.values()]) for lang in langs]
        panels.append(Panel(title=name, lines=lines))
    return figure(panels, f"{report['data']}: share of the labels by language")


def figure(panels: Sequence[Panel], title: str) -> str:
    """Draws panels in rows of four, with one legend, as a complete SVG file."""
    names = list(dict.fromkeys(name for panel in panels for name, _, _ in panel.lines))
    style = {name: _style(i) for i, name in enumerate(names)}
    rows = -(-len(panels) // _COLUMNS)
    legend_rows = -(-len(names) // _COLUMNS)
    top = _TOP + 16 * legend_rows
    width = _LEFT + _COLUMNS * (_WIDTH + _GAP)
    height = top + rows * (_HEIGHT + _GAP)
    body = [_text(_LEFT, 24, title, size=16)]
    for i, name in enumerate(names):
        x, y = _LEFT + (i % _COLUMNS) * (_WIDTH + _GAP), 46 + 16 * (i // _COLUMNS)
        body.append(f'<path d="M {x} {y - 4} h 26" {style[name]}/>')
        body.append(_text(x + 32, y, name))
    for i, panel in enumerate(panels):
        x, y = _LEFT + (i % _COLUMNS) * (_WIDTH + _GAP), top + (i // _COLUMNS) * (_HEIGHT + _GAP)
        body += _panel(panel, x, y, style)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _lines(strategies: Mapping[str, Any], lang: str | None) -> list[Line]:
    lines: list[Line] = []
    for name, numbers in strategies.items():
        curve = numbers["accuracy"] if lang is None else numbers["languages"][lang]["accuracy"]
        lines.append((name, [float(n) for n in curve], list(curve.values())))
    return lines


def _style(number: int) -> str:
    """Returns the style of a line: eight colours, then the same colours with other dashes."""
    dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    colour = _COLOURS[number % len(_COLOURS)]
    return f'fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dash}"'


def _panel(panel: Panel, x: int, y: int, style: Mapping[str, str]) -> list[str]:
    low, high = panel.ends
    most = max((max(xs) for _, xs, _ in panel.lines if xs), default=1.0)
    body = [
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#bbb"/>',
        _text(x, y - 5, panel.title),
        _text(x, y + _HEIGHT + 13, "0", size=10),
        _text(x + _WIDTH, y + _HEIGHT + 13, f"{most:g}", size=10, anchor="end"),
        _text(x - 4, y + _HEIGHT, f"{low:.1f}", size=10, anchor="end"),
        _text(x - 4, y + 9, f"{high:.1f}", size=10, anchor="end"),
    ]
    for name, xs, ys in panel.lines:
        points = " ".join(
            f"{x + _WIDTH * a / most:.1f},{y + _HEIGHT * (high - b) / (high - low):.1f}"
            for a, b in zip(xs, ys, strict=True)
        )
        body.append(f'<polyline points="{points}" {style[name]}/>')
    return body


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
