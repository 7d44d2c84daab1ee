"""Agreement of annotators by majority, for kinds whose answers are equal or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping

from xlt.tasks.task import Agreement

#: The reason if no answer has more votes than every other.
DISAGREE = "annotators disagree"


def majority(votes: Mapping[str, Hashable]) -> Agreement:
    """Returns the answer with most votes, weighted by its share of them; none for a tie.

    Args:
        votes: Annotator -> answer, at least one.
    """
    counts = Counter(votes.values())
    (answer, most), *others = counts.most_common()
    if others and others[0][1] == most:
        return Agreement(reason=DISAGREE)
    return Agreement(answer=answer, weight=most / counts.total())
