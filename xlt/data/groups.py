"""Groups of translations: found by ids, and checked to be translations of one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

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


def with_distinct_ids(examples: list[Example], path: str) -> list[Example]:
    """Makes ids distinct; an id that several languages share becomes their group.

    Args:
        examples: Examples of a table.
        path: The table, for messages.

    Raises:
        DataError: If an id occurs twice in a language.
    """
    counts = Counter(example.id for example in examples)
    if len(counts) == len(examples):
        return examples
    pairs = Counter((example.id, normalise(example.lang)) for example in examples)
    (id, key), most = pairs.most_common(1)[0]
    if most > 1:
        lang = next(e.lang for e in examples if (e.id, normalise(e.lang)) == (id, key))
        raise DataError(
            f"{path}: expected distinct ids, but id {id!r} occurs {most} times in language "
            f"{lang!r}: name another column with --id, or give --id '' to number the rows"
        )
    return [
        replace(
            example,
            id=f"{example.id}/{example.lang}",
            group=example.group if example.group is not None else example.id,
        )
        for example in examples
    ]
