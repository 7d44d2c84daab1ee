"""Controls: several of them in one interface, each read and written by its own kind."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import quoteattr

from xlt.data.by_control import ByControl
from xlt.errors import DataError
from xlt.tasks import choices
from xlt.tasks.multi_task.task import MultiTask
from xlt.tasks.parts import BEHIND, Part, shown
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import AnyTask, Json, Kind, Suggestion

_NAME = 'name="label"'


@dataclass(frozen=True, slots=True)
class Controls:
    """The kind's `xlt.tasks.task.Control`.

    Attributes:
        kinds: The kinds that read and write the controls.
    """

    supported = "several of these controls together: each about the same texts"
    kinds: Mapping[str, Kind[Any]]

    def task(self, tag: Tag) -> MultiTask | Refusal | None:
        """Returns the task of several tags; None for a single one."""
        if tag.tag:
            return None
        parts = []
        for own in tag.parts:
            task = self.part(own)
            if task is None or isinstance(task, Refusal):
                reason = "is another kind of control" if task is None else task.reason
                return Refusal(reason=f"has {own.name!r}, which {reason}")
            parts.append(Part(name=own.name, task=task, conditions=own.conditions))
        try:
            return MultiTask(parts=tuple(parts))
        except DataError as error:
            return Refusal(reason=f"has controls that xlt cannot learn together: {error}")

    def part(self, tag: Tag) -> AnyTask | Refusal | None:
        """Returns the task of one tag; None if no kind knows it."""
        found = [kind.control.task(tag) for kind in self.kinds.values()]
        refused = next((task for task in found if isinstance(task, Refusal)), None)
        return next((task for task in found if not isinstance(task, Refusal | None)), refused)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: MultiTask,
        texts: Sequence[str] = (),
    ) -> ByControl | None:
        """Returns the answers to the controls that were shown; None if there are none.

        Without any result no control is filled in, unless all of them may be left empty.

        Raises:
            DataError: If the only answers are not of their tasks.
        """
        answers, faults = self._read(results, tag, task, texts)
        if not answers and faults:
            raise DataError(faults[0])
        return ByControl.of(answers) if answers else None

    def _read(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: MultiTask,
        texts: Sequence[str],
    ) -> tuple[dict[str, Hashable], list[str]]:
        """Returns the answers by control, and why others are not read."""
        given = {r.get("from_name") for r in results if isinstance(r, Mapping)}
        answers: dict[str, Hashable] = {}
        faults = []
        tags = {own.name: own for own in tag.parts}
        for part in task.parts:
            if part.name not in tags:
                raise DataError(f"no control {part.name!r} in the interface")
            control = self.kinds[part.task.kind].control
            try:
                answer = control.answer(results, tags[part.name], part.task, texts)
            except DataError as error:
                faults.append(f"{part.name!r}: {error}")
                continue
            if answer is not None:
                answers[part.name] = answer
        filled = {name for name in answers if name in given}
        visible = shown(task.parts, answers)
        # Some controls are left empty to say "none"; that counts beside an answer to another.
        if not filled and len(answers) < len(visible):
            return {}, faults
        return {name: own for name, own in answers.items() if name in visible}, faults

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns the results of all controls that the suggestion has an answer to."""
        found: list[dict[str, Json]] = []
        for own in tag.parts:
            answer = suggestion.answer.get(own.name)
            task = self.part(own)
            if answer is None or task is None or isinstance(task, Refusal):
                continue
            one = suggestion.controls.get(
                own.name, Suggestion(answer=answer, confidence=suggestion.confidence)
            )
            control = self.kinds[task.kind].control
            found += control.results(replace(one, answer=answer), own, texts)
        return found

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface with these controls for `$text`, see `MultiTaskKind.task`."""
        before, after = choices.page("\0").split("\0")
        parts = []
        for part in self.parts(labels):
            page = self.kinds[part.task.kind].control.template(part.task.labels)
            control = page.removeprefix(before).removesuffix(after)
            named = control.replace(_NAME, f"name={quoteattr(part.name)}", 1)
            parts += [f'<Header value={quoteattr(part.name)} size="6"/>', named]
        return choices.page("\n    ".join(parts))

    def parts(self, labels: Sequence[str]) -> Iterator[Part]:
        """Yields the controls of labels that are written as "control: label".

        Raises:
            DataError: If a label names no control, or if those of one make no task.
        """
        own: dict[str, list[str]] = {}
        for label in labels:
            name, behind, rest = label.partition(BEHIND)
            if not (name and behind and rest):
                raise DataError(f"expected labels such as 'control: label', got {label!r}")
            own.setdefault(name, []).append(rest)
        for name, names in own.items():
            yield Part(name=name, task=self._task(names))

    def _task(self, labels: Sequence[str]) -> AnyTask:
        try:
            numbers = [int(label) for label in labels]
        except ValueError:
            return next(iter(self.kinds.values())).task(labels)
        found = (kind.infer(numbers) for kind in self.kinds.values())
        return next(task for task in found if task is not None)
