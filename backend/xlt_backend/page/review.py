"""Page *Labels to review*: labels that may be wrong, with reasons and links to correct them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from xlt_backend.page.site import Site
from xlt_backend.queue.state import ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A label that may be wrong.

    Attributes:
        task: Label Studio's id of the task.
        lang: Language of the task.
        answers: Each annotator with the answer, for people.
        expected: The answer that models expect, for people.
        doubt: Suspicion in [0, 1]; labels with the highest come first.
        reason: Why it is suspect, in English.
        certainty: Probability in [0, 1] that the expected answer is right; None if not known.
    """

    task: str
    lang: str
    answers: tuple[tuple[str, str], ...]
    expected: str
    doubt: float
    reason: str
    certainty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The content of the page.

    Attributes:
        suspects: The labels, the most suspect first.
        langs: Number of suspect labels by language, in all languages.
        lang: Language that they are filtered by; empty for all.
    """

    suspects: tuple[Suspect, ...]
    langs: dict[str, int]
    lang: str


def shown_of(state: ProjectState, lang: str) -> Shown:
    """Returns the content of the page.

    Args:
        state: The project's state.
        lang: Language to filter by; empty for all.
    """
    suspects = [
        Suspect(
            task=label["task"],
            lang=label["lang"],
            answers=tuple((who, words_of(answer)) for who, answer in label["answers"].items()),
            expected=words_of(label["expected"]),
            doubt=label["doubt"],
            reason=label["reason"],
            certainty=label.get("certainty"),
        )
        for label in state.doubtful
    ]
    return Shown(
        suspects=tuple(each for each in suspects if lang in ("", each.lang)),
        langs=_counts([each.lang for each in suspects]),
        lang=lang,
    )


def words_of(answer: object) -> str:
    """Returns an answer of any kind, as states hold it, for people."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list) and all(isinstance(part, str) for part in answer):
        return ", ".join(answer) or "–"
    return json.dumps(answer, ensure_ascii=False)


def _counts(langs: Sequence[str]) -> dict[str, int]:
    return {lang: langs.count(lang) for lang in sorted(set(langs))}


def add(app: FastAPI, site: Site) -> None:
    """Adds the route of the page."""

    @app.get("/projects/{project}/review")
    async def review(request: Request, project: str, lang: str = "") -> Response:
        await site.known(project)
        state = await run_in_threadpool(site.service.state, project)
        return site.page(
            request,
            "review.html",
            project=project,
            shown=shown_of(state, lang),
            studio=site.label_studio_url,
        )
