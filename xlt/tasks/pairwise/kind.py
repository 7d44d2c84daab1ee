"""Pairwise preference: the kind of task, which makes tasks from labels, tables and interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.labels import label_list
from xlt.tasks.pairwise.answers import NAMES, names_of
from xlt.tasks.pairwise.control import Preference
from xlt.tasks.pairwise.task import Pairwise
from xlt.tasks.task import Json


@dataclass(frozen=True, slots=True)
class PairwiseKind:
    """The kind of task with one of two texts as the answer."""

    name: ClassVar[str] = Pairwise.kind
    control: ClassVar[Preference] = Preference()

    def task(self, labels: Sequence[str]) -> Pairwise:
        """Returns the task with these names of the left and the right text, without a context."""
        return Pairwise(labels=tuple(labels))

    def from_json(self, value: Mapping[str, Json]) -> Pairwise:
        """Reads a task that `Pairwise.to_json` returned."""
        context = value.get("context", False)
        if not isinstance(context, bool):
            raise DataError(f"context must be true or false, got {context!r}")
        return Pairwise(labels=tuple(label_list(value["labels"])), context=context)

    def infer(self, cells: Sequence[Json]) -> Pairwise | None:
        """Returns the task of answers with the names of two texts; None if they are others."""
        names = names_of(cells, sure=False)
        return None if names is None else self.task(names)

    def of_texts(self, labelled: Sequence[Example], *, asked: bool) -> Pairwise | None:
        """Infers the task of examples with two texts, or with three of which the first is context.

        Args:
            labelled: Examples with answers as tables hold them.
            asked: Whether this kind was asked for; names such as 0 and 1 count only then.

        Raises:
            DataError: If it was asked for and an example has another number of texts.
        """
        names = names_of([example.answer for example in labelled], sure=not asked)
        counts = sorted({len(example.texts) for example in labelled})
        if names is None or (counts not in ([2], [3]) and not asked):
            return None
        if counts not in ([2], [3]):
            raise DataError(
                f"a preference compares two texts, maybe after a context, got {counts} texts: name "
                "their columns with --text A,B"
            )
        return Pairwise(labels=names, context=counts == [3])

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Makes pairs of texts in one language, of which the one about the first label is chosen.

        Groups (texts with the same meaning in all languages) are paired, so that a pair is there in
        all languages that both of its groups are in.

        Args:
            examples: Examples with one label each.
            rng: Pairs the groups, and places the texts.
        """
        wanted = min(str(example.answer) for example in examples)
        groups: dict[str, dict[str, Example]] = {}
        for example in examples:
            groups.setdefault(example.group_key, {})[example.lang] = example
        order = [list(groups.values())[row] for row in rng.permutation(len(groups))]
        right = [texts for texts in order if _label(texts) == wanted]
        wrong = [texts for texts in order if _label(texts) != wanted]
        made = []
        for better in right:
            worse = next((texts for texts in wrong if set(texts) & set(better)), None)
            if worse is None:
                continue
            wrong.remove(worse)
            for lang in better:
                if lang in worse:
                    made.append(_placed(better[lang], worse[lang], left=bool(rng.integers(2))))
        return made


def _label(texts: Mapping[str, Example]) -> str:
    return str(next(iter(texts.values())).answer)


def _placed(better: Example, worse: Example, *, left: bool) -> Example:
    texts = better.texts + worse.texts if left else worse.texts + better.texts
    return replace(
        better,
        id=f"{better.id}+{worse.id}",
        texts=texts,
        answer=NAMES[0][0 if left else 1],
        group=f"{better.group_key}+{worse.group_key}",
    )


KIND = PairwiseKind()
