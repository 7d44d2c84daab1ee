"""Agreement of each annotator with the others, by language, with intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from xlt.tasks.metrics import wilson
from xlt.tasks.task import AnyTask


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInLanguage:
    """An annotator's work in one language.

    Attributes:
        answers: Number of answers.
        compared: Number of those to tasks that others answered too.
        agreed: Sum over these of the mean credit that the answer earns against each other answer.
        low: Lower end of the 95 % Wilson interval of agreed / compared.
        high: Upper end.
    """

    answers: int
    compared: int
    agreed: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """Returns all numbers by name; `agreement` is there if something was compared."""
        own: dict[str, Any] = {"answers": self.answers, "compared": self.compared}
        if self.compared:
            share = self.agreed / self.compared
            ends = {"agreement": share, "low": self.low, "high": self.high}
            own |= {name: round(value, 4) for name, value in ends.items()}
        return own


def people(
    task: AnyTask, votes: Mapping[str, Mapping[str, Hashable]], langs: Mapping[str, str]
) -> dict[str, dict[str, PersonInLanguage]]:
    """Compares each annotator with the others on the same tasks.

    The interval takes tasks as independent. It says how well the agreement is known, not how good
    the annotator is: where the others are wrong, agreeing with them is no merit.

    Args:
        task: Task of the answers.
        votes: Task id -> annotator -> answer; without those marked as ground truth.
        langs: Task id -> language; tasks without one are left out.

    Returns:
        Annotator -> language -> the comparison, both sorted.
    """
    pairs = [
        (id, who, own, other)
        for id, answers in votes.items()
        if id in langs
        for who, own in answers.items()
        for them, other in answers.items()
        if who != them
    ]
    credit = task.credit([other for *_, other in pairs], [own for _, _, own, _ in pairs])
    agreed: dict[tuple[str, str], float] = defaultdict(float)
    compared: Counter[tuple[str, str]] = Counter()
    for (id, who, *_), earned in zip(pairs, credit.tolist(), strict=True):
        agreed[who, langs[id]] += earned / (len(votes[id]) - 1)
    answers: Counter[tuple[str, str]] = Counter()
    for id, given in votes.items():
        for who in given if id in langs else ():
            answers[who, langs[id]] += 1
            compared[who, langs[id]] += len(given) > 1
    found: dict[str, dict[str, PersonInLanguage]] = {}
    for who, lang in sorted(answers):
        n = compared[who, lang]
        earned = min(agreed[who, lang], n)
        low, high = wilson(earned, n)
        found.setdefault(who, {})[lang] = PersonInLanguage(
            answers=answers[who, lang], compared=n, agreed=earned, low=low, high=high
        )
    return found
