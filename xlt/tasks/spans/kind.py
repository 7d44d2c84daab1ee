"""Spans: the kind of task, which makes tasks from labels, tables and interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xlt.data.examples import Example
from xlt.data.label_names import canonical
from xlt.data.spans import Span, in_order
from xlt.tasks.labels import label_list
from xlt.tasks.spans.control import Labels
from xlt.tasks.spans.task import Spans
from xlt.tasks.task import Json

#: Stands for the text in a form.
_TEXT = "$text"
#: How news name a place and a reporter, around the text.
_FORMS = (
    (_TEXT,),
    ("place", " – ", _TEXT),
    (_TEXT, " (", "person", ", ", "place", ")"),
    ("place", ", ", "person", ": ", _TEXT),
)
_PLACES = (
    "Nairobi", "Kano", "Lagos", "Ibadan", "Enugu", "Cusco", "Ayacucho", "Mogadishu", "Hargeisa",
    "Durban", "Dodoma", "Mombasa", "Pietermaritzburg", "Port Harcourt", "Zanzibar", "Abuja",
)  # fmt: skip
_PEOPLE = (
    "Amina Yusuf", "Chinedu Okafor", "Adébáyọ̀ Ọlá", "Rosa Quispe", "Juan Mamani", "Faadumo Cali",
    "Sipho Dlamini", "Nomsa Khumalo", "Juma Mwangi", "Asha Ali", "Ngọ́zi Eze", "Bala Musa",
    "Xasan Warsame", "Wambui Otieno", "Thandi Zulu", "Ìdòwú Àjàyí",
)  # fmt: skip
_News = tuple[tuple[str, ...], dict[str, str]]


@dataclass(frozen=True, slots=True)
class SpansKind:
    """The kind of task with any number of labelled spans per example."""

    name: ClassVar[str] = Spans.kind
    control: ClassVar[Labels] = Labels()

    def task(self, labels: Sequence[str]) -> Spans:
        """Returns the task with these labels."""
        return Spans(labels=tuple(labels))

    def from_json(self, value: Mapping[str, Json]) -> Spans:
        """Reads a task that `Spans.to_json` returned."""
        return self.task(label_list(value["labels"]))

    def infer(self, cells: Sequence[Json]) -> Spans | None:
        """Returns the task with all labels that occur, sorted; None if a cell holds no spans."""
        if not cells or not all(isinstance(cell, tuple) for cell in cells):
            return None
        parts = [part for cell in cells for part in cell]
        if not parts or not all(isinstance(part, Span) for part in parts):
            return None
        return self.task(sorted({canonical(span.label) for span in parts}))

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Adds places and reporters to texts, as news have them, and marks them.

        Translations of a text get the same names. One in four texts gets none.

        Args:
            examples: Examples with one label each.
            rng: Draws the names, and where they are.
        """
        drawn: dict[str, _News] = {}
        made = []
        for example in examples:
            if example.group_key not in drawn:
                form = _FORMS[int(rng.integers(len(_FORMS)))]
                person, place = str(rng.choice(_PEOPLE)), str(rng.choice(_PLACES))
                drawn[example.group_key] = (form, {"person": person, "place": place})
            made.append(_marked(example, *drawn[example.group_key]))
        return made


def _marked(example: Example, form: Sequence[str], names: Mapping[str, str]) -> Example:
    text, spans = "", []
    for part in form:
        piece = names.get(part, part if part != _TEXT else example.text)
        if part in names:
            spans.append(Span(len(text), len(text) + len(piece), part))
        text += piece
    return replace(example, texts=(text,), answer=in_order(spans))


KIND = SpansKind()
