"""Control: `<Pairwise>`, of whose two texts an annotator chooses one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from xlt.errors import DataError
from xlt.tasks.labels import own_label
from xlt.tasks.pairwise.answers import NAMES
from xlt.tasks.pairwise.task import Pairwise
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Json, Suggestion

TAG = "Pairwise"

_TEMPLATE = """\
<View className="xlt">
  <Style>
    .xlt { max-width: 70rem; margin: 0 auto; padding: 1rem 1rem 2rem; }
    .xlt-lang h1, .xlt-lang h2, .xlt-lang h3, .xlt-lang h4, .xlt-lang h5, .xlt-lang h6 {
      display: inline-block; margin: 0 0 0.5rem !important; padding: 0.1rem 0.75rem; \
border-radius: 999px;
      font-size: 0.85rem; font-weight: 600; line-height: 1.6; letter-spacing: 0.05em;
      background: rgba(97, 112, 232, 0.16); color: inherit;
    }
    .xlt-pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.25rem; margin-top: 1.25rem; }
    .xlt-card { border: 1px solid rgba(128, 128, 128, 0.28); border-radius: 14px; \
padding: 1.25rem 1.75rem 1.75rem; }
    .xlt-text { font-size: 1.4rem; line-height: 1.55; }
    .xlt-text * { font-size: inherit !important; line-height: inherit !important; }
    .xlt-text span { display: block; unicode-bidi: plaintext; text-align: start; }
  </Style>
  <View className="xlt-lang"><Header value="$lang" size="5"/></View>
  <Pairwise name="label" toName="left,right"/>
  <View className="xlt-pair">
    <View className="xlt-card xlt-text"><Text name="left" value="$left" \
selectionEnabled="false"/></View>
    <View className="xlt-card xlt-text"><Text name="right" value="$right" \
selectionEnabled="false"/></View>
  </View>
</View>"""


class Preference:
    """The kind's `xlt.tasks.task.Control`."""

    supported = "which of two texts: <Pairwise toName='left,right'>, maybe with a third <Text>"

    def task(self, tag: Tag) -> Pairwise | Refusal | None:
        """Returns the task of a tag about two texts."""
        if tag.tag != TAG:
            return None
        if len(tag.objects) != 2:
            return Refusal(reason=f"is not about two texts: toName={','.join(tag.objects)!r}")
        if tag.texts and tag.texts[-2:] != tag.objects:
            return Refusal(
                reason=f"compares {tag.objects[0]!r} with {tag.objects[1]!r}, which must be the "
                f"last of the texts that are read, in this order: got {','.join(tag.texts)!r}"
            )
        return Pairwise(labels=NAMES[0], context=len(tag.texts) == 3)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: Pairwise,
        texts: Sequence[str] = (),
    ) -> str | None:
        """Returns the text that the last result of the control selects.

        Raises:
            DataError: If it is neither of the two.
        """
        selected = [
            result["value"]["selected"]
            for result in results
            if isinstance(result, Mapping)
            and result.get("from_name") == tag.name
            and isinstance(result.get("value"), Mapping)
            and isinstance(result["value"].get("selected"), str)
        ]
        if not selected:
            return None
        own = own_label(selected[-1], task.labels)
        if own is None:
            raise DataError(f"unknown label {selected[-1]!r}")
        return own

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns one result that selects the suggested text."""
        identity = "\0".join((tag.name, str(suggestion.answer)))
        return [
            {
                "id": hashlib.blake2s(identity.encode(), digest_size=5).hexdigest(),
                "from_name": tag.name,
                "to_name": tag.objects[0],
                "type": "pairwise",
                "value": {"selected": suggestion.answer},
                "score": round(min(max(float(suggestion.confidence), 0.0), 1.0), 6),
                "origin": "prediction",
            }
        ]

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface for choosing one of the texts `$left` and `$right`.

        Label Studio stores "left" and "right" whatever the interface calls them (seen in 1.23.2:
        `leftClass` and `rightClass` change nothing), so that the labels are not written.
        """
        return _TEMPLATE
