"""Choices that Label Studio's page shows. Its SDK lists others too: those that it never shows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from xlt.data.choice_trees import PATH, leaf_labels
from xlt.tasks.choices import TAG

_CHOICE = "Choice"
TREE = "Taxonomy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The choices of a control that annotators can choose.

    Attributes:
        labels: Their labels: the value, or its alias. A leaf of a tree is called by its path if
            another leaf has the same label; every node of a `<Taxonomy>` is.
        paths: Path of each label in a tree of choices; empty if there is none.
    """

    labels: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()


def shown_choices(label_config: str, name: str) -> Shown | None:
    """Returns the choices of the control of this name; None if it is another kind of control.

    Without `allowNested`, a `<Choice>` inside another one is not shown. With it, a node above
    others is chosen only together with all of them: annotators choose among the leaves. Every node
    of a `<Taxonomy>` can be chosen alone.
    """
    tags = [tag for tag in ET.fromstring(label_config).iter() if tag.tag in (TAG, TREE)]
    control = next((tag for tag in tags if tag.get("name") == name), None)
    if control is None:
        return None
    if control.tag == TREE:
        tree = tuple(_tree(control))
        return Shown(labels=tuple(PATH.join(path) for path in tree), paths=tree)
    if control.get("allowNested") != "true":
        return Shown(labels=tuple(dict.fromkeys(path[-1] for path in _nodes(control, deep=False))))
    nodes = dict.fromkeys(_nodes(control, deep=True))
    paths = tuple(path for path in nodes if not any(_is_above(path, other) for other in nodes))
    labels = leaf_labels(paths)
    return Shown(labels=tuple(labels[path] for path in paths), paths=paths)


def _nodes(
    parent: ET.Element, above: tuple[str, ...] = (), *, deep: bool
) -> Iterator[tuple[str, ...]]:
    """Yields the paths of the choices below a tag, those of choices within choices if `deep`."""
    for child in parent:
        if child.tag != _CHOICE:
            yield from _nodes(child, above, deep=deep)
            continue
        path = (*above, child.get("alias") or child.get("value") or "")
        yield path
        if deep:
            yield from _nodes(child, path, deep=True)


def _tree(parent: ET.Element, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yields the paths of a taxonomy; of siblings with the same value only the first is shown."""
    seen = set()
    for child in parent.findall(_CHOICE):
        value = child.get("value") or ""
        if value not in seen:
            seen.add(value)
            path = (*above, child.get("alias") or value)
            yield path
            yield from _tree(child, path)


def _is_above(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(path) < len(other) and other[: len(path)] == path
