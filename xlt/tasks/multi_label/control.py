"""Control: `<Choices>` of which an annotator may choose any, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlt.errors import DataError
from xlt.tasks import choices
from xlt.tasks.labels import look_alike
from xlt.tasks.multi_label.judging import Labels
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.renames import label_now, refusal
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Json, Suggestion


class Choices:
    """The kind's `xlt.tasks.task.Control`."""

    supported = "several labels per text, or none: <Choices choice='multiple'>"

    def task(self, tag: Tag) -> MultiLabel | Refusal | None:
        """Returns the task of a tag of which any choices can be chosen."""
        if tag.tag != choices.TAG or tag.attributes.get("choice") != choices.SEVERAL:
            return None
        if tag.paths:
            reason = "is a tree of which several choices may be chosen (allowNested='true')"
            return Refusal(reason=reason)
        if not tag.labels:
            return Refusal(reason="has no labels")
        return look_alike(tag.labels) or MultiLabel(labels=tag.labels)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: MultiLabel,
        texts: Sequence[str] = (),
    ) -> Labels | None:
        """Returns all choices; without a result the annotator chose none of them.

        Removed labels are left out: the others were decided without them.

        Raises:
            DataError: If a choice is not of the task.
        """
        chosen = {label for one in choices.selections(results, tag) for label in one}
        own = {label: label_now(label, task.labels, tag.renames) for label in chosen}
        unknown = sorted(label for label, found in own.items() if found is None)
        if unknown:
            raise DataError(refusal(unknown[0], None))
        return tuple(label for label in task.labels if label in own.values())

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns one result with the suggested labels; no result for an empty answer."""
        if not suggestion.answer:
            return []
        return [choices.result(suggestion.answer, suggestion.confidence, tag)]

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface for choosing any of the labels of `$text`."""
        return choices.template(labels, 'choice="multiple" layout="inline"')
