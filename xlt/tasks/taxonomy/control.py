"""Control: `<Taxonomy>` of which an annotator chooses one path or several, to any node."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import quoteattr

from xlt.errors import DataError
from xlt.tasks.choices import page
from xlt.tasks.labels import own_label, same_label
from xlt.tasks.renames import GONE, label_now, refusal
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Json, Suggestion
from xlt.tasks.taxonomy.answers import in_order, label_of, labels_of, paths_of
from xlt.tasks.taxonomy.task import Taxonomy
from xlt.tasks.trees import Path, Paths, nodes_of, outermost

TAG = "Taxonomy"
#: Label Studio's default of the attribute `pathSeparator`.
_SEPARATOR = " / "

_ATTRIBUTES = (
    'name="label" toName="text" maxUsages="1"{leaves} showFullPath="true" required="true" '
    'requiredMessage="Choose a path, or skip the text." placeholder="Choose"'
)


class Tree:
    """The kind's `xlt.tasks.task.Control`."""

    supported = (
        "paths of a tree: <Taxonomy> with <Choice value='…'/>, of which maxUsages='1' asks for one"
    )

    def task(self, tag: Tag) -> Taxonomy | Refusal | None:
        """Returns the task of a tag: all its nodes can be chosen, or the leaves alone."""
        if tag.tag != TAG:
            return None
        attribute = _attributes(tag)
        if attribute.get("apiurl"):
            return Refusal(reason="takes its choices from an address (apiUrl)")
        if attribute.get("labeling") == "true":
            return Refusal(reason="labels parts of the text (labeling='true')")
        most = _most(attribute.get("maxusages", ""))
        if most is not None and most < 1:
            return Refusal(reason=f"allows no choice (maxUsages={attribute['maxusages']!r})")
        paths = tag.paths or tuple((label,) for label in tag.labels)
        if attribute.get("leafsonly") == "true":
            leaves = set(outermost(paths))
            paths = tuple(path for path in paths if path in leaves)
        return _unusable(paths, most, _separator(tag)) or Taxonomy(paths=paths, most=most)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: Taxonomy,
        texts: Sequence[str] = (),
    ) -> Paths | None:
        """Returns the chosen paths; None if one is asked for and another number was chosen.

        Label Studio's page joins the names of a path and splits them again at the separator, so
        that a name with a separator comes back in parts.

        Removed paths are left out if several can be chosen: the others were decided without them.

        Raises:
            DataError: If a path is not of the task: the tree has changed, or it is none at all.
        """
        chosen: list[Path] = []
        for written in _written(results, tag):
            path = _now(tuple(written), tag, task)
            if path:
                chosen.append(path)
            elif task.most == 1:
                raise DataError(refusal(label_of(tuple(written)), GONE))
        answer = in_order(chosen, task.paths)
        return None if task.most == 1 and len(answer) != 1 else answer

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns one result with the suggested paths; no result for an empty answer."""
        paths: Paths = suggestion.answer
        if not paths:
            return []
        identity = "\0".join((tag.name, *labels_of(paths)))
        return [
            {
                "id": hashlib.blake2s(identity.encode(), digest_size=5).hexdigest(),
                "from_name": tag.name,
                "to_name": tag.objects[0],
                "type": "taxonomy",
                "value": {"taxonomy": [list(path) for path in paths]},
                "score": round(min(max(float(suggestion.confidence), 0.0), 1.0), 6),
                "origin": "prediction",
            }
        ]

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface for choosing one of these paths for `$text`.

        If inner nodes are among them, annotators can choose every inner node.

        Raises:
            DataError: If these labels make no task.
        """
        paths = Taxonomy(paths=paths_of(labels)).paths
        leaves = ' leafsOnly="true"' if len(outermost(paths)) == len(paths) else ""
        nodes = nodes_of(paths)
        lines = [f"<Taxonomy {_ATTRIBUTES.format(leaves=leaves)}>", *_choices((), nodes)]
        return page("\n    ".join([*lines, "</Taxonomy>"]))


def _now(written: Path, tag: Tag, task: Taxonomy) -> Path:
    """Returns the path that written names stand for; an empty one if it was removed.

    A renamed node takes the nodes below it along.

    Raises:
        DataError: If it is unknown.
    """
    separator, labels = _separator(tag), task.labels
    joined = [separator.join(path) for path in task.paths]
    own = own_label(separator.join(written), joined)
    if own is not None:
        return task.paths[joined.index(own)]
    for length in range(len(written), 0, -1):
        now = label_now(label_of(written[:length]), labels, tag.renames)
        if now == GONE:
            return ()
        if now is not None:
            start = task.paths[labels.index(now)]
            own = own_label(label_of(start + written[length:]), labels)
            if own is not None:
                return task.paths[labels.index(own)]
    raise DataError(refusal(label_of(written), None))


def _attributes(tag: Tag) -> dict[str, str]:
    """Returns the attributes by lower-case names: Label Studio does not heed their case."""
    return {name.lower(): value for name, value in tag.attributes.items()}


def _separator(tag: Tag) -> str:
    return _attributes(tag).get("pathseparator") or _SEPARATOR


def _most(written: str) -> int | None:
    """Returns the largest number of paths; None for what is no number, which limits nothing."""
    try:
        number = float(written)
    except ValueError:
        return None
    return math.floor(number) if math.isfinite(number) else None


def _unusable(paths: Paths, most: int | None, separator: str) -> Refusal | None:
    """Returns why paths make no task; None if they do."""
    labels = labels_of(paths)
    if not paths:
        return Refusal(reason="has no choices")
    if not all(name.strip() for path in paths for name in path):
        return Refusal(reason="has a choice without a name")
    if most == 1 and len(paths) < 2:
        return Refusal(reason=f"has fewer than two choices: {list(labels)}")
    twice = same_label(labels) or same_label([separator.join(path) for path in paths])
    if twice:
        return Refusal(reason=f"has two choices that look the same: {twice[0]!r}, {twice[1]!r}")
    return None


def _written(results: Sequence[Mapping[str, Json]], tag: Tag) -> Iterator[list[str]]:
    """Yields the paths in the results that belong to the tag.

    Raises:
        DataError: If a result holds something else in their place.
    """
    for result in results:
        if not isinstance(result, Mapping) or result.get("from_name") != tag.name:
            continue
        value = result.get("value")
        if not isinstance(value, Mapping) or "taxonomy" not in value:
            continue
        paths = value["taxonomy"]
        if not isinstance(paths, list) or not all(map(_is_path, paths)):
            raise DataError(f"an answer to {tag.name!r} of a form that xlt does not read")
        yield from paths


def _is_path(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, str) for part in value)


def _choices(above: Path, nodes: Sequence[Path]) -> Iterator[str]:
    """Yields the lines of the choices below a node."""
    indent = "  " * (len(above) + 1)
    for node in nodes:
        if node[:-1] != above:
            continue
        below = list(_choices(node, nodes))
        value = f"{indent}<Choice value={quoteattr(node[-1])}"
        yield from [f"{value}>", *below, f"{indent}</Choice>"] if below else [f"{value}/>"]
