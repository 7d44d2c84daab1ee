"""Control: `<Choices>` of which an annotator chooses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlt.errors import DataError
from xlt.tasks import choices
from xlt.tasks.labels import look_alike
from xlt.tasks.renames import label_now, refusal
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Json, Suggestion

#: Values of the attribute `choice` that let an annotator choose one label only.
_SINGLE = {"single", "single-radio"}


class Choices:
    """The kind's `xlt.tasks.task.Control`."""

    supported = (
        "one label per text: <Choices choice='single'> with at least two <Choice value='…'/>"
    )

    def task(self, tag: Tag) -> SingleLabel | Refusal | None:
        """Returns the task of a tag that asks for one of its choices."""
        choice = tag.attributes.get("choice", "single")
        if tag.tag != choices.TAG or choice == choices.SEVERAL:
            return None
        if choice not in _SINGLE:
            return Refusal(reason=f"allows several labels per text (choice={choice!r})")
        if len(tag.labels) < 2:
            return Refusal(reason=f"has fewer than two labels: {list(tag.labels)}")
        return look_alike(tag.labels) or SingleLabel(labels=tag.labels)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: SingleLabel,
        texts: Sequence[str] = (),
    ) -> str | None:
        """Returns the one choice of the first result that has exactly one; a leaf of a tree.

        Raises:
            DataError: If it is not one of the labels, or if that label was removed.
        """
        label = next((one[0] for one in choices.selections(results, tag) if len(one) == 1), None)
        if label is None:
            return None
        own = label_now(label, task.labels, tag.renames)
        if not own:
            raise DataError(refusal(label, own))
        return own

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns one result with the suggested label."""
        chosen = choices.written(suggestion.answer, tag)
        return [choices.result(chosen, suggestion.confidence, tag)]

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface for choosing one of the labels of `$text`."""
        return choices.template(
            labels,
            'choice="single" layout="inline" required="true" '
            'requiredMessage="Choose a label, or skip the text."',
        )
