"""The protocol of kinds of tasks, which training, sampling and serving use.

A kind of task is a folder `xlt/tasks/<kind>/`. Other modules do not look inside an answer: they
store it with `Task.plain`, compare it with `==`, and judge it with `Task.credit`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.outputs import Outputs
from xlt.tasks.tags import Refusal, Tag

A = TypeVar("A", bound=Hashable)
A_co = TypeVar("A_co", bound=Hashable, covariant=True)

#: A value that `json` reads and writes.
Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of the annotators of an example.

    Attributes:
        answer: None if there is no usable answer.
        weight: Trust in the answer, in (0, 1]; 0 without an answer.
        reason: Reason for no answer; empty if there is one.
    """

    answer: Any = None
    weight: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A model's answer for one example.

    Attributes:
        answer: The answer with most expected credit.
        confidence: Its expected credit, in [0, 1].
        probabilities: Label -> calibrated probability, in [0, 1].
        parts: Confidence of each part of an answer with parts, such as spans; else empty.
        controls: Name of each control -> its suggestion, if there are several; else empty.
    """

    answer: Any
    confidence: float
    probabilities: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[float, ...] = ()
    controls: Mapping[str, Suggestion] = field(default_factory=dict)


class Probe(Protocol):
    """A quick model on frozen sentence vectors."""

    def outputs(self, vectors: NDArray[np.floating]) -> Outputs:
        """Returns outputs of N examples from vectors (N, D), scaled like those of the fit."""


class Task(Protocol[A]):
    """The decision that a project's annotators make: a kind of task with its labels."""

    @property
    def kind(self) -> str:
        """Name of the kind, and of its folder."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, in order."""

    @property
    def width(self) -> int:
        """Columns of the outputs."""

    @property
    def measure(self) -> str:
        """Name of the mean credit, for tables."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the uncertainty measures, the default first."""

    # Answers

    def read(self, value: Json) -> A:
        """Reads an answer from a table's cell or from JSON.

        Raises:
            DataError: If it is no answer of this task.
        """

    def plain(self, answer: A) -> Json:
        """Returns the answer as JSON, which `read` reads. Equal answers give equal JSON."""

    def describe(self, answer: A) -> str:
        """Describes the answer for people."""

    def decisions(self, answer: A) -> tuple[tuple[str, bool], ...]:
        """Returns what the answer decides: labels, and whether it has them.

        A model learns to give the answer only from examples of each of these.
        """

    def agree(self, votes: Mapping[str, A]) -> Agreement:
        """Returns the agreement of votes, annotator -> answer."""

    def missing(self, answers: Sequence[A]) -> str:
        """Names the answers that training needs in addition; empty if there are enough."""

    # Outputs

    @property
    def link(self) -> Link | None:
        """Function from outputs to probabilities; None if there is not one for all of them.

        An example has several rows of outputs then, or its task has parts (`xlt.tasks.parts`).
        """

    def targets(self, answers: Sequence[A]) -> NDArray[np.float64]:
        """Returns the right probabilities of the outputs, (N, W).

        Raises:
            DataError: If an example has several rows of outputs, see `link`.
        """

    def fit(self, outputs: Outputs, answers: Sequence[A], langs: Sequence[str]) -> Calibration:
        """Fits the calibration on N held-out examples."""

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the calibrated probabilities of N examples, float64."""

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the suggestion for each of N examples."""

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns the model's uncertainty, (N,) in [0, 1]; higher = less sure.

        Raises:
            ConfigError: If the kind has no such measure.
        """

    # Judging

    def credit(self, truth: Sequence[A], predicted: Sequence[A]) -> NDArray[np.float64]:
        """Returns the credit of each prediction, (N,) in [0, 1]; 1 for equal answers."""

    def brier(self, beliefs: Outputs, answers: Sequence[A]) -> NDArray[np.float64]:
        """Returns the squared distance of beliefs from the right answers, (N,) (Brier 1950)."""

    def summary(self, truth: Sequence[A], predicted: Sequence[A]) -> Mapping[str, float]:
        """Returns further measures by name, each in [0, 1]."""

    def classes(self, answers: Sequence[A]) -> NDArray[np.intp] | None:
        """Returns the class numbers (N,); None if an answer is not one class of a distribution."""

    def probe(
        self,
        vectors: NDArray[np.floating],
        answers: Sequence[A],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits a probe, if the task has them (`xlt.tasks.probes`).

        Args:
            vectors: (N, D), centred and scaled (`xlt.tasks.logistic.scaled`).
            answers: N answers.
            l2: Penalty on the squared weights, against the sum over the examples.
            weights: (N,) trust in the answers; None for equal weights.
            start: Starting point; it saves time and does not change the optimum.

        Raises:
            DataError: If the kind has none.
        """

    def to_json(self) -> dict[str, Json]:
        """Returns the task as JSON, with its `kind`."""


#: A task outside the folder of its kind.
AnyTask = Task[Any]


class Control(Protocol[A]):
    """The kind of task in Label Studio's JSON and XML."""

    @property
    def supported(self) -> str:
        """The supported tag as written in XML, for messages."""

    def task(self, tag: Tag) -> Task[A] | Refusal | None:
        """Returns the task of a tag; None if the tag is of another kind."""

    def answer(
        self,
        results: Sequence[Mapping[str, Json]],
        tag: Tag,
        task: Task[A],
        texts: Sequence[str] = (),
    ) -> A | None:
        """Reads an annotation's results; None if they have no answer to this control.

        Args:
            results: The results, as Label Studio exports them.
            tag: The control.
            task: Its task.
            texts: Texts of the example, which answers with places in a text need.

        Raises:
            DataError: If the answer is not of the task.
        """

    def results(
        self, suggestion: Suggestion, tag: Tag, texts: Sequence[str] = ()
    ) -> list[dict[str, Json]]:
        """Returns a suggestion for an example with these texts as results of a prediction."""

    def template(self, labels: Sequence[str]) -> str:
        """Returns a labelling interface with these labels for the text `$text`."""


class Kind(Protocol[A]):
    """A kind of task: makes tasks from labels, tables or interfaces."""

    @property
    def name(self) -> str:
        """Name of the kind, and of its folder."""

    @property
    def control(self) -> Control[A]:
        """The kind in Label Studio's JSON and XML."""

    def task(self, labels: Sequence[str]) -> Task[A]:
        """Returns the task with these labels.

        Raises:
            DataError: If they make no task.
        """

    def from_json(self, value: Mapping[str, Json]) -> Task[A]:
        """Reads a task that `Task.to_json` returned.

        Raises:
            DataError: If it is no task.
        """

    def infer(self, cells: Sequence[Json]) -> Task[A] | None:
        """Infers the task of a table's answers; None if they are of another kind.

        Raises:
            DataError: If they are of this kind but make no task.
        """

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Makes examples of this kind from examples with one label each."""


#: Reports the progress of long work: (phase, done, total).
Show = Callable[[str, int, int], None]
