"""Explanations for people, on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from xlt.tasks.task import AnyTask

if TYPE_CHECKING:
    from xlt.explain.changes import Change
    from xlt.explain.explanation import Explanation, Word
    from xlt.explain.neighbours import Neighbour

#: Words that are listed for people.
_LISTED = 5
#: A word is marked if its score is at least this share of the greatest.
_LEAST_SHARE = 0.2


def show(
    task: AnyTask, found: Explanation, change: Change | None, neighbours: Sequence[Neighbour]
) -> None:
    """Prints an explanation on standard output.

    On a terminal words for the label are green and underlined, those against it red and italic.
    """
    console = Console(highlight=False, soft_wrap=True)
    line = f"{found.label}  {100 * found.probability:.1f} %  ({found.example.lang})"
    console.print(Text(line, style="bold"))
    for number in range(len(found.example.texts)):
        console.print(_marked(found, number))
    named = sorted((w for w in found.words if w.is_named), key=lambda word: -word.score)
    _list(console, "for it", [word for word in named[:_LISTED] if word.score > 0])
    _list(console, "against it", [word for word in named[: -_LISTED - 1 : -1] if word.score < 0])
    console.print(Text(_described(task, found, change)))
    if found.completeness is not None:
        console.print(Text(_sums(found)))
    for near in neighbours:
        answer = task.describe(near.example.answer)
        text = " | ".join(near.example.texts)
        console.print(Text(f"  {near.similarity:+.2f}  {answer} ({near.example.lang})  {text}"))
    console.print()


def _marked(found: Explanation, number: int) -> Text:
    """Returns a text with its strongest words marked."""
    marked = Text(found.example.texts[number])
    most = max(abs(word.score) for word in found.words)
    for word in found.words:
        if word.number == number and word.is_named and abs(word.score) >= _LEAST_SHARE * most > 0:
            style = "green underline" if word.score > 0 else "red italic"
            marked.stylize(style, word.start, word.end)
    return marked


def _list(console: Console, title: str, words: Sequence[Word]) -> None:
    if words:
        each = ", ".join(f"{word.text} {word.score:+.2f}" for word in words)
        console.print(Text(f"  {title}: {each}"))


def _described(task: AnyTask, found: Explanation, change: Change | None) -> str:
    if change is None:
        return "  no few words change the answer"
    words = ", ".join(word.text for word in change.words)
    answer, sure = task.describe(change.answer), 100 * change.confidence
    return f"  without {words}: {answer} ({sure:.1f} %)"


def _sums(found: Explanation) -> str:
    sums = found.completeness
    assert sums is not None
    says = "add up" if sums.is_complete else "do NOT add up"
    return (
        f"  the scores {says}: {sums.attributed:+.2f} of {sums.score - sums.baseline:+.2f} "
        f"({sums.steps} steps)"
    )
