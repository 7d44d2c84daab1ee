"""Labelling interface of a project: the control that xlt learns, and the texts it is about."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from xlt.errors import DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.renames import Renames
from xlt.tasks.task import AnyTask, Kind, Refusal, Suggestion, Tag
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.choices import Shown, shown_choices
from xlt_backend.labelstudio.sdk import LabelInterface
from xlt_backend.labelstudio.texts import (
    Texts,
    chosen_texts,
    one_name,
    texts_of_control,
    with_texts,
)
from xlt_backend.options import ProjectOptions

SUPPORTED = (
    f"supported: {'; '.join(kind.control.supported for kind in KINDS.values())}; "
    "on a <Text value='$…'>, with fixed labels"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The part of a labelling interface that xlt learns.

    Attributes:
        tag: The control that is learned.
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

    @classmethod
    def from_options(cls, label_config: str, options: ProjectOptions) -> Interface:
        """Reads a labelling interface as a project's options say, see `from_label_config`."""
        return cls.from_label_config(
            label_config,
            options.control,
            options.rename,
            texts=options.texts,
            text_field=options.text_field,
        )

    @classmethod
    def from_label_config(
        cls,
        label_config: str,
        control: str | None = None,
        renames: Renames | None = None,
        *,
        texts: Sequence[str] | None = None,
        text_field: str | None = None,
    ) -> Interface:
        """Reads a labelling interface.

        Args:
            label_config: The XML.
            control: Name of the control to learn. Without it, of several usable controls the first
                is learned; those of an earlier kind in `KINDS` come before the others, so that a
                project keeps its control when xlt learns new kinds.
            renames: Labels that the control had earlier -> the label that each is now.
            texts: Names of the `<Text>` tags to read; None for those that
                `xlt_backend.labelstudio.texts` chooses.
            text_field: Key of `task.data` that is read in place of all texts.

        Raises:
            UnsupportedConfigError: If it is no XML, has nothing that xlt learns or not the control;
                says of every control why not, and what is supported.
        """
        parsed = _parsed(label_config)
        parents = _parents(label_config)
        refused: list[str] = []
        usable: list[tuple[Tag, AnyTask, Texts]] = []
        for element in parsed.controls:
            shown = shown_choices(label_config, element.name or "")
            tag = _tag(element, parents.get(element.name or "", []), shown)
            wanted = chosen_texts(tag, texts)
            read = texts_of_control(tag.objects, _list(parsed.objects), wanted, text_field)
            tag = tag if isinstance(read, str) else replace(tag, texts=read.names)
            task = _task(element, tag, parents.get(tag.name, []))
            if isinstance(task, Refusal) or isinstance(read, str):
                reason = task.reason if isinstance(task, Refusal) else read
                refused.append(f"<{tag.tag} name={tag.name!r}> {reason}")
            else:
                usable.append((tag, task, read))
        if not usable:
            reasons = "; ".join(refused) or "it has no control at all"
            raise UnsupportedConfigError(
                f"nothing to learn in this labelling interface: {reasons}. {SUPPORTED}"
            )
        usable.sort(key=lambda found: list(KINDS).index(found[1].kind))
        if control is not None:
            usable.sort(key=lambda found: found[0].name != control)
            if usable[0][0].name != control:
                names = ", ".join(repr(tag.name) for tag, *_ in usable)
                raise UnsupportedConfigError(
                    f"the option control={control!r} names no control that xlt learns; "
                    f"it learns {names} of this labelling interface"
                )
        (tag, task, read), *others = usable
        notes = [
            *refused,
            *(
                f"<{other.tag} name={other.name!r}> is a second one; the option `control` chooses"
                for other, *_ in others
            ),
        ]
        return cls(
            tag=replace(tag, renames=renames or {}),
            task=task,
            text_keys=read.keys,
            notes=(
                *(f"not learned: {note}" for note in notes),
                *read.notes,
                *filter(None, [one_name(tag)]),
            ),
            label_config=label_config,
        )

    def answer(
        self, results: Sequence[Mapping[str, Any]], texts: Sequence[str] = ()
    ) -> Hashable | None:
        """Reads an annotation's results; None if they hold no answer to the control.

        Args:
            results: The results, as Label Studio exports them.
            texts: Texts of the example.

        Raises:
            DataError: If they hold one that is not of the task.
        """
        answer: Hashable | None = self.kind.control.answer(results, self.tag, self.task, texts)
        return answer

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
        return results if self.answer(results, texts) == answer else None


@lru_cache(maxsize=64)
def _parsed(label_config: str) -> LabelInterface:
    if not label_config or not label_config.strip():
        raise UnsupportedConfigError(f"the labelling interface is empty. {SUPPORTED}")
    try:
        return LabelInterface(label_config)
    except Exception as error:  # the SDK raises bare Exceptions and lxml's own
        raise UnsupportedConfigError(
            f"the labelling interface cannot be read: {error}. {SUPPORTED}"
        ) from error


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - the SDK declares its lists as anything
    return list(value or ())


def _parents(label_config: str) -> dict[str, list[dict[str, str]]]:
    """Returns the attributes of the tags around each named tag, its own first."""
    chains: dict[str, list[dict[str, str]]] = {}

    def walk(tag: ET.Element, above: list[dict[str, str]]) -> None:
        chain = [{**tag.attrib, "tag": tag.tag}, *above]
        if tag.get("name"):
            chains.setdefault(tag.attrib["name"], chain)
        for child in tag:
            walk(child, chain)

    walk(ET.fromstring(label_config), [])
    return chains


def _tag(control: Any, chain: list[dict[str, str]], shown: Shown | None) -> Tag:  # noqa: ANN401
    return Tag(
        name=str(control.name),
        tag=str(control.tag),
        attributes=chain[0] if chain else {},
        labels=tuple(map(str, _list(control.labels))) if shown is None else shown.labels,
        paths=() if shown is None else shown.paths,
        objects=tuple(map(str, _list(control.to_name))),
    )


def _task(control: Any, tag: Tag, chain: list[dict[str, str]]) -> AnyTask | Refusal:  # noqa: ANN401
    """Returns the task of a control, or why it cannot be learned."""
    tasks = [kind.control.task(tag) for kind in KINDS.values()]
    task = next((task for task in tasks if task is not None), None)
    task = next((task for task in tasks if not isinstance(task, Refusal | None)), task)
    if task is None:
        return Refusal(reason="is another kind of control")
    reason = _unusable_place(tag, chain)
    if not reason and control.attr.get("apiUrl"):
        reason = "takes its choices from an address (apiUrl), which can give others at any time"
    if not reason and control.dynamic_value:
        reason = "takes its labels from the task, so that they differ from task to task"
    return Refusal(reason=reason) if reason else task


def _unusable_place(tag: Tag, chain: list[dict[str, str]]) -> str:
    """Returns why a control is not asked once per task; empty if it is."""
    flags = ("perRegion", "perItem")
    set_flags = [flag for flag in flags if tag.attributes.get(flag) == "true"]
    if set_flags:
        return f"is not asked once per text ({set_flags[0]}='true')"
    if any(above.get("visibleWhen") or above["tag"] == "Repeater" for above in chain):
        return "is not shown once with every task (visibleWhen or Repeater)"
    return ""


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
