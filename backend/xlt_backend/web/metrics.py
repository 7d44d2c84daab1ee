"""Prometheus metrics: counters and timers of this process, and gauges of all projects."""

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
    | {"/", "/projects", "/events", "/static"}
)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80)
_EVENTS = 40


class Metrics:
    """The counters of one process, and the gauges that each export reads from Redis."""

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
        """Times an answer; call the function that it yields with the status of the answer."""
        first = f"/{path.split('/')[1]}"  # pages of all projects together
        route = first if first in _ROUTES else "other"
        status = [500]
        start = time.perf_counter()
        try:
            yield lambda code: status.__setitem__(0, code)
        finally:
            self._seconds.labels(route).observe(time.perf_counter() - start)
            self._answers.labels(route, str(status[0])).inc()

    @contextmanager
    def predicting(self, tasks: int) -> Iterator[None]:
        """Counts tasks, and times their inference until the block ends."""
        self._tasks.inc(tasks)
        with self._predict_seconds.time():
            yield

    def count_event(self, action: str, status: str) -> None:
        """Counts an event."""
        if action not in self._actions and len(self._actions) >= _EVENTS:
            action = "other"
        self._actions.add(action)
        self._events.labels(action, status.split(":")[0]).inc()

    def export(self) -> tuple[bytes, str]:
        """Returns all metrics in Prometheus' format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _Projects(Collector):
    """Gauges of all projects, from Redis; without Redis, only the gauge that it is down."""

    def __init__(self, service: Service, versions: Callable[[], dict[str, str]]) -> None:
        self._service = service
        self._versions = versions

    def collect(self) -> Iterator[Metric]:
        """Yields the gauges as they are now."""
        up = GaugeMetricFamily("xlt_redis_up", "1 if Redis answers, otherwise 0")
        loaded = GaugeMetricFamily("xlt_loaded_versions", "Versions in the memory of this process")
        loaded.add_metric([], len(self._versions()))
        yield loaded
        try:
            states = {name: self._service.state(name) for name in self._service.projects()}
        except XltError as error:
            logger.warning("/metrics has no projects: %s", error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _gauges(states)


def _gauges(states: dict[str, ProjectState]) -> Iterator[Metric]:
    per_language = (
        ("xlt_labels", "Training labels by language", "labels"),
        ("xlt_audit_labels", "Audit labels by language", "audit_labels"),
    )
    for name, text, field in per_language:
        gauge = GaugeMetricFamily(name, text, labels=("project", "language"))
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
    yield from _payoff(states)
    plain: tuple[tuple[str, str, Callable[[ProjectState], float]], ...] = (
        ("xlt_tasks", "Tasks", lambda s: s.tasks),
        ("xlt_open_tasks", "Tasks that wait for annotators", lambda s: s.open_tasks),
        ("xlt_new_labels", "Labels that no version was trained on", lambda s: s.changed),
        ("xlt_last_error_at", "Time of the last round's error; 0 if it had none", _error_at),
        ("xlt_round_seconds", "Seconds of the last round", lambda s: _last(s, "seconds")),
        (
            "xlt_round_peak_rss_bytes",
            "Peak memory of the last training process",
            lambda s: _last(s, "peak_rss_bytes"),
        ),
    )
    for name, text, read in plain:
        gauge = GaugeMetricFamily(name, text, labels=("project",))
        for project, state in states.items():
            gauge.add_metric([project], read(state))
        yield gauge


def _payoff(states: dict[str, ProjectState]) -> Iterator[Metric]:
    """Yields the payoff of labels in the projects that have measured it."""
    last_labels = GaugeMetricFamily(
        "xlt_last_labels_gain",
        "Accuracy gained by a language's last labels",
        labels=("project", "language"),
    )
    gain = GaugeMetricFamily(
        "xlt_choosing_gain",
        "Accuracy with selected labels minus that with random ones",
        labels=("project",),
    )
    fallen_back = GaugeMetricFamily(
        "xlt_fallen_back",
        "Whether tasks are drawn at random because selection lowers accuracy",
        labels=("project",),
    )
    for project, state in states.items():
        choosing = state.payoff.get("choosing", {})
        fallen_back.add_metric([project], float(choosing.get("fallen_back", False)))
        if "gain" in choosing:
            gain.add_metric([project], choosing["gain"]["value"])
        for lang, measured in state.payoff.get("languages", {}).items():
            if "value" in measured["last_labels"]:
                last_labels.add_metric([project, lang], measured["last_labels"]["value"])
    yield from (last_labels, gain, fallen_back)


def _error_at(state: ProjectState) -> float:
    return (state.last_error_at or 0.0) if state.last_error else 0.0


def _last(state: ProjectState, name: str) -> float:
    return float(state.last_round.get(name) or 0.0)
