"""Labels by language and week. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from xlt.data.examples import Example

#: Number of weeks that are counted, up to the one of the newest label.
WEEKS = 26


def weeks_of(
    labelled: Iterable[Example], labelled_at: Mapping[str, float]
) -> dict[str, dict[str, int]]:
    """Counts labels by language and by the Monday of the week (UTC) of their first answer.

    Args:
        labelled: The labelled examples.
        labelled_at: Id -> seconds since the epoch; 0 if unknown: such labels are left out.

    Returns:
        Language -> Monday as ISO 8601 -> number of labels, in the last `WEEKS` weeks.
    """
    times = [(example.lang, labelled_at.get(example.id, 0.0)) for example in labelled]
    counts = Counter((lang, _monday(time)) for lang, time in times if time > 0)
    if not counts:
        return {}
    newest = max(monday for _, monday in counts)
    first = (datetime.fromisoformat(newest) - timedelta(weeks=WEEKS - 1)).date().isoformat()
    found: dict[str, dict[str, int]] = {}
    for (lang, monday), number in sorted(counts.items()):
        if monday >= first:
            found.setdefault(lang, {})[monday] = number
    return found


def _monday(seconds: float) -> str:
    day = datetime.fromtimestamp(seconds, UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()
