"""Shows what a simulation found, on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from xlt.simulate.results import BASELINES, STRATIFIED

_MOST_BUDGETS = 6


def show_tables(found: Mapping[str, Any]) -> None:
    """Prints one table of strategies, and one of languages for the first strategy."""
    console = Console(stderr=True, width=None if Console(stderr=True).is_terminal else 160)
    console.print(_strategies(found))
    console.print(
        "area: mean accuracy of the targets under the learning curve, in points. Against a "
        "baseline: difference in area, 95 % interval, paired over seeds. labels to: where the "
        "mean curve reaches that share of the accuracy with all labels. labels saved: how many "
        "fewer labels it needs, of all languages, than stratified for the accuracy that both reach."
    )
    first = next(iter(found["strategies"]), None)
    if first is not None and found["strategies"][first]["against"].get(STRATIFIED):
        console.print(_languages(found, first))


def _strategies(found: Mapping[str, Any]) -> Table:
    strategies = found["strategies"]
    baselines = [name for name in BASELINES if name in strategies]
    budgets = _some([str(n) for n in found["settings"]["budgets"]])
    full = found["full_data"]
    shown = "" if full is None else f"; all labels: {100 * full:.1f}"
    seeds = max(of["seeds"] for of in strategies.values())
    title = f"{found['data']}: {len(found['targets'])} targets, {seeds} seeds{shown}"
    table = Table(title=title)
    table.add_column("strategy", overflow="fold")  # two names may begin alike
    columns = [*budgets, "area", *(f"against {b}" for b in baselines), "to 90 %", "to 95 %"]
    for name in [*columns, "labels saved"]:
        table.add_column(name, justify="right")
    for name, of in sorted(strategies.items(), key=lambda item: -item[1]["area"]):
        table.add_row(
            name,
            *(_points(of["accuracy"].get(n)) for n in budgets),
            _points(of["area"]),
            *(_gap(of["against"].get(baseline)) for baseline in baselines),
            *(_count(reached["labels"]) for reached in of["labels_to"].values()),
            _saved((of["against"].get(STRATIFIED) or {}).get("labels_saved")),
        )
    return table


def _languages(found: Mapping[str, Any], name: str) -> Table:
    table = Table(title=f"{name} against stratified, language by language")
    columns = ("language", "area", "last", "difference in area", "labels saved")
    for column in (*columns, "its last labels bought"):
        table.add_column(column, justify="left" if column == "language" else "right")
    of = found["strategies"][name]
    gaps = of["against"][STRATIFIED]["languages"]
    saved = of["against"][STRATIFIED]["labels_saved"]["languages"]
    for lang, own in of["languages"].items():
        table.add_row(
            lang,
            _points(own["area"]),
            _points(list(own["accuracy"].values())[-1]),
            _gap({"area": gaps[lang]}),
            _saved(saved[lang]),
            _bought(of["bought"].get(lang)),
        )
    return table


def _some(budgets: list[str]) -> list[str]:
    """At most so many, the first and the last among them."""
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
    words = f"{saved['saved']:.0f} of {saved['random']:.0f}"
    return words if saved["low"] is None else f"{words} ({saved['low']:.0f}, {saved['high']:.0f})"


def _bought(bought: Mapping[str, Any] | None) -> str:
    if bought is None:
        return "too early to say"
    return f"{bought['labels']:.0f}: {_gap({'area': bought})}"
