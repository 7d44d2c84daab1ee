"""Page *Annotators*: the progress and agreement of each person, without a ranking."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from xlt_backend.page.languages import Estimate
from xlt_backend.page.project import Charts
from xlt_backend.page.site import Site
from xlt_backend.queue.state import ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A person's work in one language.

    Attributes:
        lang: The language.
        answers: Number of answers.
        compared: Number of those to tasks that others answered too.
        agreement: Mean agreement with the others; None if nothing was compared.
    """

    lang: str
    answers: int
    compared: int
    agreement: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person.

    Attributes:
        name: Label Studio's id of the person.
        works: Work by language.
    """

    name: str
    works: tuple[Work, ...]

    @property
    def answers(self) -> int:
        """Number of answers in all languages."""
        return sum(work.answers for work in self.works)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """Certainty of the group's answers in a language.

    Attributes:
        lang: The language.
        tasks: Number of reviewed tasks.
        several: Number of those with several answers.
        sure: Number of those whose answer is right with 90 % probability.
    """

    lang: str
    tasks: int
    several: int
    sure: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The content of the page.

    Attributes:
        mine: The reader, if that is known; else None.
        others: All others, by name.
        certainty: By language.
    """

    mine: Person | None
    others: tuple[Person, ...]
    certainty: tuple[Certainty, ...]


def shown_of(state: ProjectState, me: str) -> Shown:
    """Returns the content of the page.

    Args:
        state: The project's state.
        me: Label Studio's id of the reader; empty if it is not known.
    """
    people = [
        Person(
            name=name,
            works=tuple(
                Work(
                    lang=lang,
                    answers=int(cell["answers"]),
                    compared=int(cell["compared"]),
                    agreement=Estimate(value=cell["agreement"], low=cell["low"], high=cell["high"])
                    if "agreement" in cell
                    else None,
                )
                for lang, cell in sorted(own.items())
            ),
        )
        for name, own in sorted(state.people.items(), key=lambda item: _by_number(item[0]))
    ]
    return Shown(
        mine=next((person for person in people if person.name == me), None),
        others=tuple(person for person in people if person.name != me),
        certainty=tuple(
            Certainty(lang=lang, **counts) for lang, counts in sorted(state.certainty.items())
        ),
    )


def _by_number(name: str) -> tuple[int, str]:
    return (int(name) if name.isdecimal() and len(name) < 19 else 10**19, name)


def add(app: FastAPI, site: Site) -> None:
    """Adds the route of the page."""

    @app.get("/projects/{project}/annotators")
    async def annotators(request: Request, project: str, me: str = "") -> Response:
        await site.known(project)
        state = await run_in_threadpool(site.service.state, project)
        return site.page(
            request,
            "annotators.html",
            project=project,
            shown=shown_of(state, me or site.person(request)),
            charts=Charts(site.words(request), ()),
        )
