"""Control: `<Labels>` with which an annotator marks parts of a `<Text>`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import quoteattr

from xlt.data.spans import Span, check_within, in_order
from xlt.errors import DataError
from xlt.tasks.labels import look_alike, own_label
from xlt.tasks.spans.task import Spans
from xlt.tasks.tagging import Answer
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Json, Suggestion

TAG = "Labels"
_KEY = "labels"
#: Keys of the first labels; Label Studio assigns keys to the others.
_HOTKEYS = "1234567890"
#: Colours of the labels, in turn: those of Okabe and Ito (2008), which colour-blind people tell
#: apart, without black.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442")
_SHOWN = 60

_TEMPLATE = """\
<View className="xlt">
  <Style>
    .xlt { max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 2rem; }
    .xlt-card { border: 1px solid rgba(128, 128, 128, 0.28); border-radius: 14px; \
padding: 1.25rem 1.75rem 1.75rem; margin-top: 1rem; }
    .xlt-lang h1, .xlt-lang h2, .xlt-lang h3, .xlt-lang h4, .xlt-lang h5, .xlt-lang h6 {
      display: inline-block; margin: 0 0 0.5rem !important; padding: 0.1rem 0.75rem; \
border-radius: 999px;
      font-size: 0.85rem; font-weight: 600; line-height: 1.6; letter-spacing: 0.05em;
      background: rgba(97, 112, 232, 0.16); color: inherit;
    }
    .xlt-text { font-size: 1.6rem; line-height: 1.8; }
    .xlt-text * { font-size: inherit !important; line-height: inherit !important; }
    .xlt-text [class*="richtext__line"] { display: inline-block; width: 100%; \
unicode-bidi: plaintext; text-align: start; }
  </Style>
  <Labels name="label" toName="text">
    {labels}
  </Labels>
  <View className="xlt-card">
    <View className="xlt-lang"><Header value="$lang" size="5"/></View>
    <View className="xlt-text"><Text name="text" value="$text" granularity="word"/></View>
  </View>
</View>"""


class Labels:
    """The kind's `xlt.tasks.task.Control`."""

    supported = "spans of a text: <Labels> with <Label value='…'/>"

    def task(self, tag: Tag) -> Spans | Refusal | None:
        """Returns the task of a tag with labels for parts of a text."""
        if tag.tag != TAG:
            return None
        if not tag.labels:
            return Refusal(reason="has no labels")
        if len(tag.objects) > 1:
            return Refusal(reason="marks parts of several texts; xlt learns those of one")
        return look_alike(tag.labels) or Spans(labels=tag.labels)

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: Spans,
        texts: Sequence[str] = (),
    ) -> Answer | None:
        """Returns all regions; without any the annotator marked nothing.

        Offsets count code points. The region's own copy of the text is not compared: Label Studio's
        page writes a line end in it as two characters.

        Raises:
            DataError: If a region has other offsets than those of a part of the text, or a label
                that is not of the task.
        """
        spans = []
        for start, end, label in _regions(results, tag):
            own = own_label(label, task.labels)
            if own is None:
                raise DataError(f"unknown label {str(label)[:_SHOWN]!r}")
            if not _is_offset(start) or not _is_offset(end):
                raise DataError(f"a span from {start!r} to {end!r}: offsets must be whole numbers")
            spans.append(Span(start, end, own))
        if spans and not texts:
            raise DataError("spans of a text that is missing")
        check_within(spans, texts[0] if texts else "")
        return in_order(spans)

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns one result for each suggested span, with its own score."""
        spans: Answer = suggestion.answer
        scores = suggestion.parts or (suggestion.confidence,) * len(spans)
        text = texts[0] if texts else ""
        return [_result(*pair, text, tag) for pair in zip(spans, scores, strict=True)]

    def template(self, labels: Sequence[str]) -> str:
        """Returns an interface for marking parts of `$text`."""
        lines = []
        for index, label in enumerate(labels):
            hotkey = f" hotkey={quoteattr(_HOTKEYS[index])}" if index < len(_HOTKEYS) else ""
            colour = quoteattr(_COLOURS[index % len(_COLOURS)])
            lines.append(f"<Label value={quoteattr(label)} background={colour}{hotkey}/>")
        head, tail = _TEMPLATE.split("{labels}")
        return head + "\n    ".join(lines) + tail


def _regions(results: Sequence[Mapping[str, Json]], tag: Tag) -> Iterator[tuple[Json, Json, Json]]:
    """Yields start, end and label of each region of the tag, once for each of its labels."""
    for result in results:
        if not isinstance(result, Mapping) or result.get("from_name") != tag.name:
            continue
        value = result.get("value")
        labels = value.get(_KEY) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and isinstance(labels, list):
            yield from ((value.get("start"), value.get("end"), label) for label in labels)


def _is_offset(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _result(span: Span, confidence: float, text: str, tag: Tag) -> dict[str, Json]:
    """Returns a span as a result; `confidence` in [0, 1] is its own score."""
    identity = f"{tag.name}\0{span.start}\0{span.end}\0{span.label}"
    return {
        "id": hashlib.blake2s(identity.encode(), digest_size=5).hexdigest(),
        "from_name": tag.name,
        "to_name": tag.objects[0],
        "type": _KEY,
        "value": {
            "start": span.start,
            "end": span.end,
            # Label Studio's page writes a line end as a backslash and an n.
            "text": text[span.start : span.end].replace("\n", "\\n"),
            _KEY: [span.label],
        },
        "score": round(min(max(float(confidence), 0.0), 1.0), 6),
        "origin": "prediction",
    }
