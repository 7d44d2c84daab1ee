"""Waiting tasks that a query in any language means, or that are like a task."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.languages import languages_named, listed
from xlt.errors import DataError
from xlt.frozen.centres import fit_centres
from xlt.search.terms import MOST_CHARACTERS, MOST_WORDS, words
from xlt_backend.errors import BusyError, LabelStudioError, NotFoundError, NotSearchedError
from xlt_backend.labelstudio.convert import Unusable, texts_of
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState
from xlt_backend.service.explain import Fetch
from xlt_backend.service.nearest import MOST_BYTES
from xlt_backend.service.registry import Loaded
from xlt_backend.trainer import scorecache
from xlt_backend.trainer.scorecache import Cached

#: Largest number of tasks that are found, and of those that are found unless asked otherwise.
MOST_FOUND, FOUND = 50, 20

#: Reads the vector (D,) of an example by a project's active version, and returns that version.
Read = Callable[[str, Example], tuple[str, NDArray[np.float32]]]


class Waiting(Protocol):
    """The part of `xlt_backend.queue.state.StateStore` that the use case needs."""

    def waiting(self, project: str) -> Mapping[str, Mapping[str, Any]]:
        """Maps the explained tasks that wait to the reasons for their places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A query, or a task that others are to be like.

    Attributes:
        query: Text in any language.
        like: Id of a task.
        lang: Language of the tasks that are found; empty for all.
        limit: Their largest number.
    """

    query: str = ""
    like: str = ""
    lang: str = ""
    limit: int = FOUND

    def check(self) -> None:
        """Refuses what cannot be searched for.

        Raises:
            NotSearchedError: If it is refused.
        """
        if bool(self.query.strip()) == bool(self.like):
            raise NotSearchedError("expected a query with a word, or a task, and not both")
        if not 1 <= self.limit <= MOST_FOUND:
            raise NotSearchedError(f"limit must be 1 to {MOST_FOUND}, got {self.limit}")
        if len(self.query) > MOST_CHARACTERS:
            raise NotSearchedError(
                f"the query has {len(self.query)} characters; at most {MOST_CHARACTERS} are read"
            )
        count = len(words(self.query))
        if self.query.strip() and not 1 <= count <= MOST_WORDS:
            raise NotSearchedError(f"the query has {count} words; expected 1 to {MOST_WORDS}")


def reader(loaded: Callable[[str], Loaded | None]) -> Read:
    """Returns what reads queries by the active versions.

    Args:
        loaded: Returns the active version of a project's key, in memory.
    """

    def read(key: str, query: Example) -> tuple[str, NDArray[np.float32]]:
        found = loaded(key)
        if found is None:
            raise NotSearchedError("there is no model yet to read the query by")
        try:
            return found.version, found.model.score([query]).vectors[0]
        except DataError as error:  # a model of several texts
            raise NotSearchedError(f"{error}: search by a task instead") from error

    return read


class Searcher:
    """Compares a query with the vectors that the worker keeps of the active version.

    Args:
        state: Returns the state of a project.
        tasks: The waiting tasks.
        read: Reads the query.
        active: Returns the active version of a project's key; None before the first.
        fetch: Fetches a task.
        work: Folder of the workers' folders.
    """

    def __init__(
        self,
        state: Callable[[str], ProjectState],
        tasks: Waiting,
        read: Read,
        active: Callable[[str], str | None],
        fetch: Fetch,
        work: Path,
    ) -> None:
        self._state = state
        self._tasks = tasks
        self._read = read
        self._active = active
        self._fetch = fetch
        self._work = work
        self._one = threading.Lock()

    def search(self, project: str, wanted: Wanted) -> dict[str, Any]:
        """Finds waiting tasks, as JSON; every one that has a place is compared.

        Args:
            project: Label Studio's id of a project that xlt knows.
            wanted: What is searched for.

        Raises:
            BusyError: If another search runs.
            NotFoundError: If the task is not known.
            NotSearchedError: If the query cannot be answered; says why.
        """
        wanted.check()
        if not self._one.acquire(blocking=False):
            raise BusyError("another search runs: ask again in some seconds")
        try:
            return self._search(project, wanted)
        finally:
            self._one.release()

    def _search(self, project: str, wanted: Wanted) -> dict[str, Any]:
        key, version = self._state(project).key, None
        if wanted.query:
            version, vector = self._read(key, Example(id="query", texts=(wanted.query,)))
        else:
            version = self._active(key)
        kept = self._kept(project, key, version)
        langs = kept.langs.tolist()
        centres = fit_centres(kept.scores.vectors, langs)
        row_of = {name: row for row, name in enumerate(kept.tasks.tolist()) if name}
        lang = UNKNOWN_LANGUAGE
        if wanted.like:
            if wanted.like not in row_of:
                raise NotFoundError(f"project {project} has no text of task {wanted.like[:40]}")
            row = row_of[wanted.like]
            vector, lang = kept.scores.vectors[row], langs[row]
        if vector.shape != kept.scores.vectors.shape[1:]:
            raise NotSearchedError("tasks of several texts are searched with `like` alone")
        places = self._tasks.waiting(project)
        names = [name for name in _in_language(places, wanted.lang) if name in row_of]
        names = [name for name in names if name != wanted.like]
        rows = [row_of[name] for name in names]
        units = centres.units(kept.scores.vectors[rows], [langs[row] for row in rows])
        near = np.clip(units @ centres.units(vector[None], [lang])[0], -1.0, 1.0)
        best = np.argsort(-near, kind="stable")[: wanted.limit].tolist()
        found = [
            {
                "id": names[at],
                "lang": langs[rows[at]],
                "place": places[names[at]].get("place"),
                "similarity": round(float(near[at]), 4),
            }
            for at in best
        ]
        texts = self._texts(project, [str(each["id"]) for each in found])
        return {
            "version": version,
            "searched": len(names),
            "tasks": [each | {"texts": own} for each, own in zip(found, texts, strict=True)],
        }

    def _kept(self, project: str, key: str, version: str | None) -> Cached:
        """Returns the vectors of the version.

        Raises:
            NotSearchedError: If there are none on this machine.
        """
        path = None if version is None else self._work / key / scorecache.file_of(version)
        if path is None or not path.is_file():
            raise NotSearchedError(
                f"project {project} has no vectors to search in: the first model makes them, and "
                "the web server has to see the worker's folder"
            )
        if path.stat().st_size > MOST_BYTES:
            raise NotSearchedError(f"project {project} is too large to be searched here")
        return scorecache.load(path)

    def _texts(self, project: str, tasks: Sequence[str]) -> list[list[str]]:
        """Returns the texts of tasks; none for those that Label Studio no longer has."""
        state = self._state(project)
        options = ProjectOptions.from_extra_params(state.extra_params)
        interface = Interface.from_options(state.label_config, options)
        found: list[list[str]] = [[] for _ in tasks]
        for own, task in zip(found, tasks, strict=True):
            with suppress(LabelStudioError):
                read = texts_of(self._fetch(project, task), interface)
                own += [] if isinstance(read, Unusable) else read
        return found


def _in_language(places: Mapping[str, Mapping[str, Any]], lang: str) -> list[str]:
    """Returns the waiting tasks of a language, all if it is empty.

    Raises:
        NotSearchedError: If no task is in it.
    """
    if not lang.strip():
        return list(places)
    counts: dict[str, int] = {}
    for reason in places.values():
        counts[str(reason.get("lang"))] = counts.get(str(reason.get("lang")), 0) + 1
    named = languages_named(lang, counts)
    if not named:
        raise NotSearchedError(
            f"no waiting task is in {lang[:40]!r}; tasks are in {listed(counts)}"
        )
    return [task for task, reason in places.items() if reason.get("lang") in named]
