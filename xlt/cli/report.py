"""Output for people, on standard error: progress, tables, the signature of a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from xlt import __version__
from xlt.tasks.metrics import LanguageScore


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Shows a progress bar on a terminal and nothing in a pipe.

    Args:
        title: Its text at first.

    Yields:
        Moves the bar; called with its text, the number of items done and of all, 0 if unknown.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def show(text: str, done: int, total: int) -> None:
            bar.update(task, description=text, completed=done, total=total or None)

        yield show


def language_table(
    scores: Mapping[str, LanguageScore], title: str, *, measure: str = "accuracy"
) -> None:
    """Prints the mean credit with its interval, and other measures, language by language.

    Args:
        scores: Language -> score.
        title: Of the table.
        measure: Name of the mean credit.
    """
    more = list(next(iter(scores.values())).more) if scores else []
    table = Table(title=title)
    table.add_column("language")
    for name in ("texts", measure, "95 % interval", *map(_title, more)):
        table.add_column(name, justify="right")
    for lang, score in scores.items():
        table.add_row(
            lang,
            str(score.n),
            f"{100 * score.accuracy:.1f}",
            f"{100 * score.low:.1f}–{100 * score.high:.1f}",
            *(f"{100 * score.more[name]:.1f}" for name in more),
        )
    Console(stderr=True).print(table)


def _title(name: str) -> str:
    """Returns the name of a measure as a table shows it: macro_f1 is macro-F1."""
    return name.replace("_f1", "-F1").replace("_", " ")


def signature(
    total: LanguageScore, langs: list[str], model: Path, seed: int, *, measure: str = "accuracy"
) -> str:
    """Returns one line with a result and everything needed to reproduce it."""
    more = [f"{_title(name)} = {100 * value:.1f} | " for name, value in total.more.items()]
    return (
        f"{''.join(more)}{measure} = {100 * total.accuracy:.1f} | "
        f"model:{model.name} | langs:{','.join(langs)} | n:{total.n} | seed:{seed} | "
        f"xlt:{__version__}"
    )
