"""Control tags of a labelling interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition on the answer to another control, under which a control is shown.

    Attributes:
        control: Name of the other control.
        labels: Labels of which one is selected there; empty for any.
        selected: False if the control is shown when none of them is selected.
    """

    control: str
    labels: tuple[str, ...] = ()
    selected: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A control tag of a labelling interface.

    Attributes:
        name: Its name, `from_name` in results.
        tag: Its type, such as "Choices".
        attributes: Attributes as written.
        labels: Values as Label Studio stores them (an alias if a label has one), in order.
        objects: Names of the objects to label, `to_name` in results.
        texts: Names of the texts that are read, in the order of those of an example.
        paths: Path of each label from the root of a tree of choices; empty if there is no tree.
        renames: Labels that it had earlier -> the label that each is now
            (`xlt.tasks.renames.Renames`).
        conditions: Conditions under which it is shown; all must hold.
        parts: Several controls that are learned together; name, tag and the rest are empty then.
    """

    name: str = ""
    tag: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    labels: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()
    texts: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict, hash=False)
    conditions: tuple[Condition, ...] = ()
    parts: tuple[Tag, ...] = ()

    @property
    def controls(self) -> tuple[Tag, ...]:
        """The controls that are learned: the parts, or this one."""
        return self.parts or (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The reason that a control tag cannot be learned; it follows the tag's name in messages."""

    reason: str
