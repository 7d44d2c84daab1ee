"""Texts that a control is read with: those that its toName names, and one that is shown beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from xlt.data.examples import MOST_TEXTS
from xlt.errors import ConfigError
from xlt.tasks.tags import Tag

TAG = "Text"

#: Controls that Label Studio makes for several objects.
_OF_SEVERAL = frozenset({"Pairwise"})
#: Controls whose answers are places in a text, which is read alone.
_OF_ONE = frozenset({"Labels"})

#: The text of a ready interface, in its `View`.
_ONE = re.compile(
    r'^( *)<View className="xlt-text"><Text name="text" value="\$text"([^>]*)/></View>$', re.M
)
#: Style of the view of each text but the first.
_BELOW = (
    "border-top: 1px solid rgba(128, 128, 128, 0.28); margin-top: 1.25rem; padding-top: 1.25rem"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The `<Text>` tags that are read, in the order of the texts of an example.

    Attributes:
        names: Their names.
        keys: Keys of `task.data` with the texts.
        notes: One line for each text that is read though the control does not name it, and for
            each that is not read.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    notes: tuple[str, ...] = ()


def texts_of_control(
    named: Sequence[str],
    tags: Sequence[Any],
    wanted: Sequence[str] | None = None,
    field: str | None = None,
) -> Texts | str:
    """Returns the texts that a control is read with, or why it cannot be learned.

    If it names one text and one other is shown, annotators see a pair, and the pair is read in the
    order of the interface. Beside several named texts, one other is read first.

    Args:
        named: Names of the objects that the control is about, its toName.
        tags: Objects of the interface, as Label Studio's SDK parses them.
        wanted: Names of the texts to read; None for the rule above.
        field: Key of `task.data` that is read in place of all texts.
    """
    objects = {str(tag.name): tag for tag in tags}
    if not named or len(set(named)) != len(named) or not set(named) <= set(objects):
        return f"is not about objects of the interface: toName={','.join(named)!r}"
    reason = next(filter(None, (unreadable(objects[name]) for name in named)), "")
    if reason:
        return f"is about {reason}"
    others = [name for name, tag in objects.items() if tag.tag == TAG and name not in named]
    if field is not None:
        return Texts(names=tuple(named[:1]), keys=(field,), notes=_unread(objects, others))
    if wanted is not None:
        return _wanted(named, objects, others, wanted)
    keys = {objects[name].value for name in named}
    readable = [
        name for name in others if not unreadable(objects[name]) and objects[name].value not in keys
    ]
    names = list(named)
    if len(readable) == 1:
        names = [*readable, *named]
        if len(named) == 1:
            names.sort(key=list(objects).index)
    return _read(names, named, objects, others)


def chosen_texts(tag: Tag, option: Sequence[str] | None) -> Sequence[str] | None:
    """Returns the names of the texts to read with a control; None for those that are shown.

    Args:
        tag: The control; one that marks parts of a text is read with that text alone.
        option: The option `texts`.
    """
    return tag.objects if tag.tag in _OF_ONE else option


def _wanted(
    named: Sequence[str], objects: dict[str, Any], others: Sequence[str], wanted: Sequence[str]
) -> Texts | str:
    """Returns the texts that the option `texts` names, or why they cannot be read."""
    for name in wanted:
        if name not in named and name not in others:
            shown = ", ".join(map(repr, (*named, *others)))
            return f"cannot be read with {name!r}, which the option `texts` names: it has {shown}"
        reason = unreadable(objects[name])
        if reason:
            return f"cannot be read with {reason}"
    left = [name for name in named if name not in wanted]
    if left:
        return f"is about {left[0]!r}, which the option `texts` leaves out"
    return _read(wanted, named, objects, others)


def _read(
    names: Sequence[str], named: Sequence[str], objects: dict[str, Any], others: Sequence[str]
) -> Texts | str:
    if len(names) > MOST_TEXTS:
        return f"is about {len(names)} texts; xlt reads at most {MOST_TEXTS}"
    beside = [
        f"read too: {_shown(objects[name])}; the option `texts` chooses"
        for name in names
        if name not in named
    ]
    unread = _unread(objects, [name for name in others if name not in names])
    return Texts(
        names=tuple(names),
        keys=tuple(str(objects[name].value)[1:] for name in names),
        notes=(*beside, *unread),
    )


def _unread(objects: dict[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"not read: {_shown(objects[name])}" for name in names)


def _shown(text: Any) -> str:  # noqa: ANN401 - SDK's tags
    return f"<{TAG} name={text.name!r} value={text.value!r}>"


def one_name(tag: Tag) -> str:
    """Warns of a control that names several texts; empty if Label Studio can store its answers.

    Seen in Label Studio 1.23.2: a choice that a person makes on its page is stored as an empty
    result then. A suggestion that is accepted is kept.
    """
    if len(tag.objects) == 1 or tag.tag in _OF_SEVERAL:
        return ""
    return (
        f"<{tag.tag} name={tag.name!r} toName={','.join(tag.objects)!r}>: Label Studio stores no "
        "choice that a person makes on several objects: name one of them in toName"
    )


def with_texts(config: str, keys: Sequence[str]) -> str:
    """Returns a ready interface for `$text` with the texts of these keys of task data in its place.

    Its control names the last of them, see `one_name`. An interface for comparing two texts has
    those of two keys.

    Raises:
        ConfigError: If they are not one or two different ones.
    """
    names = [re.sub(r"\W", "_", key) for key in keys]
    if len(set(names)) != len(keys) or len(keys) not in (1, 2) or not all(names):
        raise ConfigError(
            f"expected one or two different keys of task data with texts, got {list(keys)}"
        )

    if not _ONE.search(config):
        if len(keys) != 2:
            raise ConfigError(f"expected two keys of task data with texts, got {list(keys)}")
        for side, key in zip(("left", "right"), keys, strict=True):
            config = config.replace(f'value="${side}"', f"value={quoteattr('$' + key)}")
        return config

    def texts(one: re.Match[str]) -> str:
        start, attributes = one.groups()
        views = ["", *[f' style="{_BELOW}"'] * (len(keys) - 1)]
        return "\n".join(
            f'{start}<View className="xlt-text"{style}>'
            f"<Text name={quoteattr(name)} value={quoteattr('$' + key)}{attributes}/></View>"
            for name, key, style in zip(names, keys, views, strict=True)
        )

    return _ONE.sub(texts, config).replace('toName="text"', f'toName="{names[-1]}"')


def unreadable(text: Any) -> str:  # noqa: ANN401 - SDK's tags
    """Describes an object whose text xlt cannot read; empty if it can."""
    if text.tag != TAG:
        return f"a <{text.tag}>"
    if (text.value_type or "text") != "text" or text.attr.get("encoding", "none") != "none":
        return f"<{TAG} name={text.name!r}> whose text is elsewhere or encoded"
    if not text.value_is_variable and "$" in (text.value or ""):
        detail = f"a text of several parts, {text.value!r}; xlt reads one variable, value='$key'"
        return f"<{TAG} name={text.name!r}> with {detail}"
    if not text.value_is_variable:
        return f"<{TAG} name={text.name!r}> with a fixed text, {text.value!r}"
    return ""
