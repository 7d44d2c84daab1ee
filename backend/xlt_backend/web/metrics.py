"""What /metrics shows: counts and times of this process, and what Redis says of all projects."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from xlt.errors import XltError
from xlt_backend.queue.state import ProjectState
from xlt_backend.service.events import Service

logger = logging.getLogger(__name__)

_ROUTES = frozenset(
    {"/health", "/setup", "/predict", "/webhook", "/versions", "/metrics", "/status", "/cancel"}
)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80)
_EVENTS = 40


class Measures:
    """The counters of one process, and gauges read from Redis when asked."""

    def __init__(self, service: Service, versions: Callable[[], dict[str, str]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Projects(service, versions))
        self._answers = Counter(
            "xlt_answers",
            "Answers by route and status",
            ("route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "xlt_answer_seconds",
            "Seconds to answer",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tasks = Counter("xlt_predicted_tasks", "Tasks in /predict", registry=self._registry)
        self._predict_seconds = Histogram(
            "xlt_predict_seconds",
            "Seconds in inference per request",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._events = Counter(
            "xlt_events", "Webhook events by action", ("action", "outcome"), registry=self._registry
        )
        self._actions: set[str] = set()

    @contextmanager
    def answering(self, path: str) -> Iterator[Callable[[int], None]]:
        """Times an answer; call what it gives with the answer's status."""
        route = path if path in _ROUTES else "other"
        status = [500]
        begin = time.perf_counter()
        try:
            yield lambda code: status.__setitem__(0, code)
        finally:
            self._seconds.labels(route).observe(time.perf_counter() - begin)
            self._answers.labels(route, str(status[0])).inc()

    @contextmanager
    def predicting(self, tasks: int) -> Iterator[None]:
        """Counts tasks and times their inference."""
        self._tasks.inc(tasks)
        with self._predict_seconds.time():
            yield

    def heard(self, action: str, status: str) -> None:
        """Counts an event."""
        if action not in self._actions and len(self._actions) >= _EVENTS:
            action = "other"
        self._actions.add(action)
        self._events.labels(action, status.split(":")[0]).inc()

    def exposed(self) -> tuple[bytes, str]:
        """All measures in Prometheus' format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _Projects(Collector):
    """Gauges of all projects, from Redis; without it they say that it is away."""

    def __init__(self, service: Service, versions: Callable[[], dict[str, str]]) -> None:
        self._service = service
        self._versions = versions

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now."""
        up = GaugeMetricFamily("xlt_redis_up", "Whether Redis answers")
        loaded = GaugeMetricFamily("xlt_loaded_versions", "Versions in this process's memory")
        loaded.add_metric([], len(self._versions()))
        yield loaded
        try:
            states = {name: self._service.state(name) for name in self._service.projects()}
        except XltError as error:
            logger.warning("/metrics without projects: %s", error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _gauges(states)


def _gauges(states: dict[str, ProjectState]) -> Iterator[Metric]:
    per_language = (
        ("xlt_labels", "Labels that train, by language", "labels"),
        ("xlt_audit_labels", "Labels that judge, by language", "audit_labels"),
    )
    for name, words, field in per_language:
        gauge = GaugeMetricFamily(name, words, labels=("project", "language"))
        for project, state in states.items():
            for lang, count in getattr(state, field).items():
                gauge.add_metric([project, lang], count)
        yield gauge
    accuracy = GaugeMetricFamily(
        "xlt_audit_accuracy", "Accuracy on audit labels", labels=("project", "language")
    )
    for project, state in states.items():
        for lang, score in state.accuracy.items():
            accuracy.add_metric([project, lang], score["accuracy"])
    yield accuracy
    yield from _worth(states)
    plain: tuple[tuple[str, str, Callable[[ProjectState], float]], ...] = (
        ("xlt_tasks", "All tasks", lambda s: s.tasks),
        ("xlt_open_tasks", "Tasks that wait for a label", lambda s: s.open_tasks),
        ("xlt_new_labels", "Labels that no version knows", lambda s: s.changed),
        ("xlt_last_error_at", "When the last round failed; 0: it did not", _error_at),
        ("xlt_round_seconds", "Seconds of the last round", lambda s: _last(s, "seconds")),
        (
            "xlt_round_peak_rss_bytes",
            "Peak memory of the last training process",
            lambda s: _last(s, "peak_rss_bytes"),
        ),
    )
    for name, words, read in plain:
        gauge = GaugeMetricFamily(name, words, labels=("project",))
        for project, state in states.items():
            gauge.add_metric([project], read(state))
        yield gauge


def _worth(states: dict[str, ProjectState]) -> Iterator[Metric]:
    """What labels are worth, where that is known."""
    bought = GaugeMetricFamily(
        "xlt_last_labels_gain",
        "Accuracy that a language's last labels bought",
        labels=("project", "language"),
    )
    gain = GaugeMetricFamily(
        "xlt_choosing_gain",
        "Accuracy of chosen labels minus that of random ones",
        labels=("project",),
    )
    fallen = GaugeMetricFamily(
        "xlt_fallen_back",
        "Whether tasks are drawn at random, as choosing hurts",
        labels=("project",),
    )
    for project, state in states.items():
        choosing = state.payoff.get("choosing", {})
        fallen.add_metric([project], float(choosing.get("fallen_back", False)))
        if "gain" in choosing:
            gain.add_metric([project], choosing["gain"]["value"])
        for lang, of in state.payoff.get("languages", {}).items():
            if "value" in of["last_labels"]:
                bought.add_metric([project, lang], of["last_labels"]["value"])
    yield from (bought, gain, fallen)


def _error_at(state: ProjectState) -> float:
    return (state.last_error_at or 0.0) if state.last_error else 0.0


def _last(state: ProjectState, name: str) -> float:
    return float(state.last_round.get(name) or 0.0)
