"""Tables and lines of `xlt versions`, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from xlt_backend.rounds.steering import Action
from xlt_backend.service.comparison import Comparison, Pair
from xlt_backend.service.rows import Row
from xlt_backend.service.versions import Moved

#: What becomes of a request for a round, for people.
_ROUNDS = {
    "queued": "a round that shows it is queued",
    "waiting": "the round that waits shows it",
    "running": "the next round shows it",
    "held": "the next round shows it",
}


def all_versions(rows: Iterable[Row]) -> Table:
    """Returns the table of `xlt versions list`."""
    table = _table("version", "saved (UTC)", "standing", "labels", "accuracy by language")
    for row in rows:
        scores = "\n".join(f"{lang} {accuracy(score)}" for lang, score in row.accuracy.items())
        labels = str(sum(row.labels.values())) if row.labels else ""
        standing = f"{row.standing} ({row.by})" if row.by else row.standing
        table.add_row(row.name, row.created_utc[:19], standing, labels, scores)
    return table


def one_version(row: Row) -> list[str]:
    """Returns the lines of `xlt versions show`."""
    labels = ", ".join(f"{lang} {count}" for lang, count in row.labels.items())
    lines = {
        "version": row.name,
        "saved": row.created_utc,
        "standing": row.standing,
        "why": row.verdict,
        "by": row.by,
        "labels": labels,
        "trained": row.trained,
        "reason": row.reason,
    }
    scores = [f"{lang} {accuracy(score)}" for lang, score in row.accuracy.items()]
    own = [f"{name:9} {value}" for name, value in lines.items() if value]
    return [*own, *(f"{'accuracy':9} {score}" for score in scores)]


def comparison(found: Comparison) -> list[Table | str]:
    """Returns the tables and lines of `xlt versions compare`."""
    parts: list[Table | str] = []
    for name, pairs in (("language", found.languages), ("label", found.labels)):
        if pairs:
            parts.append(_pairs(name, pairs, found))
    what = "tasks" if found.source == "tasks" else "audit tasks"
    parts.append(f"{found.changed} of {found.compared} {what} get another answer")
    if found.tasks:
        table = _table("task", "language", found.one, found.other, "audit label")
        for task in found.tasks:
            table.add_row(task.task, task.lang, task.one, task.other, task.truth)
        parts.append(table)
    return [*parts, found.note] if found.note else parts


def moved(done: Moved) -> str:
    """Returns the line about a promotion or a rollback."""
    if done.before == done.after:
        return f"{done.after} is the active version already"
    stopped = "; the running round was stopped for it" if done.stopped else ""
    return f"{done.before or 'no version'} → {done.after}; {_ROUNDS[done.round]}{stopped}"


def actions(log: Sequence[Action]) -> Table:
    """Returns the table of `xlt versions log`."""
    table = _table("when (UTC)", "who", "what", "from", "to", "why")
    for action in log:
        table.add_row(
            action.at_utc[:19], action.by, action.what, action.before, action.after, action.reason
        )
    return table


def accuracy(score: Mapping[str, float]) -> str:
    """Returns an accuracy with its interval, and the number of labels behind it."""
    share, low, high = (100 * float(score.get(name, 0)) for name in ("accuracy", "low", "high"))
    return f"{share:.0f} % [{low:.0f}, {high:.0f}] of {int(score.get('n', 0))}"


def _pairs(name: str, pairs: Sequence[Pair], found: Comparison) -> Table:
    table = _table(name, found.one, found.other, "won", "lost")
    for pair in pairs:
        one, other = accuracy(pair.one), accuracy(pair.other)
        table.add_row(pair.name, one, other, str(pair.won), str(pair.lost))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
