"""Explanations: the words of a text, with how much each of them is for a label."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from xlt.data.examples import Example
from xlt.data.marked.words import words_in
from xlt.errors import ConfigError, DataError
from xlt.tasks.task import AnyTask, Suggestion

#: Largest number of words of an example that is explained: time grows with it.
MOST_WORDS = 512
#: Largest gap of scores that add up, as a share of the difference that they explain.
MOST_GAP = 0.05
#: Kind whose answers are places in a text, not labels of it.
_SPANS = "spans"
#: Unicode categories of signs that mean something: currencies, emoji and the like.
_SIGNS = ("Sc", "So")
_LEAST_PROBABILITY = 1e-9


#: Gives the suggestion for each of N examples, in their order: `Model.predict`, or a service.
Suggest = Callable[[Sequence[Example]], Sequence[Suggestion]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of an example; a character with its marks, in scripts without spaces.

    Attributes:
        text: The word.
        number: Number of its text among those of the example, from 0.
        start: Its first code point in that text.
        end: The code point behind its last.
        score: By how much it raises the log-odds of the label; below 0 if it lowers them.
    """

    text: str
    number: int
    start: int
    end: int
    score: float = 0.0

    @property
    def is_named(self) -> bool:
        """Returns whether it may be a reason: marks of punctuation alone are none."""
        return any(unicodedata.category(c) in _SIGNS or c.isalnum() for c in self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Comparison of what the scores add up to with what they should (Sundararajan et al. 2017).

    Attributes:
        score: Log-odds of the label.
        baseline: The same without any word.
        attributed: Sum of the scores of all words, and of what belongs to none.
        steps: Points on the path from the baseline to the text.
    """

    score: float
    baseline: float
    attributed: float
    steps: int

    @property
    def gap(self) -> float:
        """Returns the distance of the sum from the difference, as a share of the difference."""
        difference = self.score - self.baseline
        return abs(self.attributed - difference) / max(abs(difference), _LEAST_PROBABILITY)

    @property
    def is_complete(self) -> bool:
        """Returns whether the scores add up."""
        return self.gap <= MOST_GAP


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The words of an example, with how much each of them is for a label.

    Attributes:
        example: The example.
        suggestion: The model's answer.
        label: The label that is explained.
        words: Its words, in their order.
        completeness: Of integrated gradients; None for occlusion, whose scores add up to nothing.
    """

    example: Example
    suggestion: Suggestion
    label: str
    words: tuple[Word, ...]
    completeness: Completeness | None = None

    @property
    def probability(self) -> float:
        """Returns the calibrated probability of the label."""
        return float(self.suggestion.probabilities[self.label])

    @property
    def reasons(self) -> tuple[Word, ...]:
        """Returns the words that raise the label's log-odds, the strongest first."""
        found = [word for word in self.words if word.score > 0 and word.is_named]
        return tuple(sorted(found, key=lambda word: -word.score))


def check_kind(task: AnyTask) -> None:
    """Refuses tasks whose answers are no labels.

    Raises:
        ConfigError: If it is one.
    """
    if task.kind == _SPANS:
        raise ConfigError(
            "models of spans cannot be explained: expected one whose answers are labels of texts"
        )


def words_of(example: Example) -> tuple[Word, ...]:
    """Returns the words of an example, without scores.

    Raises:
        DataError: If it has no words, or more than `MOST_WORDS`.
    """
    words = tuple(
        Word(text=text[start:end], number=number, start=start, end=end)
        for number, text in enumerate(example.texts)
        for start, end in words_in(text)
    )
    if not words:
        raise DataError(f"the text of {example.id!r} has no words to explain")
    if len(words) > MOST_WORDS:
        raise DataError(
            f"the text of {example.id!r} has {len(words)} words; "
            f"at most {MOST_WORDS} can be explained"
        )
    return words


def without(example: Example, words: Sequence[Word]) -> Example:
    """Returns an example from whose texts words are deleted."""
    texts = [list(text) for text in example.texts]
    for word in words:
        texts[word.number][word.start : word.end] = [""] * (word.end - word.start)
    return replace(example, texts=tuple("".join(text) for text in texts))


def label_to_explain(task: AnyTask, suggestion: Suggestion, label: str | None) -> str:
    """Returns the label to explain: the given one, or the most probable one of the answer.

    Raises:
        ConfigError: If the task has no such label.
    """
    known = suggestion.probabilities
    if label is None:
        given = {name for name, has in task.decisions(suggestion.answer) if has} & known.keys()
        return max(given or known, key=lambda name: known[name])
    if label not in known:
        raise ConfigError(f"no label {label!r}: expected one of {', '.join(known)}")
    return label


def log_odds(probability: float) -> float:
    """Returns the log-odds of a probability, at most about 21 in size."""
    p = min(max(probability, _LEAST_PROBABILITY), 1.0 - _LEAST_PROBABILITY)
    return math.log(p / (1.0 - p))
