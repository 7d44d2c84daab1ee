"""Prints the results of a simulation as tables, on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from xlt.simulate.results import BASELINES, STRATIFIED

_MOST_BUDGETS = 6


def show_tables(report: Mapping[str, Any]) -> None:
    """Prints one table of strategies, and one of languages for the first strategy."""
    console = Console(stderr=True, width=None if Console(stderr=True).is_terminal else 160)
    console.print(_strategies(report))
    console.print(
        "area: mean accuracy of the targets under the learning curve, in points. Against a "
        "baseline: difference in area, 95 % interval, paired over seeds. to 90 %, to 95 %: number "
        "of labels at which the mean curve reaches this share of the accuracy with all labels. "
        "labels saved: labels of all languages that stratified needs in addition for the highest "
        "accuracy that both reach."
    )
    first = next(iter(report["strategies"]), None)
    if first is not None and report["strategies"][first]["against"].get(STRATIFIED):
        console.print(_languages(report, first))


def _strategies(report: Mapping[str, Any]) -> Table:
    strategies = report["strategies"]
    baselines = [name for name in BASELINES if name in strategies]
    budgets = _sample([str(n) for n in report["settings"]["budgets"]])
    full = report["full_data"]
    shown = "" if full is None else f"; all labels: {100 * full:.1f}"
    seeds = max(numbers["seeds"] for numbers in strategies.values())
    title = f"{report['data']}: {len(report['targets'])} targets, {seeds} seeds{shown}"
    table = Table(title=title)
    table.add_column("strategy", overflow="fold")  # two names may have the same start
    columns = [*budgets, "area", *(f"against {b}" for b in baselines), "to 90 %", "to 95 %"]
    for name in [*columns, "labels saved"]:
        table.add_column(name, justify="right")
    for name, numbers in sorted(strategies.items(), key=lambda item: -item[1]["area"]):
        table.add_row(
            name,
            *(_points(numbers["accuracy"].get(n)) for n in budgets),
            _points(numbers["area"]),
            *(_gap(numbers["against"].get(baseline)) for baseline in baselines),
            *(_count(reached["labels"]) for reached in numbers["labels_to"].values()),
            _saved((numbers["against"].get(STRATIFIED) or {}).get("labels_saved")),
        )
    return table


def _languages(report: Mapping[str, Any], name: str) -> Table:
    table = Table(title=f"{name} against stratified, language by language")
    columns = ("language", "area", "last", "difference in area", "labels saved")
    for column in (*columns, "gain of its last labels"):
        table.add_column(column, justify="left" if column == "language" else "right")
    numbers = report["strategies"][name]
    gaps = numbers["against"][STRATIFIED]["languages"]
    saved = numbers["against"][STRATIFIED]["labels_saved"]["languages"]
    for lang, own in numbers["languages"].items():
        table.add_row(
            lang,
            _points(own["area"]),
            _points(list(own["accuracy"].values())[-1]),
            _gap({"area": gaps[lang]}),
            _saved(saved[lang]),
            _improvement(numbers["bought"].get(lang)),
        )
    return table


def _sample(budgets: list[str]) -> list[str]:
    """Returns some budgets, the first and the last included."""
    step = -(-len(budgets) // _MOST_BUDGETS)
    return list(dict.fromkeys([*budgets[::step], budgets[-1]]))


def _points(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _count(labels: float | None) -> str:
    return "–" if labels is None else f"{labels:.0f}"


def _gap(against: Mapping[str, Any] | None) -> str:
    if against is None:
        return ""
    area = against["area"]
    if area["low"] is None:
        return f"{100 * area['mean']:+.2f}"
    return f"{100 * area['mean']:+.2f} ({100 * area['low']:+.2f}, {100 * area['high']:+.2f})"


def _saved(saved: Mapping[str, Any] | None) -> str:
    if saved is None:
        return ""
    text = f"{saved['saved']:.0f} of {saved['random']:.0f}"
    return text if saved["low"] is None else f"{text} ({saved['low']:.0f}, {saved['high']:.0f})"


def _improvement(improvement: Mapping[str, Any] | None) -> str:
    if improvement is None:
        return "too early to say"
    return f"{improvement['labels']:.0f}: {_gap({'area': improvement})}"
