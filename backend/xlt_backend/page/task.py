"""Page of one task: its text, why this label, what is like it, and why it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from xlt_backend.errors import NotExplainedError, UnsupportedConfigError
from xlt_backend.page.names import language_tag
from xlt_backend.page.review import words_of
from xlt_backend.page.site import Site

#: Shares of the strongest word's score at which a word is drawn stronger.
_LEVELS = (0.15, 0.4, 0.75)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a text.

    Attributes:
        text: The piece.
        kind: How it is drawn: `for1` to `for3` if it is for the label, `against1` to `against3` if
            against it; empty if neither.
        score: By how much it raises the log-odds of the label; 0 between words.
    """

    text: str
    kind: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """A labelled task that is like this one.

    Attributes:
        task: Label Studio's id.
        lang: Its language.
        texts: Its texts; empty if Label Studio no longer has it.
        answer: Its answer, for people.
        similarity: In [-1, 1].
    """

    task: str
    lang: str
    texts: tuple[str, ...]
    answer: str
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The content of the page.

    Attributes:
        lang: Language of the task; empty if it is not known.
        texts: Its texts in pieces.
        answer: What the active version suggests, for people; empty without a version.
        label: The label that is explained.
        probability: Its probability in [0, 1].
        version: The version.
        strongest: The words that are most for the label, the strongest first.
        without: The words without which the answer is another; empty if there are none.
        instead: The answer without them, for people.
        near: Labelled tasks that are like it.
        note: Why something is missing, in English; may be empty.
        why: Why the task is asked, as /status says it.
    """

    lang: str
    texts: tuple[tuple[Piece, ...], ...] = ()
    answer: str = ""
    label: str = ""
    probability: float = 0.0
    version: str = ""
    strongest: tuple[Piece, ...] = ()
    without: tuple[str, ...] = ()
    instead: str = ""
    near: tuple[Like, ...] = ()
    note: str = ""
    why: Mapping[str, Any]


def shown_of(found: Mapping[str, Any], why: Mapping[str, Any]) -> Shown:
    """Returns the content of the page.

    Args:
        found: The explanation, as /explain answers it.
        why: Why the task is asked, as /status says it.
    """
    most = max((abs(word["score"]) for word in found["words"]), default=0.0)
    texts = tuple(
        tuple(pieces_of(text, [w for w in found["words"] if w["number"] == number], most))
        for number, text in enumerate(found["texts"])
    )
    marked = [piece for text in texts for piece in text if piece.kind.startswith("for")]
    change = found["change"] or {"words": [], "answer": None}
    return Shown(
        lang=found["lang"],
        texts=texts,
        answer=words_of(found["answer"]),
        label=found["label"],
        probability=found["probability"],
        version=found["version"],
        strongest=tuple(sorted(marked, key=lambda piece: -piece.score)[:10]),
        without=tuple(word["text"] for word in change["words"]),
        instead=words_of(change["answer"]) if found["change"] else "",
        near=tuple(
            Like(
                task=near["id"],
                lang=near["lang"],
                texts=tuple(near["texts"]),
                answer=words_of(near["answer"]),
                similarity=near["similarity"],
            )
            for near in found["nearest"]
        ),
        note=found.get("note", ""),
        why=why,
    )


def pieces_of(text: str, words: Sequence[Mapping[str, Any]], most: float) -> Iterable[Piece]:
    """Cuts a text into words and what is between them; joined, the pieces are the text.

    Args:
        text: The text.
        words: Its words in their order, with `start`, `end` and `score`.
        most: The largest size of a score in the task.
    """
    at = 0
    for word in words:
        if word["start"] > at:
            yield Piece(text=text[at : word["start"]])
        share = abs(word["score"]) / most if most else 0.0
        level = sum(share >= bound for bound in _LEVELS)
        side = "for" if word["score"] > 0 else "against"
        kind = f"{side}{level}" if level else ""
        yield Piece(text=text[word["start"] : word["end"]], kind=kind, score=word["score"])
        at = word["end"]
    if at < len(text):
        yield Piece(text=text[at:])


def look(site: Site, project: str, task: str) -> Shown:
    """Reads the content of the page.

    Raises:
        BusyError: If another task is being explained.
        ServiceError: If Label Studio does not have the task, or does not answer.
    """
    why = site.service.why(project, task)
    assert site.explainer is not None, "only reports have none, and no routes"
    try:
        return shown_of(site.explainer.explain(project, task, anyhow=True), why)
    except (NotExplainedError, UnsupportedConfigError) as error:
        return Shown(lang=str(why.get("lang") or ""), note=str(error), why=why)


def add(app: FastAPI, site: Site) -> None:
    """Adds the route of the page."""

    @app.get("/projects/{project}/tasks/{task}")
    async def task(request: Request, project: str, task: str) -> Response:
        await site.known(project)
        shown = await run_in_threadpool(look, site, project, task)
        return site.page(
            request,
            "task.html",
            project=project,
            task=task,
            shown=shown,
            tag=language_tag,
            studio=site.label_studio_url,
        )
