"""Actions of people on a project: each asks first, on a page of its own, and is in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from xlt.errors import (
    ConfigError,
    CorruptVersionError,
    NeededVersionError,
    NoVersionError,
    StaleVersionError,
    XltError,
)
from xlt_backend.errors import PausedError
from xlt_backend.page.site import Site
from xlt_backend.service.controls import check_tasks

#: Fields with the weight of a language begin with this.
WEIGHT = "weight."
#: Ticked tasks begin with this; ids are also in a field of their own.
TASK, TASKS = "task.", "tasks"
_REFUSED = (
    ConfigError,
    CorruptVersionError,
    NeededVersionError,
    NoVersionError,
    PausedError,
    StaleVersionError,
)

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """An action that is asked about, or done.

    Attributes:
        site: The use cases.
        project: Label Studio's id of the project.
        by: The person.
        fields: The fields of the form.
    """

    site: Site
    project: str
    by: str
    fields: Fields

    @property
    def seen(self) -> str | None:
        """The active version that the person saw; None for none."""
        return self.fields.get("seen") or None

    @property
    def version(self) -> str:
        """The version that it is about."""
        return self.fields.get("version", "")

    @property
    def reason(self) -> str:
        """The reason that the person gave; may be empty."""
        return self.fields.get("reason", "")


def _promote(do: Doing) -> None:
    do.site.versions.promote(do.project, do.version, by=do.by, reason=do.reason, seen=do.seen)


def _rollback(do: Doing) -> None:
    do.site.versions.roll_back(do.project, by=do.by, reason=do.reason, seen=do.seen)


def _delete(do: Doing) -> None:
    do.site.versions.remove(do.project, do.version, by=do.by)


def _train(do: Doing) -> None:
    do.site.controls.train(do.project, by=do.by)


def _pause(do: Doing) -> None:
    do.site.controls.pause(do.project, by=do.by)


def _resume(do: Doing) -> None:
    do.site.controls.resume(do.project, by=do.by)


def _cancel(do: Doing) -> None:
    do.site.controls.cancel(do.project, by=do.by)


def _quota(do: Doing) -> None:
    do.site.controls.set_quota(do.project, weights(do.fields), by=do.by)


def _first(do: Doing) -> None:
    do.site.controls.label_next(do.project, tasks(do.fields), by=do.by)


#: What each action does, and the end of the address of the page that it belongs to.
ACTIONS: Mapping[str, tuple[Callable[[Doing], None], str]] = {
    "promote": (_promote, "versions"),
    "rollback": (_rollback, "versions"),
    "delete": (_delete, "versions"),
    "train": (_train, "queue"),
    "pause": (_pause, "queue"),
    "resume": (_resume, "queue"),
    "cancel": (_cancel, "queue"),
    "quota": (_quota, "queue"),
    "first": (_first, "queue"),
}


def weights(fields: Fields) -> dict[str, float]:
    """Reads the weights of a form by language; empty fields do not count.

    Raises:
        ConfigError: If one is not a number.
    """
    found = {}
    for name, text in fields.items():
        lang = name.removeprefix(WEIGHT)
        if not name.startswith(WEIGHT) or not text.strip():
            continue
        try:
            found[lang] = float(text.replace(",", "."))
        except ValueError:
            raise ConfigError(
                f"expected a number as the weight of {lang[:40]!r}, got {text[:40]!r}"
            ) from None
    return found


def tasks(fields: Fields) -> tuple[str, ...]:
    """Reads the ids of tasks in a form: those that are ticked, and those that are written."""
    ticked = [name.removeprefix(TASK) for name in fields if name.startswith(TASK)]
    return tuple(dict.fromkeys([*fields.get(TASKS, "").replace(",", " ").split(), *ticked]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The content of a page that asks.

    Attributes:
        active: The active version; None before the first.
        version: The version that the action is about; empty for actions about none.
        quota: The weights that are asked about; empty for the option.
        tasks: Ids of the tasks that it is about.
    """

    active: str | None
    version: str
    quota: Fields
    tasks: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, str]:
        """The fields that come back with the answer yes."""
        weighed = {f"{WEIGHT}{lang}": weight for lang, weight in self.quota.items()}
        chosen = {TASKS: " ".join(self.tasks)} if self.tasks else {}
        return {"version": self.version, "seen": self.active or "", **weighed, **chosen}


def _question(site: Site, project: str, action: str, given: Fields) -> Question:
    """Reads what the page that asks shows.

    Raises:
        XltError: If the version, the weights or the tasks that are given cannot be.
    """
    active, before = site.versions.active(project)
    version = ""
    if action in ("promote", "delete"):
        version = site.versions.one(project, given.get("version", "")).name
    if action == "rollback":
        if before is None:
            raise NoVersionError(f"project {project} has no earlier version to go back to")
        version = before
    quota = weights(given) if action == "quota" else {}
    site.controls.check_quota(project, quota)
    chosen = tasks(given) if action == "first" else ()
    check_tasks(chosen)
    weighed = {lang: str(weight) for lang, weight in quota.items()}
    return Question(active=active, version=version, quota=weighed, tasks=chosen)


def add(app: FastAPI, site: Site) -> None:
    """Adds the routes: `ask` shows the question, `do` is the answer yes."""

    @app.get("/projects/{project}/ask/{action}")
    async def ask(request: Request, project: str, action: str) -> Response:
        page = await _page_of(site, project, action)
        given = dict(request.query_params)
        try:
            question = await run_in_threadpool(_question, site, project, action, given)
        except _REFUSED as error:
            return _refused(site, request, project, page, error)
        return site.page(
            request, "ask.html", project=project, action=action, page=page, question=question
        )

    @app.post("/projects/{project}/do/{action}")
    async def do(request: Request, project: str, action: str) -> Response:
        page = await _page_of(site, project, action)
        fields = await site.form(request)
        doing = Doing(site=site, project=project, by=site.person(request), fields=fields)
        try:
            await run_in_threadpool(ACTIONS[action][0], doing)
        except _REFUSED as error:
            return _refused(site, request, project, page, error)
        return site.see(f"/projects/{project}/{page}")


async def _page_of(site: Site, project: str, action: str) -> str:
    """Returns the page of an action.

    Raises:
        HTTPException: 404 if there is no such project or action.
    """
    await site.known(project)
    if action not in ACTIONS:
        raise HTTPException(404, f"unknown action {action[:40]}; known: {', '.join(ACTIONS)}")
    return ACTIONS[action][1]


def _refused(site: Site, request: Request, project: str, page: str, error: XltError) -> Response:
    """Answers that nothing was changed, and why."""
    return site.page(request, "refused.html", 409, project=project, page=page, message=str(error))
