"""The labelling interface of a project: which control xlt learns, from which text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from label_studio_sdk.label_interface.control_tags import ChoicesTag
from label_studio_sdk.label_interface.interface import LabelInterface

from xlt.data.examples import TaskSpec
from xlt_backend.errors import UnsupportedConfigError

SUPPORTED = (
    "supported: one label per text, that is <Choices> with choice='single' on a <Text value='$…'>, "
    "with at least two fixed <Choice value='…'/>"
)

#: Values of `choice` that let an annotator choose one label only.
_SINGLE = {"single", "single-radio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What xlt needs to know of a labelling interface.

    Attributes:
        control: Name of the control that is learned (`from_name`).
        object: Name of the text it belongs to (`to_name`).
        labels: Values as Label Studio stores them (a choice's alias where it has one), in order.
        text_key: Key of `task.data` with the text.
        notes: One line for each thing in the interface that is not used.
        label_config: The XML it was read from.
    """

    control: str
    object: str
    labels: tuple[str, ...]
    text_key: str
    notes: tuple[str, ...] = ()
    label_config: str = field(default="", repr=False)

    @property
    def spec(self) -> TaskSpec:
        """The same as the library's task."""
        return TaskSpec(labels=self.labels)

    @classmethod
    def from_label_config(cls, label_config: str) -> Interface:
        """Read a labelling interface; the first usable control counts.

        Raises:
            UnsupportedConfigError: If it is no XML, or nothing in it is supported; says of every
                control why not, and what is supported.
        """
        parsed = _parsed(label_config)
        parents = _parents(label_config)
        refused: list[str] = []
        usable: list[ChoicesTag] = []
        for control in parsed.controls:
            why = _unusable(control, parents.get(control.name or "", []))
            if why:
                refused.append(f"<{control.tag} name={control.name!r}> {why}")
            else:
                usable.append(control)
        if not usable:
            found = "; ".join(refused) or "it has no control at all"
            raise UnsupportedConfigError(
                f"nothing to learn in this labelling interface: {found}. {SUPPORTED}"
            )
        first, *others = usable
        notes = [*refused, *(f"<Choices name={other.name!r}> is a second one" for other in others)]
        return cls(
            control=str(first.name),
            object=str(_list(first.to_name)[0]),
            labels=tuple(_list(first.labels)),
            text_key=str(_list(first.objects)[0].value)[1:],
            notes=tuple(f"not learned: {note}" for note in notes),
            label_config=label_config,
        )


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
    """Attributes of the tags around each named tag, its own first."""
    chains: dict[str, list[dict[str, str]]] = {}

    def walk(tag: ET.Element, above: list[dict[str, str]]) -> None:
        chain = [{**tag.attrib, "tag": tag.tag}, *above]
        if tag.get("name"):
            chains.setdefault(tag.attrib["name"], chain)
        for child in tag:
            walk(child, chain)

    walk(ET.fromstring(label_config), [])
    return chains


def _unusable(control: Any, chain: list[dict[str, str]]) -> str:  # noqa: ANN401 - SDK's tags
    """Why a control cannot be learned; empty where it can."""
    if not isinstance(control, ChoicesTag):
        return "is another kind of control"
    own = chain[0] if chain else {}
    if own.get("choice", "single") not in _SINGLE:
        return f"allows several labels per text (choice={own['choice']!r})"
    odd = [key for key in ("perRegion", "perItem", "allowNested") if own.get(key) == "true"]
    if odd:
        return f"is not asked once per text ({odd[0]}='true')"
    if any(tag.get("visibleWhen") or tag["tag"] == "Repeater" for tag in chain):
        return "is not shown once with every task (visibleWhen or Repeater)"
    if control.dynamic_value:
        return "takes its labels from the task, so that they differ from task to task"
    if len(_list(control.labels)) < 2:
        return f"has fewer than two labels: {_list(control.labels)}"
    return _unusable_object(control)


def _unusable_object(control: ChoicesTag) -> str:
    names, objects = _list(control.to_name), _list(control.objects)
    if len(names) != 1 or len(objects) != 1:
        return f"is not about exactly one object: toName={','.join(names)!r}"
    text = objects[0]
    if text.tag != "Text":
        return f"is about a <{text.tag}>"
    if (text.value_type or "text") != "text" or text.attr.get("encoding", "none") != "none":
        return f"is about <Text name={text.name!r}> whose text is elsewhere or encoded"
    if not text.value_is_variable:
        return f"is about <Text name={text.name!r}> with a fixed text, {text.value!r}"
    return ""


def check_prediction(prediction: dict[str, Any], label_config: str) -> list[str]:
    """What Label Studio's own validator says against a prediction; empty: nothing."""
    validate: Any = _parsed(label_config).validate_prediction
    return list(validate(prediction, return_errors=True))


#: Keys of the first choices; Label Studio finds some for the others.
_HOTKEYS = "1234567890"


def choices_config(labels: Sequence[str]) -> str:
    """The interface of `label_config/choices.xml` for these labels: one per text, from `$text`.

    Raises:
        UnsupportedConfigError: If these labels make no interface that xlt can learn.
    """
    lines = []
    for index, label in enumerate(labels):
        hotkey = f" hotkey={quoteattr(_HOTKEYS[index])}" if index < len(_HOTKEYS) else ""
        lines.append(f"<Choice value={quoteattr(label)}{hotkey}/>")
    template = (_label_config_folder() / "choices.xml").read_text(encoding="utf-8")
    head, tail = template.split("-->", 1)[1].split("{labels}")
    filled = f"{head}{chr(10).join(lines)}{tail}".strip()
    Interface.from_label_config(filled)
    return filled


def _label_config_folder() -> Path:
    """Beside this package in a wheel, in the clone's root otherwise."""
    inside = Path(__file__).parents[1] / "label_config"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "label_config"
