"""Label Studio's `<Choices>` tag, shared by several kinds of tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import quoteattr

from xlt.data.choice_trees import PATH, outermost
from xlt.tasks.labels import own_label
from xlt.tasks.tags import Tag
from xlt.tasks.task import Json

TAG = "Choices"
#: Value of the attribute `choice` that lets annotators choose several.
SEVERAL = "multiple"
#: Keys of the first choices; Label Studio assigns keys to the others.
_HOTKEYS = "1234567890"

_TEMPLATE = """\
<View className="xlt">
  <Style>
    .xlt { max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 2rem; }
    .xlt-card { border: 1px solid rgba(128, 128, 128, 0.28); border-radius: 14px; \
padding: 1.25rem 1.75rem 1.75rem; }
    .xlt-lang h1, .xlt-lang h2, .xlt-lang h3, .xlt-lang h4, .xlt-lang h5, .xlt-lang h6 {
      display: inline-block; margin: 0 0 0.5rem !important; padding: 0.1rem 0.75rem; \
border-radius: 999px;
      font-size: 0.85rem; font-weight: 600; line-height: 1.6; letter-spacing: 0.05em;
      background: rgba(97, 112, 232, 0.16); color: inherit;
    }
    .xlt-text { font-size: 1.6rem; line-height: 1.55; }
    .xlt-text * { font-size: inherit !important; line-height: inherit !important; }
    .xlt-text span { display: block; unicode-bidi: plaintext; text-align: start; }
    .xlt-question { margin-top: 1.5rem; }
    .xlt-question label {
      display: inline-flex; align-items: center; margin: 0 0.25rem 0.6rem 0; padding: 0.3rem 1rem;
      border: 1px solid rgba(128, 128, 128, 0.45); border-radius: 999px; font-size: 1.1rem; \
cursor: pointer;
    }
    .xlt-question label:hover { border-color: rgb(97, 112, 232); }
    .xlt-question label:has(input:checked) { border-color: rgb(76, 95, 169); \
background: rgb(76, 95, 169); color: #fff; }
    .xlt-question label:has(input:checked) * { color: #fff; }
    .xlt-question .ant-checkbox { display: none; }
    .xlt-question sup { margin-left: 0.35rem; opacity: 0.65; }
  </Style>
  <View className="xlt-card">
    <View className="xlt-lang"><Header value="$lang" size="5"/></View>
    <View className="xlt-text"><Text name="text" value="$text" selectionEnabled="false"/></View>
  </View>
  <View className="xlt-question">
    {control}
  </View>
</View>"""


def selections(results: Sequence[Mapping[str, Json]], tag: Tag) -> Iterator[list[str]]:
    """Yields the labels of each result that belongs to the tag and holds a list of choices.

    In a tree of choices Label Studio writes paths: that of the chosen leaf, and those of the nodes
    above it of which all leaves are chosen.
    """
    for result in results:
        if not isinstance(result, Mapping) or result.get("from_name") != tag.name:
            continue
        value = result.get("value")
        chosen = value.get("choices") if isinstance(value, Mapping) else None
        if not isinstance(chosen, list):
            continue
        if tag.paths:
            chosen = [_leaf(choice, tag) for choice in outermost(chosen)]
        if all(isinstance(choice, str) for choice in chosen):
            yield chosen


def _leaf(choice: Json, tag: Tag) -> Json:
    """Returns the label of a path; what is no path to a label is returned in words."""
    if not isinstance(choice, list) or not all(isinstance(part, str) for part in choice):
        return choice
    labels = dict(zip(tag.paths, tag.labels, strict=True))
    if tuple(choice) in labels:
        return labels[tuple(choice)]
    # A former label was the name of its leaf, or its path if another leaf had that name.
    leaf = choice[-1] if choice else ""
    return leaf if own_label(leaf, list(tag.renames)) else PATH.join(choice)


def written(label: str, tag: Tag) -> list[Json]:
    """Returns the one chosen label as Label Studio's page writes it."""
    if not tag.paths:
        return [label]
    path = tag.paths[tag.labels.index(label)]
    starts = [path[:length] for length in range(1, len(path) + 1)]
    alone = [s for s in starts if sum(other[: len(s)] == s for other in tag.paths) == 1]
    return [list(start) for start in alone]


def result(chosen: Sequence[Json], confidence: float, tag: Tag) -> dict[str, Json]:
    """Returns choices as a result of a prediction; `confidence` in [0, 1] is its own score."""
    identity = "\0".join((tag.name, *map(str, chosen)))
    return {
        "id": hashlib.blake2s(identity.encode(), digest_size=5).hexdigest(),
        "from_name": tag.name,
        "to_name": tag.objects[0],
        "type": "choices",
        "value": {"choices": list(chosen)},
        "score": round(min(max(float(confidence), 0.0), 1.0), 6),
        "origin": "prediction",
    }


def template(labels: Sequence[str], attributes: str) -> str:
    """Returns an interface with one `<Choices>` of these labels and attributes, about `$text`."""
    lines = [f'<Choices name="label" toName="text" {attributes}>']
    for index, label in enumerate(labels):
        hotkey = f" hotkey={quoteattr(_HOTKEYS[index])}" if index < len(_HOTKEYS) else ""
        lines.append(f"  <Choice value={quoteattr(label)}{hotkey}/>")
    return page("\n    ".join([*lines, "</Choices>"]))


def page(control: str) -> str:
    """Returns an interface with a control of any kind, about `$text`."""
    before, after = _TEMPLATE.split("{control}")
    return f"{before}{control}{after}"
