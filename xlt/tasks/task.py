"""The protocol of kinds of tasks: all that training, sampling and serving know of a kind.

A kind of task is a folder `xlt/tasks/<kind>/`. Outside it an answer is opaque: it is stored by
`Task.plain`, compared by `==`, and judged by `Task.credit`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs

A = TypeVar("A", bound=Hashable)
A_co = TypeVar("A_co", bound=Hashable, covariant=True)

#: What `json` reads and writes.
Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of the annotators of an example.

    Attributes:
        answer: None if there is no usable answer.
        weight: Trust in the answer, in (0, 1]; 0 without an answer.
        reason: Why there is no answer; empty if there is one.
    """

    answer: Any = None
    weight: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A model's answer for one example.

    Attributes:
        answer: The answer that is expected to earn most credit.
        confidence: The credit that it is expected to earn, in [0, 1].
        probabilities: Label -> calibrated probability, in [0, 1].
    """

    answer: Any
    confidence: float
    probabilities: Mapping[str, float] = field(default_factory=dict)


class Probe(Protocol):
    """A quick head on frozen sentence vectors."""

    def outputs(self, vectors: NDArray[np.floating]) -> Outputs:
        """Outputs of N examples by their vectors (N, D), scaled like those of the fit."""
        ...


class Task(Protocol[A]):
    """The decision that a project's annotators make: a kind of task with its labels."""

    @property
    def kind(self) -> str:
        """Name of the kind, and of its folder."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, in order."""
        ...

    @property
    def width(self) -> int:
        """Columns of the outputs."""
        ...

    @property
    def measure(self) -> str:
        """Name of the mean credit, for tables."""
        ...

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the uncertainty measures, the default first."""
        ...

    # Answers

    def read(self, value: Json) -> A:
        """Reads an answer from a table's cell or from JSON.

        Raises:
            DataError: If it is no answer of this task; names what was expected.
        """
        ...

    def plain(self, answer: A) -> Json:
        """Returns the answer as JSON; `read` takes it back. Equal answers give equal JSON."""
        ...

    def words(self, answer: A) -> str:
        """Returns the answer as people read it."""
        ...

    def agree(self, votes: Mapping[str, A]) -> Agreement:
        """Returns what the votes, annotator -> answer, say together."""
        ...

    def missing(self, answers: Sequence[A]) -> str:
        """Returns what is missing to train on these answers; empty if nothing is."""
        ...

    # Outputs

    def fit(self, outputs: Outputs, answers: Sequence[A], langs: Sequence[str]) -> Calibration:
        """Fits the calibration on N held-out examples."""
        ...

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the calibrated probabilities of N examples, float64."""
        ...

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the suggestion for each of N examples."""
        ...

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns how unsure the model is, (N,) in [0, 1]; higher = less sure.

        Raises:
            ConfigError: If the kind has no such measure.
        """
        ...

    # Judging

    def credit(self, truth: Sequence[A], predicted: Sequence[A]) -> NDArray[np.float64]:
        """Returns how right each prediction is, (N,) in [0, 1]; 1 for equal answers."""
        ...

    def brier(self, beliefs: Outputs, answers: Sequence[A]) -> NDArray[np.float64]:
        """Returns the squared distance of beliefs from the right answers, (N,) (Brier 1950)."""
        ...

    def summary(self, truth: Sequence[A], predicted: Sequence[A]) -> Mapping[str, float]:
        """Returns measures beside the mean credit, by name, each in [0, 1]."""
        ...

    def classes(self, answers: Sequence[A]) -> NDArray[np.intp] | None:
        """Returns the class numbers (N,); None if an answer is not one class of a distribution."""
        ...

    def probe(
        self,
        vectors: NDArray[np.floating],
        answers: Sequence[A],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits the quick head.

        Args:
            vectors: (N, D), centred and scaled (`xlt.tasks.logistic.scaled`).
            answers: N answers.
            l2: Penalty on the squared weights, against the sum over the examples.
            weights: (N,) trust in the answers; None: all alike.
            start: Starting point; the optimum is the same, it is found sooner.
        """
        ...

    def to_json(self) -> dict[str, Json]:
        """Returns the task as JSON, with its `kind`."""
        ...


#: A task outside the folder of its kind.
AnyTask = Task[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A control tag of a labelling interface.

    Attributes:
        name: Its name; results carry it as `from_name`.
        tag: The kind of tag, such as "Choices".
        attributes: Attributes as written.
        labels: Values as Label Studio stores them (an alias if a label has one), in order.
        objects: Names of the objects that it is about; results carry one as `to_name`.
    """

    name: str
    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    labels: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A control tag that cannot be learned; the reason follows the tag's name in messages."""

    reason: str


class Control(Protocol[A]):
    """The kind of task in Label Studio's JSON and XML."""

    @property
    def supported(self) -> str:
        """The supported tag as it is written in XML, for messages."""
        ...

    def task(self, tag: Tag) -> Task[A] | Refusal | None:
        """Returns the task that a tag asks for; None if the tag is of another kind."""
        ...

    def answer(self, results: Sequence[Mapping[str, Json]], tag: Tag, task: Task[A]) -> A | None:
        """Reads an annotation's results; None if they hold no answer to this control.

        Raises:
            DataError: If they hold one that is not of the task.
        """
        ...

    def results(self, suggestion: Suggestion, tag: Tag) -> list[dict[str, Json]]:
        """Returns a suggestion as results of a prediction."""
        ...

    def template(self, labels: Sequence[str]) -> str:
        """Returns a labelling interface for these labels, about the text `$text`."""
        ...


class Kind(Protocol[A]):
    """A kind of task: what makes a task of labels, of a table or of an interface."""

    @property
    def name(self) -> str:
        """Name of the kind, and of its folder."""
        ...

    @property
    def control(self) -> Control[A]:
        """The kind in Label Studio's JSON and XML."""
        ...

    def task(self, labels: Sequence[str]) -> Task[A]:
        """Returns the task with these labels.

        Raises:
            DataError: If they make no task.
        """
        ...

    def from_json(self, value: Mapping[str, Json]) -> Task[A]:
        """Reads what `Task.to_json` returned.

        Raises:
            DataError: If it is not that.
        """
        ...

    def infer(self, cells: Sequence[Json]) -> Task[A] | None:
        """Returns the task that a table's answers come from; None if they are of another kind.

        Raises:
            DataError: If they are of this kind and make no task.
        """
        ...

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Returns examples of this kind, made from examples with one label each."""
        ...


#: Called with (phase, done, total) while something long runs.
Show = Callable[[str, int, int], None]
