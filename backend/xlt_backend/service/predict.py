"""Predictions for /predict: one thread does the work, short requests first, never an error."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.errors import XltError
from xlt_backend.labelstudio.convert import Unusable, to_example, to_result
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.scores import uncertainty_to_score
from xlt_backend.labelstudio.wire import PredictAnswer, WireResult, WireTask
from xlt_backend.options import ProjectOptions
from xlt_backend.service.registry import Loaded, Registry

logger = logging.getLogger(__name__)

#: Texts that are scored without looking whether somebody else waits.
CHUNK = 32


class Inference:
    """One thread that works off chunks; those of short requests overtake the others."""

    def __init__(self, registry: Registry, *, deadline_s: float, remembered: int = 50_000) -> None:
        self._registry = registry
        self._deadline_s = deadline_s
        self._work: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._memory = Memory(remembered)
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def predict(
        self,
        key: str,
        tasks: Sequence[WireTask],
        interface: Interface | None,
        options: ProjectOptions,
    ) -> PredictAnswer:
        """As many results as tasks, in their order; empty ones where nothing can be said in time.

        Args:
            key: The project's folder of versions.
            tasks: What is asked about.
            interface: What is labelled; None: nothing that xlt knows.
            options: The project's options.
        """
        deadline = time.monotonic() + self._deadline_s
        results = [WireResult() for _ in tasks]
        if interface is None:
            return PredictAnswer(results=results)
        wanted = []
        for index, task in enumerate(tasks):
            found = to_example(task.as_task(), interface, options)
            if not isinstance(found, Unusable):
                wanted.append((index, found))
        version = ""
        futures = []
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            futures.append((chunk, self._submit(key, [e for _, e in chunk], deadline, len(tasks))))
        for chunk, future in futures:
            answer = self._awaited(future, deadline)
            if answer is None:
                continue
            version = answer.version
            for (index, _), row in zip(chunk, answer.probabilities, strict=True):
                results[index] = _result(row, answer, interface)
        return PredictAnswer(results=results, model_version=version)

    def _submit(
        self, key: str, examples: list[Example], deadline: float, size: int
    ) -> Future[Answer | None]:
        future: Future[Answer | None] = Future()

        def work() -> None:
            if time.monotonic() > deadline or not future.set_running_or_notify_cancel():
                future.cancel()
                return
            try:
                future.set_result(self._answer(key, examples))
            except Exception as error:  # noqa: BLE001 - whoever waits for it is told
                future.set_exception(error)

        self._work.put((0 if size <= CHUNK else 1, next(self._order), work))
        return future

    def _awaited(self, future: Future[Answer | None], deadline: float) -> Answer | None:
        try:
            return future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            future.cancel()
            logger.warning("/predict: out of time, the rest is answered empty")
        except XltError as error:
            logger.error("/predict: %s", error)
        except Exception:
            logger.exception("/predict: answered empty")
        return None

    def _run(self) -> None:
        while True:
            _, _, work = self._work.get()
            work()

    def _answer(self, key: str, examples: Sequence[Example]) -> Answer | None:
        loaded = self._registry.get(key)
        if loaded is None:
            return None
        names = [(key, loaded.version, e.lang, e.text) for e in examples]
        known = self._memory.recall(names)
        missing = [i for i, row in enumerate(known) if row is None]
        if missing:
            fresh = loaded.probabilities(
                [examples[i].text for i in missing], [examples[i].lang for i in missing]
            )
            for i, row in zip(missing, fresh, strict=True):
                known[i] = row
            self._memory.keep([names[i] for i in missing], list(fresh))
        rows = [row for row in known if row is not None]
        return Answer(loaded=loaded, probabilities=rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """Class probabilities (C,) of each text of a chunk, and who says so."""

    loaded: Loaded
    probabilities: list[NDArray[np.float64]]

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.loaded.version


class Memory:
    """The answers to the texts asked about last."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rows: OrderedDict[Hashable, NDArray[np.float64]] = OrderedDict()

    def recall(self, names: Sequence[Hashable]) -> list[NDArray[np.float64] | None]:
        """The row of each name, None where it is not known."""
        return [self._rows.get(name) for name in names]

    def keep(self, names: Sequence[Hashable], rows: Sequence[NDArray[np.float64]]) -> None:
        """Remembers rows; the oldest are forgotten."""
        self._rows.update(zip(names, rows, strict=True))
        while len(self._rows) > self._capacity:
            self._rows.popitem(last=False)


def _result(row: NDArray[np.float64], answer: Answer, interface: Interface) -> WireResult:
    label = answer.loaded.model.task.labels[int(row.argmax())]
    if label not in interface.labels:  # the interface was edited, the model not yet retrained
        return WireResult(model_version=answer.version)
    top = np.sort(row)[::-1]
    uncertainty = 1.0 - float(top[0] - top[1])
    return WireResult(
        result=to_result(label, float(top[0]), interface),
        score=uncertainty_to_score(uncertainty),
        model_version=answer.version,
    )
