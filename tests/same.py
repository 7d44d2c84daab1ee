"""Comparison of nested JSON values, with a tolerance for floats."""

from __future__ import annotations

from typing import Any


def differences(expected: Any, found: Any, tolerance: float = 0.0, where: str = "") -> list[str]:
    """Lists the paths at which two values differ; the order of keys does not count.

    Args:
        expected: One value.
        found: The other.
        tolerance: Largest difference of two floats that are the same.
        where: Path of the values.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        paths = [f"{where}/{key}: in one only" for key in sorted({*expected} ^ {*found})]
        for key in expected.keys() & found.keys():
            paths += differences(expected[key], found[key], tolerance, f"{where}/{key}")
        return paths
    if isinstance(expected, list) and isinstance(found, list):
        paths = []
        if len(expected) != len(found):
            paths.append(f"{where}: {len(expected)} items, found {len(found)}")
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            paths += differences(one, other, tolerance, f"{where}/{index}")
        return paths
    if isinstance(expected, float) and isinstance(found, float):
        return [] if abs(expected - found) <= tolerance else [f"{where}: {expected}, {found}"]
    same = expected == found and type(expected) is type(found)
    return [] if same else [f"{where}: {expected!r}, found {found!r}"[:240]]


def answers_only(labels: dict[str, Any]) -> dict[str, Any]:
    """`examples.json` as the first xlt wrote it: the answers, without digests of the texts."""
    return {
        task: label["answer"] if isinstance(label, dict) else label
        for task, label in labels.items()
    }


def without_digests(ledger: dict[str, Any]) -> dict[str, Any]:
    """`draws.json` as the first xlt wrote it."""
    if not ledger:
        return ledger
    orders = {
        name: {"since": order["since"], "draws": _short(order["draws"])}
        for name, order in ledger["orders"].items()
    }
    return ledger | {"orders": orders, "labelled": _short(ledger["labelled"])}


def _short(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {task: row[:5] for task, row in rows.items()}
