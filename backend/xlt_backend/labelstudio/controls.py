"""Control tags of a labelling interface: which xlt can learn, and why not the others."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from xlt.tasks import choices
from xlt.tasks.kinds import KINDS
from xlt.tasks.tags import Condition, Refusal, Tag
from xlt.tasks.task import AnyTask
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.choices import TREE, Shown, shown_choices
from xlt_backend.labelstudio.sdk import LabelInterface
from xlt_backend.labelstudio.texts import Texts, chosen_texts, texts_of_control

SUPPORTED = (
    f"supported: {'; '.join(kind.control.supported for kind in KINDS.values())}; "
    "on a <Text value='$…'>, with fixed labels"
)
#: Values of `visibleWhen` that depend on choices -> whether these must be selected.
_WHEN = {"choice-selected": True, "choice-unselected": False}
#: Tags whose choices decide what else is shown.
DECIDING = (choices.TAG, TREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A control that xlt can learn, alone or with others.

    Attributes:
        tag: The control.
        task: What annotators decide with it.
        texts: The texts that it is read with.
    """

    tag: Tag
    task: AnyTask
    texts: Texts


def find_controls(
    label_config: str, texts: Sequence[str] | None = None, text_field: str | None = None
) -> tuple[list[Found], list[str]]:
    """Returns the controls that xlt can learn, and a line for each that it cannot.

    Args:
        label_config: The XML.
        texts: Names of the `<Text>` tags to read; None for those that belong to a control.
        text_field: Key of `task.data` that is read in place of all texts.

    Raises:
        UnsupportedConfigError: If it is no XML of a labelling interface.
    """
    parsed = _parsed(label_config)
    parents = _parents(label_config)
    refused: list[str] = []
    found: list[Found] = []
    for element in parsed.controls:
        chain = parents.get(element.name or "", [])
        tag = _tag(element, chain, shown_choices(label_config, element.name or ""))
        wanted = chosen_texts(tag, texts)
        read = texts_of_control(tag.objects, _list(parsed.objects), wanted, text_field)
        tag = tag if isinstance(read, str) else replace(tag, texts=read.names)
        task = _task(element, tag, chain)
        if isinstance(task, Refusal) or isinstance(read, str):
            reason = task.reason if isinstance(task, Refusal) else str(read)
            refused.append(f"{named(tag)} {reason}")
        else:
            tag = replace(tag, conditions=tuple(_conditions(chain)))
            found.append(Found(tag=tag, task=task, texts=read))
    return found, refused


def named(tag: Tag) -> str:
    """Names a control in messages."""
    return f"<{tag.tag} name={tag.name!r}>"


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
    when = [_attribute(above, "visibleWhen") for above in chain]
    unknown = next((one for one in when if one and one not in _WHEN), "")
    if unknown or any(above["tag"] == "Repeater" for above in chain):
        return f"is not shown once with every task ({unknown or 'Repeater'})"
    if any(one and not _attribute(a, "whenTagName") for one, a in zip(when, chain, strict=True)):
        return "is shown by a choice in any control (visibleWhen without whenTagName)"
    return ""


def _conditions(chain: Sequence[Mapping[str, str]]) -> Iterator[Condition]:
    """Yields the conditions under which Label Studio's page shows a control."""
    for above in chain:
        when = _attribute(above, "visibleWhen")
        if when:
            values = _attribute(above, "whenChoiceValue")
            yield Condition(
                control=_attribute(above, "whenTagName"),
                labels=tuple(values.split(",")) if values else (),
                selected=_WHEN[when],
            )


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    """Returns an attribute, whose name Label Studio's page reads in any case; empty without it."""
    return next((v for k, v in attributes.items() if k.lower() == name.lower()), "")
