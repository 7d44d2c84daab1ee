"""Class numbers of Hugging Face data sets, and the names that their features give them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from xlt.data.rows import is_blank
from xlt.errors import DataError

#: Column -> names of its classes, by number; those of a column of objects are by field.
Names: TypeAlias = "Mapping[str, Sequence[str] | Names]"


def class_names(features: Mapping[str, Any]) -> Names:
    """Returns the names in a data set's features, as `datasets.Features.to_dict` returns them."""
    found = {column: _names(feature) for column, feature in features.items()}
    return {column: names for column, names in found.items() if names is not None}


def class_names_of_schema(metadata: Mapping[bytes, bytes] | None) -> Names:
    """Returns the names in the metadata of a Parquet file that `datasets` wrote; else none."""
    try:
        return class_names(json.loads((metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def with_class_names(
    rows: Iterable[Mapping[str, Any]], names: Names, path: str
) -> Iterator[Mapping[str, Any]]:
    """Yields the rows with names in place of class numbers; a negative number is no label.

    Raises:
        DataError: If a number has no name; names the row, counted from 1.
    """
    for number, row in enumerate(rows, start=1):
        try:
            yield {**row, **{name: _named(row.get(name), names[name]) for name in names}}
        except (IndexError, TypeError, ValueError, OverflowError, AttributeError):
            cells = {name: row.get(name) for name in names}
            raise DataError(
                f"{path}, row {number}: expected numbers of the classes "
                f"{ {name: list(of) for name, of in names.items()} }, got {cells}"
            ) from None


def _names(feature: object) -> Sequence[str] | Names | None:
    """Returns the names of a class label, of a list of them, or of an object with some."""
    if isinstance(feature, list) and len(feature) == 1:
        return _names(feature[0])
    if not isinstance(feature, Mapping):
        return None
    if feature.get("_type") == "ClassLabel":
        return feature.get("names")
    return _names(feature["feature"]) if "feature" in feature else class_names(feature) or None


def _named(cell: Any, names: Sequence[str] | Names) -> Any:  # noqa: ANN401 - a table's cell
    if isinstance(cell, str) or is_blank(cell):
        return cell
    if isinstance(cell, list):
        known = [name for name in (_named(part, names) for part in cell) if name is not None]
        return known if known or not cell else None
    if isinstance(names, Mapping):
        return {**cell, **{name: _named(cell.get(name), names[name]) for name in names}}
    number = int(cell)  # pandas makes floats of numbers in a column that lacks one
    if number != cell:
        raise TypeError
    return None if number < 0 else names[number]
