"""Controls: `<Rating>`, and `<Number>` with a least and a greatest number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from xlt.errors import DataError
from xlt.tasks import choices
from xlt.tasks.rating.answers import Number, Scale, number, read, scale_of
from xlt.tasks.rating.task import Rating
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Json, Suggestion

STARS, NUMBER = "Rating", "Number"
#: Label Studio's default of `maxRating`, and the most stars that the ready interface shows.
_STARS, _MOST_STARS = 5, 10


class Numbers:
    """The kind's `xlt.tasks.task.Control`."""

    supported = "a rating per text: <Rating>, or <Number min='…' max='…'>"

    def task(self, tag: Tag) -> Rating | Refusal | None:
        """Returns the task of a rating by stars, or of a number in a range."""
        if tag.tag not in (STARS, NUMBER):
            return None
        try:
            scale = _stars(tag.attributes) if tag.tag == STARS else _range(tag.attributes)
        except DataError as error:
            return Refusal(reason=f"has a scale that xlt cannot learn: {error}")
        return scale if isinstance(scale, Refusal) else Rating(scale=scale)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: Rating,
        texts: Sequence[str] = (),
    ) -> Number | None:
        """Returns the number of the last result; 0 stars are no answer.

        Raises:
            DataError: If it is not on the scale.
        """
        given = None
        for result in results:
            if isinstance(result, Mapping) and result.get("from_name") == tag.name:
                value = result.get("value")
                found = value.get(tag.tag.lower()) if isinstance(value, Mapping) else None
                given = given if found is None else found
        if given is None or (tag.tag == STARS and number(given) == 0):
            return None
        return read(given, task.scale)

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns one result with the suggested number."""
        kind = tag.tag.lower()
        identity = f"{tag.name}\0{suggestion.answer}"
        return [
            {
                "id": hashlib.blake2s(identity.encode(), digest_size=5).hexdigest(),
                "from_name": tag.name,
                "to_name": tag.objects[0],
                "type": kind,
                "value": {kind: suggestion.answer},
                "score": round(min(max(float(suggestion.confidence), 0.0), 1.0), 6),
                "origin": "prediction",
            }
        ]

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface for rating `$text`: with stars if the numbers are 1, 2, … up to 10.

        Raises:
            DataError: If the labels are no numbers at equal distances.
        """
        scale = scale_of_labels(labels)
        asked = 'required="true" requiredMessage="Choose a rating, or skip the text."'
        if scale.lowest == scale.step == 1 and scale.highest <= _MOST_STARS:
            return choices.page(
                f'<Rating name="label" toName="text" maxRating="{scale.highest}" {asked}/>'
            )
        ends = f'min="{scale.lowest}" max="{scale.highest}" step="{scale.step}"'
        return choices.page(f'<Number name="label" toName="text" {ends} {asked}/>')


def scale_of_labels(labels: Sequence[str]) -> Scale:
    """Returns the scale of numbers that are all listed, or of 1, 2, … up to a single one.

    Raises:
        DataError: If they are no numbers, if one occurs twice, or if their distances differ.
    """
    numbers = [number(label) for label in labels]
    known = [value for value in numbers if value is not None]
    if len(known) != len(labels) or not known:
        raise DataError(f"the labels of a rating are numbers, such as 1 to 5; got {list(labels)}")
    if len(set(known)) != len(known):
        raise DataError(f"the numbers of a rating must be distinct, got {list(labels)}")
    if len(known) == 1:
        steps = known[0] - 1
        if not isinstance(steps, int):
            raise DataError(f"the highest rating must be a whole number, got {labels[0]!r}")
        return Scale(lowest=1, step=1, steps=steps)
    scale = scale_of(known)
    if scale.steps != len(known) - 1:
        raise DataError(f"the numbers of a rating must be equally spaced, got {list(labels)}")
    return scale


def _stars(attributes: Mapping[str, str]) -> Scale | Refusal:
    written = attributes.get("maxRating", str(_STARS))
    most = number(written)
    if not isinstance(most, int) or most < 2:
        return Refusal(reason=f"has no two ratings to choose from: maxRating={written!r}")
    return Scale(lowest=1, step=1, steps=most - 1)


def _range(attributes: Mapping[str, str]) -> Scale | Refusal:
    missing = [name for name in ("min", "max") if not attributes.get(name)]
    if missing:
        return Refusal(reason=f"has no {' and no '.join(missing)}, which xlt needs to learn it")
    written = {name: attributes.get(name) or "1" for name in ("min", "max", "step")}
    least, most, step = (number(written[name]) for name in ("min", "max", "step"))
    if least is None or most is None or step is None or step <= 0 or most - least < step:
        shown = ", ".join(f"{name}={value[:20]!r}" for name, value in written.items())
        return Refusal(reason=f"has no two numbers to choose from: {shown}")
    # A tenth is not exactly one tenth: 0.3 / 0.1 is just below 3.
    return Scale(lowest=least, step=step, steps=int((most - least) / step + 1e-6))
