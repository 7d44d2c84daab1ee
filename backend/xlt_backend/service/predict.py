"""Predictions for /predict: one thread scores all texts, those of short requests first.

A project without a model, a task without a usable text or a model that fails gives an empty result
and no error: Label Studio expects a result for every task.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from xlt.data.examples import Example
from xlt.errors import ConfigError, XltError
from xlt.tasks.relabelling import relabelling
from xlt.tasks.task import Suggestion
from xlt_backend.errors import BusyError, RedisDownError, UnsupportedConfigError
from xlt_backend.labelstudio.convert import Unusable, to_example
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.scores import uncertainty_to_score
from xlt_backend.labelstudio.wire import PredictAnswer, PredictRequest, WireResult, WireTask
from xlt_backend.names import published
from xlt_backend.options import ProjectOptions
from xlt_backend.service.events import Service
from xlt_backend.service.registry import Registry

logger = logging.getLogger(__name__)

#: Number of texts scored in one go, before a shorter request may overtake.
CHUNK = 32


def answer_predict(
    service: Service, inference: Inference, request: PredictRequest
) -> PredictAnswer:
    """Returns one result per task, in the order of the tasks; empty if there is no prediction.

    Key, interface and options come from the project's state; without Redis, from the request.
    """
    if not request.project:
        logger.info("/predict without a project returned empty results")
        return PredictAnswer(results=[WireResult() for _ in request.tasks])
    project = str(request.project_id) if request.project_id is not None else ""
    key, label_config, options = request.project, request.label_config, ProjectOptions()
    try:
        state = service.state(project)
        options = ProjectOptions.from_extra_params(state.extra_params)
        key, label_config = state.key or key, label_config or state.label_config
    except (RedisDownError, ConfigError) as error:
        logger.warning("/predict of project %s uses the default options: %s", project, error)
    try:
        interface = Interface.from_options(label_config or "", options)
    except UnsupportedConfigError as error:
        logger.info("/predict of project %s returned empty results: %s", project, error)
        return PredictAnswer(results=[WireResult() for _ in request.tasks])
    return inference.predict(key, request.tasks, interface, options)


class Inference:
    """One thread that scores chunks of texts; chunks of short requests overtake the others.

    Args:
        registry: Gives the active version of a project.
        deadline_s: Seconds until a request is answered with the results that are ready.
        remembered: Number of texts whose predictions are kept in memory.
        timed: Wraps the work of a request; called with its number of tasks.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        deadline_s: float,
        remembered: int = 50_000,
        timed: Callable[[int], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._registry = registry
        self._deadline_s = deadline_s
        self._timed = timed
        self._work: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._memory = Memory(remembered)
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def predict(
        self,
        key: str,
        tasks: Sequence[WireTask],
        interface: Interface,
        options: ProjectOptions,
    ) -> PredictAnswer:
        """Returns one result per task, in their order; empty if it is not ready in time.

        Args:
            key: The project's folder of versions.
            tasks: The tasks to predict.
            interface: The project's labelling interface.
            options: The project's options.
        """
        with self._timed(len(tasks)):
            return self._predict(key, tasks, interface, options)

    def _predict(
        self,
        key: str,
        tasks: Sequence[WireTask],
        interface: Interface,
        options: ProjectOptions,
    ) -> PredictAnswer:
        deadline = time.monotonic() + self._deadline_s
        results = [WireResult() for _ in tasks]
        usable = []
        for index, task in enumerate(tasks):
            example = to_example(task.as_task(), interface, options)
            if not isinstance(example, Unusable):
                usable.append((index, example))
        version = ""
        futures = []
        for start in range(0, len(usable), CHUNK):
            chunk = usable[start : start + CHUNK]
            submitted = self._submit(key, [e for _, e in chunk], interface, deadline, len(tasks))
            futures.append((chunk, submitted))
        for chunk, future in futures:
            predicted = self._awaited(future, deadline)
            if predicted is None:
                continue
            version = predicted.version
            for (index, example), prediction in zip(chunk, predicted.predictions, strict=True):
                results[index] = _result(prediction, version, interface, example.texts)
        return PredictAnswer(results=results, model_version=version)

    def suggestions(
        self, key: str, examples: Sequence[Example], interface: Interface, deadline: float
    ) -> tuple[str, list[Suggestion]] | None:
        """Returns the version and its suggestions for examples; short requests overtake them.

        Args:
            key: The project's folder of versions.
            examples: N examples, at least one.
            interface: The project's labelling interface.
            deadline: Time of `time.monotonic` by which they are needed.

        Returns:
            None if there is no version, or if it knows other labels.

        Raises:
            BusyError: If they are not ready in time.
        """
        chunks = [list(examples[at : at + CHUNK]) for at in range(0, len(examples), CHUNK)]
        futures = [self._submit(key, own, interface, deadline, CHUNK + 1) for own in chunks]
        try:
            each = [one.result(timeout=max(0.0, deadline - time.monotonic())) for one in futures]
        except (FutureTimeoutError, CancelledError):
            raise BusyError("the model had no time to answer: ask again later") from None
        finally:
            for future in futures:
                future.cancel()
        known = [one for one in each if one is not None]
        if len(known) < len(each):
            return None
        if len({one.version for one in known}) > 1:
            raise BusyError("the active version has just changed: ask again")
        return known[0].version, [own.suggestion for one in known for own in one.predictions]

    def _submit(
        self, key: str, examples: list[Example], interface: Interface, deadline: float, size: int
    ) -> Future[Predicted | None]:
        future: Future[Predicted | None] = Future()

        def work() -> None:
            if time.monotonic() > deadline or not future.set_running_or_notify_cancel():
                future.cancel()
                return
            try:
                future.set_result(self._answer(key, examples, interface))
            except Exception as error:  # noqa: BLE001 - raised again where the result is read
                future.set_exception(error)

        self._work.put((0 if size <= CHUNK else 1, next(self._order), work))
        return future

    def _awaited(self, future: Future[Predicted | None], deadline: float) -> Predicted | None:
        try:
            return future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            future.cancel()
            logger.warning("/predict: out of time; the remaining results are empty")
        except XltError as error:
            logger.error("/predict: %s", error)
        except Exception:
            logger.exception("/predict: returned empty results")
        return None

    def _run(self) -> None:
        while True:
            _, _, work = self._work.get()
            work()

    def _answer(
        self, key: str, examples: Sequence[Example], interface: Interface
    ) -> Predicted | None:
        loaded = self._registry.get(key)
        if loaded is None:
            return None
        reading = relabelling(loaded.model.task, interface.task, interface.tag.renames)
        if reading is None:
            logger.info("/predict: %s of %s knows other labels", loaded.version, key)
            return None
        version = published(loaded.version, reading.changed)
        names = [(key, version, interface.task, e.lang, e.texts) for e in examples]
        remembered = self._memory.recall(names)
        missing = [i for i, prediction in enumerate(remembered) if prediction is None]
        if missing:
            fresh = reading.read(loaded.model.predict([examples[i] for i in missing]))
            pairs = zip(fresh.suggestions, fresh.uncertainty.tolist(), strict=True)
            new = [Prediction(suggestion, uncertainty) for suggestion, uncertainty in pairs]
            for i, prediction in zip(missing, new, strict=True):
                remembered[i] = prediction
            self._memory.keep([names[i] for i in missing], new)
        return Predicted(
            version=version, predictions=[each for each in remembered if each is not None]
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """A version's prediction of one text.

    Attributes:
        suggestion: The suggested answer.
        uncertainty: In [0, 1], higher = less sure.
    """

    suggestion: Suggestion
    uncertainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Predictions of the texts of a chunk, and the version that made them."""

    version: str
    predictions: list[Prediction]


class Memory:
    """The predictions of the texts that were predicted last."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._predictions: OrderedDict[Hashable, Prediction] = OrderedDict()

    def recall(self, names: Sequence[Hashable]) -> list[Prediction | None]:
        """Returns the prediction of each name; None if it is not remembered."""
        return [self._predictions.get(name) for name in names]

    def keep(self, names: Sequence[Hashable], predictions: Sequence[Prediction]) -> None:
        """Remembers predictions; drops the oldest beyond the capacity."""
        self._predictions.update(zip(names, predictions, strict=True))
        while len(self._predictions) > self._capacity:
            self._predictions.popitem(last=False)


def _result(
    prediction: Prediction, version: str, interface: Interface, texts: Sequence[str]
) -> WireResult:
    results = interface.results(prediction.suggestion, texts)
    if results is None:  # the interface was edited after the model was trained
        return WireResult(model_version=version)
    return WireResult(
        result=results,
        score=uncertainty_to_score(prediction.uncertainty),
        model_version=version,
    )
