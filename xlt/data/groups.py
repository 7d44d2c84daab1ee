"""Groups of translations: a check that texts of one group are translations of one another."""

from __future__ import annotations

from collections.abc import Sequence

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.errors import DataError

#: Largest number of characters of a text in a message.
_SHOWN = 40


def check_groups(
    examples: Sequence[Example], column: str, path: str, *, named: bool = False
) -> None:
    """Refuses groups that hold different texts of one language.

    Examples of unknown languages are not looked at.

    Args:
        examples: All examples of a table.
        column: Its column with the groups.
        path: The table, for messages.
        named: Whether the user named the column; else it was found by its name.

    Raises:
        DataError: If two texts of a group are no translations of one another.
    """
    first: dict[tuple[str, str], Example] = {}
    for example in examples:
        if example.group is None or example.lang == UNKNOWN_LANGUAGE:
            continue
        other = first.setdefault((example.group, example.lang), example)
        if other.texts != example.texts:
            together = "" if named else f", or --group {column} to keep such texts together"
            raise DataError(
                f"{path}: {column!r} was taken for groups of translations, but in group "
                f"{example.group!r} two different texts are in {example.lang!r}: "
                f"{other.text[:_SHOWN]!r} and {example.text[:_SHOWN]!r}; give --group '' for no "
                f"groups, --group with another column{together}"
            )
