"""Labelling interface of a project: the controls that xlt learns, and the texts of a task."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xlt.errors import DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.parts import Composed
from xlt.tasks.renames import Renames
from xlt.tasks.tags import Tag
from xlt.tasks.task import AnyTask, Kind, Suggestion
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.controls import SUPPORTED, find_controls
from xlt_backend.labelstudio.texts import one_name, with_texts
from xlt_backend.labelstudio.together import learned_together, task_of
from xlt_backend.options import ProjectOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The part of a labelling interface that xlt learns.

    Attributes:
        tag: The control that is learned, or several of them as its parts.
        task: What annotators decide with it.
        text_keys: Keys of `task.data` with the texts, in the order of those of an example.
        notes: One line for each thing in the interface that is not used.
        label_config: The XML that it was read from.
    """

    tag: Tag
    task: AnyTask
    text_keys: tuple[str, ...]
    notes: tuple[str, ...] = ()
    label_config: str = field(default="", repr=False)

    @property
    def kind(self) -> Kind[Any]:
        """The kind of the task."""
        return KINDS[self.task.kind]

    @property
    def tasks(self) -> dict[str, AnyTask]:
        """Name of each control that is learned -> its task."""
        if isinstance(self.task, Composed):
            return {part.name: part.task for part in self.task.parts}
        return {self.tag.name: self.task}

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all controls, as the interface writes them."""
        return tuple(dict.fromkeys(label for t in self.tasks.values() for label in t.labels))

    def describe(self) -> str:
        """Names the controls and their labels, for people."""
        return "; ".join(f"{name!r}: {', '.join(t.labels)}" for name, t in self.tasks.items())

    @classmethod
    def from_options(cls, label_config: str, options: ProjectOptions) -> Interface:
        """Reads a labelling interface as a project's options say, see `from_label_config`."""
        return cls.from_label_config(
            label_config,
            options.control,
            options.rename,
            texts=options.texts,
            text_field=options.text_field,
            weights=options.control_weights,
        )

    @classmethod
    def from_label_config(
        cls,
        label_config: str,
        controls: Sequence[str] | None = None,
        renames: Renames | None = None,
        *,
        texts: Sequence[str] | None = None,
        text_field: str | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Interface:
        """Reads a labelling interface.

        Args:
            label_config: The XML.
            controls: Names of the controls to learn; None for all that can be learned together
                (`xlt_backend.labelstudio.together`).
            renames: Labels that the controls had earlier -> the label that each is now.
            texts: Names of the `<Text>` tags to read; None for those that
                `xlt_backend.labelstudio.texts` chooses.
            text_field: Key of `task.data` that is read in place of all texts.
            weights: Name of a control -> weight of its uncertainty; 1 for the others.

        Raises:
            UnsupportedConfigError: If it is no XML, has nothing that xlt learns or not the
                controls; says of every control why not, and what is supported.
        """
        found, refused = find_controls(label_config, texts, text_field)
        learned, left_out = learned_together(found, controls)
        if not learned:
            reasons = "; ".join([*refused, *left_out]) or "it has no control at all"
            raise UnsupportedConfigError(
                f"nothing to learn in this labelling interface: {reasons}. {SUPPORTED}"
            )
        tags = tuple(replace(one.tag, renames=renames or {}) for one in learned)
        read = learned[0].texts
        notes = (note for one in learned for note in one.texts.notes)
        return cls(
            tag=tags[0] if len(tags) == 1 else Tag(parts=tags, renames=renames or {}),
            task=task_of(learned, weights or {}),
            text_keys=read.keys,
            notes=(
                *(f"not learned: {note}" for note in (*refused, *left_out)),
                *dict.fromkeys(notes),
                *filter(None, map(one_name, tags)),
            ),
            label_config=label_config,
        )

    def answer(
        self, results: Sequence[Mapping[str, Any]], texts: Sequence[str] = ()
    ) -> Hashable | None:
        """Reads an annotation's results; None if they hold no answer to what is learned.

        Args:
            results: The results, as Label Studio exports them.
            texts: Texts of the example.

        Raises:
            DataError: If they hold one that is not of the task.
        """
        answer: Hashable | None = self.kind.control.answer(results, self.tag, self.task, texts)
        return answer

    def faults(self, results: Sequence[Mapping[str, Any]], texts: Sequence[str] = ()) -> list[str]:
        """Returns why some controls' answers are not read though others' are."""
        found = []
        for tag in self.tag.parts:
            task = self.tasks[tag.name]
            try:
                KINDS[task.kind].control.answer(results, tag, task, texts)
            except DataError as error:
                found.append(f"{tag.name!r}: {error}")
        return found

    def results(
        self, suggestion: Suggestion, texts: Sequence[str] = ()
    ) -> list[dict[str, Any]] | None:
        """Returns a suggestion as results that are read back as the same answer.

        Labels are written as the interface writes them, byte for byte.
        Label Studio's own validator is not asked: it passes answers that its page cannot show, and
        refuses others that its page writes.

        Args:
            suggestion: The suggestion.
            texts: Texts of the example that it is for.

        Returns:
            None if the interface does not have the answer: it was edited after the model was
            trained.
        """
        try:
            answer = self.task.read(self.task.plain(suggestion.answer))
        except DataError:
            return None
        if not math.isfinite(suggestion.confidence):
            return None
        suggestion = replace(suggestion, answer=answer)
        results: list[dict[str, Any]] = self.kind.control.results(suggestion, self.tag, texts)
        # Of several controls one may be left empty, which is read as an answer, too.
        read = self.answer(results, texts)
        same = read is not None and self.task.credit([answer], [read])[0] == 1
        return results if same else None


def template(kind: str, labels: Sequence[str], texts: Sequence[str] = ()) -> str:
    """Returns a labelling interface of a kind for these labels.

    Args:
        kind: Name of the kind.
        labels: The labels, in order.
        texts: Keys of task data with the texts to show; empty for `$text`.

    Raises:
        ConfigError: If the texts are too many, or one of them twice.
        UnsupportedConfigError: If these labels make no interface that xlt can learn.
    """
    filled = KINDS[kind].control.template(labels)
    filled = with_texts(filled, texts) if texts else filled
    Interface.from_label_config(filled)
    return filled
