"""Reasons for the suggestion of one task, by the version that /predict answers with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from xlt.data.examples import Example
from xlt.errors import ConfigError, DataError
from xlt.explain.changes import smallest_change
from xlt.explain.explanation import words_of
from xlt.explain.occlusion import occluded
from xlt.explain.written import as_json
from xlt.tasks.task import AnyTask, Suggestion
from xlt_backend.errors import BusyError, LabelStudioError, NotExplainedError
from xlt_backend.labelstudio.convert import Unusable, texts_of, to_example
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState
from xlt_backend.service.nearest import Near
from xlt_backend.service.predict import Inference

#: Largest number of words of a task that is explained: each costs a reading of the text.
MOST_WORDS = 256
#: Largest number of code points of its text.
MOST_CHARACTERS = 20_000

#: Returns a project's task as Label Studio has it, by their ids.
Fetch = Callable[[str, str], Mapping[str, Any]]
#: Returns the labelled tasks most like a task, by the project's key, the version and the task's id.
FindNear = Callable[[str, str, str], Sequence[Near]]


class Explainer:
    """Explains the suggestions of single tasks, one task at a time.

    The model is asked by occlusion, in chunks behind all short requests of /predict, so that
    explanations do not hold suggestions up.

    Args:
        state: Returns the state of a project.
        inference: Asks the active version.
        fetch: Fetches a task.
        near: Finds labelled tasks that are like one, by key, version and id.
        limit_s: Longest time of an explanation in seconds.
    """

    def __init__(
        self,
        state: Callable[[str], ProjectState],
        inference: Inference,
        fetch: Fetch,
        *,
        near: FindNear = lambda key, version, task: (),
        limit_s: float = 20.0,
    ) -> None:
        self._state = state
        self._inference = inference
        self._fetch = fetch
        self._near = near
        self._limit_s = limit_s
        self._one = threading.Lock()

    def explain(self, project: str, task: str, *, anyhow: bool = False) -> dict[str, Any]:
        """Explains what the active version suggests for a task, as JSON.

        Args:
            project: Label Studio's id of a project that xlt knows.
            task: Label Studio's id of the task.
            anyhow: Gives a suggestion that cannot be explained alone, with a `note` that says why.

        Raises:
            BusyError: If another task is being explained, or this one takes too long.
            NotExplainedError: If there is no version, or the task has no text that it reads.
            ServiceError: If the task cannot be fetched, or the interface is not supported.
        """
        if not self._one.acquire(blocking=False):
            raise BusyError("another task is being explained: ask again in some seconds")
        try:
            return self._explain(project, task, anyhow)
        except DataError as error:
            raise NotExplainedError(str(error)) from error
        finally:
            self._one.release()

    def _explain(self, project: str, task: str, anyhow: bool) -> dict[str, Any]:
        state = self._state(project)
        options = ProjectOptions.from_extra_params(state.extra_params)
        interface = Interface.from_options(state.label_config, options)
        example = to_example(self._fetch(project, task), interface, options)
        if isinstance(example, Unusable):
            raise NotExplainedError(f"task {task} is not used: {example.reason}")
        _check_size(task, example)
        deadline = time.monotonic() + self._limit_s
        versions: set[str] = set()

        def suggest(examples: Sequence[Example]) -> list[Suggestion]:
            found = self._inference.suggestions(state.key, examples, interface, deadline)
            if found is None:
                raise NotExplainedError(f"project {project} has no model that knows its labels yet")
            versions.add(found[0])
            if len(versions) > 1:
                raise BusyError("the active version has just changed: ask again")
            return found[1]

        try:
            explained = occluded(interface.task, suggest, example)
        except ConfigError as error:  # answers that are no labels, such as spans
            if not anyhow:
                raise
            [suggestion] = suggest([example])
            found = _unexplained(interface.task, example, suggestion, str(error))
        else:
            change = smallest_change(interface.task, suggest, explained)
            found = as_json(interface.task, explained, change)
        version = versions.pop()
        near = [self._shown(project, each) for each in self._near(state.key, version, task)]
        return found | {"version": version, "nearest": near}

    def _shown(self, project: str, near: Near) -> dict[str, Any]:
        """Returns a labelled task as JSON; without texts if Label Studio no longer has it."""
        state = self._state(project)
        options = ProjectOptions.from_extra_params(state.extra_params)
        interface = Interface.from_options(state.label_config, options)
        texts: list[str] = []
        with suppress(LabelStudioError):
            read = texts_of(self._fetch(project, near.task), interface)
            texts = [] if isinstance(read, Unusable) else list(read)
        return {
            "id": near.task,
            "lang": near.lang,
            "texts": texts,
            "answer": near.answer,
            "similarity": round(near.similarity, 4),
        }


def _unexplained(
    task: AnyTask, example: Example, suggestion: Suggestion, note: str
) -> dict[str, Any]:
    """Returns a suggestion as JSON with the keys of an explanation."""
    return {
        "id": example.id,
        "lang": example.lang,
        "texts": list(example.texts),
        "answer": task.plain(suggestion.answer),
        "label": task.describe(suggestion.answer),
        "probability": round(suggestion.confidence, 4),
        "words": [],
        "change": None,
        "note": note,
    }


def _check_size(task: str, example: Example) -> None:
    """Refuses long texts, which would keep the model from other work.

    Raises:
        NotExplainedError: If it is one.
    """
    length = len(example.text)
    if length > MOST_CHARACTERS:
        raise NotExplainedError(
            f"task {task} has {length} characters; at most {MOST_CHARACTERS} can be explained"
        )
    if (count := len(words_of(example))) > MOST_WORDS:
        raise NotExplainedError(
            f"task {task} has {count} words; at most {MOST_WORDS} can be explained here, more by "
            "`xlt explain`"
        )
