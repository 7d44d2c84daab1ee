"""Groups of translations: a check that texts of one group are translations of one another."""

from __future__ import annotations

from collections.abc import Sequence

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.languages import normalise
from xlt.errors import DataError

#: Largest number of characters of a text in a message.
_SHOWN = 40


def conflicts(examples: Sequence[Example]) -> dict[str, tuple[Example, Example]]:
    """Returns, for each group with different texts of one language, the first two of them.

    Examples of unknown languages are not looked at.
    """
    first: dict[tuple[str, str], Example] = {}
    found: dict[str, tuple[Example, Example]] = {}
    for example in examples:
        lang = normalise(example.lang)
        if example.group is None or lang == UNKNOWN_LANGUAGE:
            continue
        other = first.setdefault((example.group, lang), example)
        if other.texts != example.texts:
            found.setdefault(example.group, (other, example))
    return found


def describe_groups(examples: Sequence[Example]) -> str:
    """Returns the number of groups, and of those that hold more than translations, in brackets.

    Empty if there are no groups.
    """
    count = len({example.group for example in examples} - {None})
    mixed = len(conflicts(examples))
    more = f", {mixed} with different texts of one language" if mixed else ""
    return f" ({count} group{'' if count == 1 else 's'}{more})" if count else ""


def check_groups(
    examples: Sequence[Example], column: str, path: str, *, named: bool = False
) -> None:
    """Refuses groups that hold different texts of one language.

    Args:
        examples: All examples of a table.
        column: Its column with the groups.
        path: The table, for messages.
        named: Whether the user named the column; else it was found by its name.

    Raises:
        DataError: If two texts of a group are no translations of one another.
    """
    for group, (one, other) in conflicts(examples).items():
        together = "" if named else f", or --group {column} to keep such texts together"
        raise DataError(
            f"{path}: {column!r} was taken for groups of translations, but in group {group!r} two "
            f"different texts are in {one.lang!r}: {one.text[:_SHOWN]!r} and "
            f"{other.text[:_SHOWN]!r}; give --group '' for no groups, --group with another "
            f"column{together}"
        )
